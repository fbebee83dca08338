// spinet import
#include <fmt/core.h>

#include <cmath>
#include <cstring>

#include "commands.hpp"
#include "inputs.hpp"
#include "log/new_file.hpp"
#include "look/isolated.hpp"
#include "network/printable.hpp"
#include "nir/beside.hpp"
#include "nir/text.hpp"
#include "outputs.hpp"
#include "text.hpp"

namespace spinet::tool {
namespace fs = std::filesystem;
namespace {

struct ImportOptions {
  std::string file, output, spike = "dirac", area, euler, delay, reset = "value", input, spikes, current;
  bool force = false;
};

std::int64_t ns_in(const std::string& text, const char* option) {
  const double ns = time_in(text, 1e-9, option), whole = std::round(ns);
  if (!(whole >= 1 && whole <= 1e14 && std::abs(ns - whole) <= 1e-6 * whole))
    throw UserError(fmt::format("{} {}: whole nanoseconds, up to 100,000 s, are possible", option, text));
  return static_cast<std::int64_t>(whole);
}

nir::Reading reading_of(const ImportOptions& o) {
  nir::Reading r;
  if (o.spike != "dirac") r.spike = ns_in(o.spike, "--spike");
  if (!o.area.empty()) r.area = ns_in(o.area, "--area");
  if (!o.area.empty() && r.spike > 0)
    throw UserError("--area is of impulses (--spike dirac); a spike that lasts has the height 1");
  if (!o.euler.empty()) r.euler = ns_in(o.euler, "--euler");
  if (!o.delay.empty()) r.delay = ns_in(o.delay, "--delay");
  else if (r.spike > 0) r.delay = r.spike;
  r.by_subtraction = o.reset == "subtract";
  r.current = o.input == "current" || !o.current.empty();
  if (r.current && (!o.spikes.empty() || o.input == "spikes"))
    throw UserError("--spikes and --current are of different kinds of input; give one of them");
  return r;
}

/// A file that the network will read, as it names it.
std::string named_from(const fs::path& network, const std::string& file) {
  if (file.empty()) return {};
  std::error_code failed;
  if (fs::is_directory(file, failed)) throw UserError(fmt::format("{}: is a folder, not a file", file));
  if (!fs::is_regular_file(file, failed)) throw UserError(fmt::format("{}: there is no such file", file));
  const auto relative = fs::relative(file, fs::absolute(network).parent_path(), failed);
  return failed || relative.empty() ? fs::absolute(file).string() : relative.string();
}

fs::path import_output(const ImportOptions& o) {
  return o.output.empty() ? fs::path(o.file).filename().replace_extension(".yaml") : named(o.output);
}
fs::path beside_of(fs::path network) { return network.replace_extension(".nir.h5"); }

/// A name that networks may have.
std::string network_name_of(const fs::path& output) {
  std::string name = output.stem().string();
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && !std::strchr("_-. ", c)) c = '_';
  return name;
}

int make_import(const ImportOptions& o) {
  const auto reading = reading_of(o);
  const auto output = import_output(o), beside = beside_of(output);
  for (const auto& path : {output, beside})
    check_output(
        path, Replace{o.force},
        {{o.file, "the graph itself"}, {o.spikes, "a file of input"}, {o.current, "a file of input"}});
  const auto lock = lock_output(output), beside_lock = lock_output(beside);
  const nir::Purpose purpose{
      network_name_of(output),    fs::path(o.file).filename().string(), {},
      beside.filename().string(), named_from(output, o.spikes),         named_from(output, o.current)};
  const auto graph = nir::read_graph(fs::path(o.file));
  try {
    const auto draft = nir::draft(graph, reading);
    load_text(nir::populations_text(draft, reading), "the network made of " + o.file, read_catalogue({}),
              load_options());
    auto to = purpose;
    to.version = graph.version;
    nir::write_beside(beside, graph, reading, draft);
    logging::write_whole(output, nir::network_text(draft, reading, to));
    fmt::print("{}\n{}\nWhat the file leaves open was read so:\n", output.string(), beside.string());
    for (const auto& line : nir::reading_lines(draft, reading)) fmt::print("- {}\n", line);
  } catch (const nir::Fault& e) {
    throw UserError(fmt::format("{}: {}", o.file, e.what()));
  } catch (const InvalidNetwork& e) {
    throw UserError(e.rendered);
  }
  fmt::print("Next: spinet run {}\n", in_shell(output.string()));
  return fine;
}

}  // namespace

void add_import(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("import",
                                 "Make a network of a NIR graph (Neuromorphic Intermediate Representation)");
  auto o = std::make_shared<ImportOptions>();
  sub->add_option("FILE", o->file, "The graph, HDF5 as of the package nir")->required();
  sub->add_option("-o,--output", o->output,
                  "The network (FILE.yaml, in this folder); FILE.nir.h5 is written beside it")
      ->type_name("FILE");
  sub->add_option("--spike", o->spike, "How long a spike lasts at height 1 (dirac: it is an impulse)")
      ->type_name("dirac|TIME")
      ->capture_default_str();
  sub->add_option("--area", o->area, "Of an impulse (1 s): how long a spike of height 1 would last")
      ->type_name("TIME");
  sub->add_option("--euler", o->euler, "Time constants are those of Euler steps this long; none if not given")
      ->type_name("TIME");
  sub->add_option("--delay", o->delay, "Of every connection between populations (0.1 ms, or that of --spike)")
      ->type_name("TIME");
  sub->add_option("--reset", o->reset, "A spike takes v to v_reset, or v_threshold - v_reset from v")
      ->check(CLI::IsMember({"value", "subtract"}))
      ->type_name("value|subtract")
      ->capture_default_str();
  sub->add_option("--input", o->input, "What Input nodes get (spikes)")
      ->check(CLI::IsMember({"spikes", "current"}))
      ->type_name("spikes|current");
  sub->add_option("--spikes", o->spikes,
                  "Spikes of the Input nodes: CSV of neuron, time in ms, or a SONATA file")
      ->type_name("FILE");
  sub->add_option("--current", o->current,
                  "Current of the Input nodes: CSV of time in s, value; constant in between")
      ->type_name("FILE");
  sub->add_flag("--force", o->force, "Replace existing files");
  sub->footer("Back: spinet export NETWORK.yaml --to nir -o FILE.nir");
  sub->callback([o, &action] {
    action = [o] {
      std::error_code failed;
      if (fs::is_directory(o->file, failed))
        throw UserError(fmt::format("{}: is a folder, not a file", o->file));
      if (!fs::is_regular_file(o->file, failed))
        throw UserError(fmt::format("{}: there is no such file", o->file));
      return look::isolated(o->file, {import_output(*o), beside_of(import_output(*o))},
                            [&] { return make_import(*o); });
    };
  });
}

}  // namespace spinet::tool
