// spinet info
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>

#include "commands.hpp"
#include "device_info.hpp"
#include "image_text.hpp"
#include "log/journal.hpp"
#include "log/log_data.hpp"
#include "log/model_file.hpp"
#include "log/output_lock.hpp"
#include "look/analysis.hpp"
#include "look/isolated.hpp"
#include "look/output.hpp"
#include "look/run_object.hpp"
#include "look/training.hpp"
#include "network/estimate.hpp"
#include "network/printable.hpp"
#include "sweep/results.hpp"
#include "text.hpp"
#include "train/talk.hpp"

namespace spinet::tool {
namespace {

/// What the results of a sweep hold, in short.
int sweep_info(const std::string& file, const Sweep& s, bool json) {
  const auto failed = static_cast<std::uint64_t>(
      std::count_if(s.rows.begin(), s.rows.end(), [](const auto& r) { return r.second.failed; }));
  if (json) {
    look::Json j;
    j.object()
        .entry("file", file)
        .entry("kind", "sweep")
        .entry("network", s.network_name)
        .entry("version", s.version);
    j.entry("runs", s.runs())
        .entry("done", std::uint64_t{s.rows.size()})
        .entry("failed", failed)
        .entry("trials", s.trials);
    j.entry("seed", std::uint64_t{s.seed}).key("vary").array();
    for (const auto& v : s.vary) j.value(v);
    j.end().key("set").array();
    for (const auto& v : s.set) j.value(v);
    std::error_code ignored;
    j.end().entry("bytes", std::uint64_t{std::filesystem::file_size(file, ignored)}).end();
    fmt::print("{}\n", j.text());
    return fine;
  }
  std::error_code ignored;
  fmt::print("{}  {}\n", file,
             readable_bytes(static_cast<double>(std::filesystem::file_size(file, ignored))));
  fmt::print("sweep of  {}, spinet {}\n", s.network_name, s.version);
  for (const auto& v : s.vary) fmt::print("          --vary {}\n", v);
  for (const auto& v : s.set) fmt::print("          --set {}\n", v);
  fmt::print("runs      {} of {}{}, {} trial{} of each combination, seeds from {}\n", grouped(s.rows.size()),
             grouped(s.runs()), failed ? fmt::format(" ({} failed)", grouped(failed)) : "", grouped(s.trials),
             s.trials == 1 ? "" : "s", s.seed);
  fmt::print("\nNext: spinet sweep --report {}\n", in_shell(file));
  return fine;
}

/// What each population did in the run, and what of that is in the log, each with its own rate.
void population_table(const LogSummary& s) {
  std::size_t width = 10;
  for (const auto& p : s.populations) width = std::max(width, p.name.size());
  struct Row {
    std::string name, model, size, fired, rate, recorded, recorded_rate;
  };
  const auto line = [&](const Row& r) {
    fmt::print("{:<{}}  {:<12}  {:>10}  {:>14}  {:>10}  {:>14}  {:>10}\n", r.name, width, r.model, r.size,
               r.fired, r.rate, r.recorded, r.recorded_rate);
  };
  fmt::print("\n");
  line({"population", "model", "size", "spikes", "rate", "recorded", "rate there"});
  // Without its journal a log has some later spikes, which count in the rate as they do in `view`.
  const Tick end = s.figures ? s.reached : look::end_of(s);
  for (const auto& p : s.populations) {
    const auto fired = look::fired_hz(p, s), recorded = look::recorded_hz(p, end, s);
    line({.name = p.name,
          .model = p.model,
          .size = grouped(p.size),
          .fired = p.fired ? grouped(*p.fired) : "-",
          .rate = fired ? rate_text(*fired) : "-",
          .recorded = p.recorded ? grouped(p.spikes) : "no",
          .recorded_rate = recorded ? rate_text(*recorded) : ""});
  }
  for (const auto& p : s.populations) {
    if (!p.recorded) continue;
    const auto when = look::recorded_when(p, end, s.ticks_per_ms);
    if (p.neurons < p.size || !when.empty())
      fmt::print("recorded  {}: {} of {}{}\n", p.name, grouped(p.neurons), plural(p.size, "neuron"), when);
  }
}

/// What a model is of, and what has come of its training, in short.
int model_info(const std::string& file, bool json) {
  if (json) {
    fmt::print("{}\n", train::is_trained(file) ? look::training_data(file) : device_json(file));
    return fine;
  }
  const auto origin = read_model_origin(file);
  std::error_code ignored;
  fmt::print("{}  {}\n", file,
             readable_bytes(static_cast<double>(std::filesystem::file_size(file, ignored))));
  fmt::print("model of {} ({}), spinet {}\n", printable_line(origin.network_name),
             printable_line(origin.network_path), printable_line(origin.version));
  for (const auto& o : origin.overrides) fmt::print("        --set {}\n", printable_line(o));
  for (const auto& part : read_model_parts(file)) fmt::print("        {}\n", printable_line(part));
  if (train::is_trained(file)) {
    const auto r = train::read_history(file);
    fmt::print("{}training {}\n\nNext: spinet report {}\n", train::summary_text(r), train::name_of(r.status),
               in_shell(file));
  }
  fmt::print("{}", device_text(file));
  return fine;
}

void image_lines(const LogData& data) {
  const auto images = data.images();
  if (!images) return;
  const auto& figures = data.summary().figures;
  if (!images->problem.empty()) fmt::print("images    cannot be read: {}\n", images->problem);
  else fmt::print("{}", image_text(images->results, figures ? figures->run_seconds : 0));
}

int info(const std::string& file, bool repair, bool json) {
  if (is_model(file)) return model_info(file, json);
  if (repair) recover(file);
  if (is_sweep(file)) return sweep_info(file, read_sweep(file), json);
  const LogData data(file);
  const auto& s = data.summary();
  if (json) {
    fmt::print("{}", look::info_json(data));
    return fine;
  }
  const auto seconds = [&](Tick t) { return time_text(static_cast<double>(t) * s.seconds_per_tick); };
  fmt::print("{}  {}\n", file, readable_bytes(static_cast<double>(s.bytes)));
  fmt::print("network   {} ({})\n", s.network, s.network_path);
  for (const auto& o : s.overrides) fmt::print("          --set {}\n", o);
  fmt::print("seed      {}\n", s.seed);
  fmt::print("run       {}: {} of {}\n", name_of(s.status), seconds(s.reached), seconds(s.duration));
  fmt::print("made by   spinet {} on {} rank{}{}\n", s.version, s.ranks, s.ranks == 1 ? "" : "s",
             s.host.empty() ? "" : " of " + s.host);
  fmt::print("started   {}\n", s.started);
  if (!s.finished.empty()) fmt::print("finished  {}\n", s.finished);
  if (s.figures)
    fmt::print("figures   {}, {}, {} events{} ({} events/s); built in {}, ran {}\n",
               plural(s.figures->spikes, "spike"), plural(s.figures->synapses, "synapse"),
               count_text(static_cast<double>(s.figures->events)),
               s.figures->events_before
                   ? fmt::format(", {} of them before the checkpoint",
                                 count_text(static_cast<double>(s.figures->events_before)))
                   : "",
               count_text(s.figures->events_per_second()), time_text(s.figures->build_seconds),
               time_text(s.figures->run_seconds));

  population_table(s);
  for (const auto& p : s.populations)
    if (p.dimensions)
      fmt::print("positions {}: {} in {} dimensions  (/nodes/{})\n", p.name, plural(p.size, "neuron"),
                 p.dimensions, p.name);
  for (const auto& r : s.reports)
    fmt::print("report    {}: {} of {} of {}, {} every {}  ({})\n", r.name, r.variable,
               plural(r.ids, "neuron"), r.population, plural(r.frames, "frame"),
               exact_time_text(r.step_ms * 1e-3), r.path);
  for (const auto& w : data.weights())
    if (w.problem.empty())
      fmt::print("weights   {}: {}, {} every {}\n", w.name, plural(w.edges, "synapse"),
                 plural(w.frames, "frame"), exact_time_text(w.step_ms * 1e-3));
    else fmt::print("weights   {}: cannot be read: {}\n", w.name, w.problem);
  for (const auto& w : data.weight_events())
    if (w.problem.empty() && w.synapses)
      fmt::print("weights   {}: {} of {}\n", w.name, plural(w.events, "event"),
                 plural(w.synapses, "synapse"));
    else if (w.problem.empty())
      fmt::print("weights   {}: {} of single synapses\n", w.name, plural(w.events, "change"));
    else fmt::print("weights   {}: the changes cannot be read: {}\n", w.name, w.problem);
  for (const auto& e : s.edges)
    fmt::print("edges     {}: {} from {} to {}  ({})\n", e.projection, grouped(e.edges), e.source, e.target,
               e.path);
  image_lines(data);
  if (!s.warning.empty()) fmt::print("\nWarning: {}\n", s.warning);
  if (s.pending.needed)
    fmt::print(
        "\nThe writer was killed. {} rows are in the journal beside the log only: keep the two together.\n"
        "`spinet info --repair {}` puts them in, for other programs.\n",
        grouped(s.pending.rows), file);
  return fine;
}

/// Who writes the log; a command that puts it in order is waited for.
std::optional<std::string> writer_of(const std::filesystem::path& log) {
  auto who = OutputLock::holder(log);
  for (int i = 0; who && i < 20; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    who = OutputLock::holder(log);
  }
  return who;
}

int running(const std::filesystem::path& log, const std::string& writer) {
  const auto journal = logging::Journal::path_of(log).filename().string();
  fmt::print("{}  {}\nrun       is being written by {}\n", log.string(),
             readable_bytes(static_cast<double>(std::filesystem::file_size(log))), writer);
  fmt::print(
      "\nUntil the run has ended, {} and {} belong together: some of its data is in the journal only. Copy "
      "or move both, "
      "and not while the run goes on.\n",
      log.filename().string(), journal);
  return fine;
}

}  // namespace

void add_info(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("info", "Show what a log holds");
  struct Options {
    std::string file;
    bool repair = false, json = false;
  };
  auto o = std::make_shared<Options>();
  sub->add_option("OUT.h5", o->file, "The log, or the results of a sweep")->required();
  sub->add_flag("--repair", o->repair,
                "First put what a killed run left in OUT.h5.journal into the log, for other programs");
  sub->add_flag("--json", o->json, "The same as one JSON object, for programs");
  sub->callback([o, &action] {
    action = [o] {
      look::check_log(o->file);
      if (const auto writer = writer_of(o->file)) return running(o->file, *writer);
      return look::isolated(o->file, {}, [&] { return info(o->file, o->repair, o->json); });
    };
  });
}

}  // namespace spinet::tool
