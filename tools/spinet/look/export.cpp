// spinet export
#include "look/export.hpp"

#include <fmt/core.h>

#include "commands.hpp"
#include "inputs.hpp"
#include "log/new_file.hpp"
#include "look/isolated.hpp"
#include "look/output.hpp"
#include "network/estimate.hpp"
#include "nir/export.hpp"
#include "outputs.hpp"

namespace spinet::tool {
namespace fs = std::filesystem;
namespace {

struct ExportOptions {
  std::string log, format, output;
  bool force = false;
};

void say_what_is_missing(const LogData& data) {
  if (!data.summary().warning.empty()) fmt::print(stderr, "Warning: {}\n", data.summary().warning);
}

/// The file, or the folder of tables.
fs::path export_output(const ExportOptions& o) {
  if (!o.output.empty()) return named(o.output);
  if (o.format == "nir") return fs::path(o.log).replace_extension(".nir");
  return o.format == "nwb" ? fs::path(o.log).replace_extension(".nwb")
                           : fs::path(fs::path(o.log).replace_extension().string() + "_csv");
}

int make_export(const ExportOptions& o) {
  if (o.format == "nwb") {
    const auto file = export_output(o);
    check_output(file, Replace{o.force}, inputs_of_log(o.log));
    const auto lock = lock_output(file);
    const LogData data(o.log);
    say_what_is_missing(data);
    look::export_nwb(data, file);
    fmt::print("{}  {}\n", file.string(), readable_bytes(static_cast<double>(fs::file_size(file))));
    return fine;
  }
  const auto folder = export_output(o);
  const LogData data(o.log);
  say_what_is_missing(data);
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (!fs::is_directory(folder))
    throw UserError(
        fmt::format("{}: cannot be made a folder{}", folder.string(), failed ? ": " + failed.message() : ""));
  const auto lock = lock_output(folder);
  const auto written = look::export_csv(data, folder, Replace{o.force});
  for (const auto& path : written)
    fmt::print("{}  {}\n", path.string(), readable_bytes(static_cast<double>(fs::file_size(path))));
  if (written.empty())
    throw UserError(
        fmt::format("{}: has recorded no spikes, variables or weights, and was shown no images: there is no "
                    "table to write",
                    o.log));
  return fine;
}

/// The file beside an imported network: of those that it reads, or by its name, the one that holds a graph.
std::optional<nir::Beside> find_beside(const std::string& network, const DataFiles& files) {
  std::vector<fs::path> all{fs::path(network).replace_extension(".nir.h5")};
  for (const auto& [name, path] : files)
    if (path.extension() == ".h5") all.push_back(path);
  std::error_code failed;
  for (const auto& path : all)
    if (fs::is_regular_file(path, failed))
      if (auto found = nir::read_beside(path)) return found;
  return std::nullopt;
}

int export_graph(const ExportOptions& o) {
  const auto output = export_output(o);
  try {
    const Catalogue catalogue = read_catalogue({});
    DataFiles files;
    const Network network = read_network({o.log, {}, {}, {}, {}}, catalogue, &files);
    std::vector<Input> inputs{{o.log, "the network itself"}};
    for (const auto& [name, path] : files) inputs.push_back({path, "a file that the network reads"});
    check_output(output, Replace{o.force}, inputs);
    const auto lock = lock_output(output);
    auto beside = find_beside(o.log, files);
    if (!beside)
      throw UserError(
          fmt::format("{}: was not made of a NIR graph: neither a file that it reads nor {} holds one "
                      "(spinet import)",
                      o.log, fs::path(o.log).replace_extension(".nir.h5").string()));
    const auto graph = nir::as_graph(network, std::move(*beside), [&](const std::string& text) {
      return load_text(text, "the graph's network", catalogue, load_options());
    });
    logging::write_hdf5(output, [&](hid_t file) { nir::write_graph(file, graph); });
  } catch (const nir::Fault& e) {
    throw UserError(fmt::format("{}: {}", o.log, e.what()));
  } catch (const InvalidNetwork& e) {
    throw UserError(e.rendered);
  }
  fmt::print("{}  {}\n", output.string(), readable_bytes(static_cast<double>(fs::file_size(output))));
  return fine;
}

}  // namespace

void add_export(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand(
      "export", "Write a log's data as CSV tables or as an NWB file, or an imported network as a NIR graph");
  auto o = std::make_shared<ExportOptions>();
  sub->add_option("FILE", o->log, "The log, OUT.h5; for nir the network, NETWORK.yaml")->required();
  sub->add_option(
         "--to", o->format,
         "csv: a folder of tables; nwb: one NWB 2 file; nir: the graph that a network was imported from")
      ->required()
      ->check(CLI::IsMember({"csv", "nwb", "nir"}))
      ->type_name("csv|nwb|nir");
  sub->add_option("-o,--output", o->output,
                  "Where to (csv: OUT_csv, nwb: OUT.nwb, beside the log; nir: NETWORK.nir)")
      ->type_name("DIR_OR_FILE");
  sub->add_flag("--force", o->force, "Replace existing files");
  sub->callback([o, &action] {
    action = [o] {
      if (o->format == "nir")
        return look::isolated(o->log, {export_output(*o)}, [&] { return export_graph(*o); });
      look::check_log(o->log);
      return look::isolated(o->log, {export_output(*o)}, [&] { return make_export(*o); });
    };
  });
}

}  // namespace spinet::tool
