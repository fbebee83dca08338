// spinet run, spinet resume
#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <optional>

#include "comm/collectively.hpp"
#include "core/errors.hpp"
#include "core/failure.hpp"
#include "core/simulation.hpp"
#include "dry_run.hpp"
#include "image_run.hpp"
#include "image_text.hpp"
#include "inputs.hpp"
#include "log/checkpoint_file.hpp"
#include "log/journal.hpp"
#include "log/log_data.hpp"
#include "log/reader.hpp"
#include "log/writer.hpp"
#include "look/run_object.hpp"
#include "memory.hpp"
#include "network/notes.hpp"
#include "network/printable.hpp"
#include "outputs.hpp"
#include "plugins.hpp"
#include "progress.hpp"
#include "ranks.hpp"
#include "run_options.hpp"
#include "signals.hpp"
#include "summary.hpp"
#include "text.hpp"

namespace spinet::tool {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }

std::string shown(const std::filesystem::path& path) { return printable_line(path.string()); }

/// A checkpoint that is gone on with, opened and found to fit this spinet.
std::unique_ptr<CheckpointFile> open_checkpoint(const std::string& path) {
  std::unique_ptr<CheckpointFile> c;
  as_input([&] { c = std::make_unique<CheckpointFile>(path); });
  if (c->origin.version != SPINET_VERSION)
    throw UserError(
        fmt::format("{}: written by spinet {}, this is {}; states of neurons may mean something else", path,
                    c->origin.version, SPINET_VERSION));
  return c;
}

/// The network as the checkpoint holds it, with its overrides.
Network network_of(const CheckpointFile& c, const Catalogue& catalogue, DataFiles& files) {
  LoadOptions options = load_options();
  options.data_file = collect_into(files);
  options.data_root = c.origin.data_root;
  for (const auto& o : c.overrides) {
    const auto equals = o.find('=');
    if (equals != std::string::npos)
      options.overrides.emplace_back(o.substr(0, equals), o.substr(equals + 1));
  }
  return load_text(c.network_text, c.network_path, catalogue, options);
}

std::filesystem::path output_name(const RunOptions& o, const Network& n) {
  return o.output.empty() ? n.name + ".h5" : o.output;
}

/// What is read, and must not be replaced by the log.
std::vector<Input> inputs_of(const RunOptions& o, const Network& n, const DataFiles& files) {
  std::vector<Input> all{{n.source_path, "the network that is read"}};
  for (const auto& [name, path] : files) all.push_back({path, "a data file of the network"});
  if (!o.resume.empty()) all.push_back({o.resume, "the checkpoint"});
  return all;
}

/// The newest checkpoint of a log that goes no further than the log does; empty if there is none.
std::filesystem::path newest_checkpoint(const std::filesystem::path& log, Tick before) {
  std::filesystem::path newest;
  Tick at = -1;
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::absolute(log).parent_path(), ignored)) {
    const auto name = entry.path().filename();
    if (!CheckpointFiles::number_of(log, name.string())) continue;
    try {
      const CheckpointFile c(log.parent_path() / name);
      if (c.at > before || c.at <= at) continue;
      CheckpointFile::verify(log.parent_path() / name);
      at = c.at;
      newest = log.parent_path() / name;
    } catch (const LogError&) {
      // Not whole: no candidate.
    }
  }
  return newest;
}

/// Puts a resumed run's log in order; it must hold everything before the checkpoint.
void check_log(const RunOptions& o, const CheckpointFile& checkpoint, const Network& n,
               const OutputLock& lock) {
  const auto& log = checkpoint.origin.log;
  Extent extent;
  as_input([&] {
    extent = extent_of(log);
    refuse_another_run(log, n);
  });
  if (extent.before >= checkpoint.at) {
    recover(log, {}, &lock);
    return;
  }
  const auto seconds = [&](Tick t) { return time_text(static_cast<double>(t) * n.seconds_per_tick); };
  const auto message = fmt::format("{}: its log {} holds the run before {} only; the checkpoint is of {}",
                                   o.resume, shown(log), seconds(extent.before), seconds(checkpoint.at));
  if (extent.without_journal)
    throw UserError(fmt::format("{}\nWhat is missing was in {}, which is not there: put it beside the log",
                                message, logging::Journal::path_of(log).filename().string()));
  const auto older = newest_checkpoint(log, extent.before);
  throw UserError(message + (older.empty() ? "\nThere is no older checkpoint: the run must begin anew"
                                           : "\nNext: spinet resume " + in_shell(shown(older))));
}

/// The log that a run writes, and the locks that make it the only one to do so.  Held from before anything is
/// built.
struct Output {
  std::filesystem::path path;
  std::shared_ptr<OutputLock> lock, source;  ///< source: of the log that is gone on with under another name
};

Output claim_output(const RunOptions& o, const CheckpointFile* checkpoint, const Network& n,
                    const DataFiles& files) {
  Output out;
  const bool same = checkpoint && o.output.empty();
  out.path = same ? checkpoint->origin.log : output_name(o, n);
  if (checkpoint && !std::filesystem::exists(checkpoint->origin.log))
    throw UserError(fmt::format("{}: its log {} is missing; keep the two in one folder", o.resume,
                                shown(checkpoint->origin.log)));
  const auto inputs = inputs_of(o, n, files);
  check_output(out.path, Replace::yes, inputs);
  out.lock = lock_output(out.path);
  check_output(out.path, Replace{o.force || same}, inputs);
  refuse_readers(out.path);
  as_input([&] {
    logging::Journal::refuse(out.path, Replace{o.force || same});
    if (!o.checkpoint_every.empty() || !o.checkpoint_wall.empty()) CheckpointFiles::refuse_foreign(out.path);
  });
  if (!checkpoint) return out;
  std::error_code ignored;
  if (!same && !std::filesystem::equivalent(out.path, checkpoint->origin.log, ignored))
    out.source = lock_output(checkpoint->origin.log);
  check_log(o, *checkpoint, n, out.source ? *out.source : *out.lock);
  return out;
}

/// Where the network's data files are looked for when it is loaded from a checkpoint.
std::filesystem::path data_root(const Network& n, const CheckpointFile* from) {
  return from ? from->origin.data_root : std::filesystem::absolute(n.source_path).parent_path();
}

std::uint64_t peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

/// Sums over all ranks of what each has only a part of.
Totals total(Transport& t, const Statistics& s) {
  struct Part {
    std::uint64_t deliveries, superposed, events_before, synapses, stored, slices, tests, synapse_bytes,
        peak_bytes;
    double build_seconds, run_seconds;
  };
  const Part mine{s.deliveries,      s.superposed,    s.events_before,   s.synapses,
                  s.stored_synapses, s.slices,        s.threshold_tests, s.synapse_bytes,
                  peak_memory(),     s.build_seconds, s.run_seconds};
  Gathered all;
  t.all_gather(std::as_bytes(std::span(&mine, 1)), all);
  Totals sum;
  sum.statistics = s;
  auto& x = sum.statistics;
  x.deliveries = x.superposed = x.events_before = x.synapses = x.stored_synapses = x.slices =
      x.threshold_tests = x.synapse_bytes = 0;
  x.build_seconds = x.run_seconds = 0;
  sum.ranks = t.size();
  for (int r = 0; r < t.size(); ++r) {
    Part p;
    std::memcpy(&p, all.of(r).data(), sizeof p);
    x.deliveries += p.deliveries;
    x.superposed += p.superposed;
    x.events_before += p.events_before;
    x.stored_synapses += p.stored;
    x.slices += p.slices;
    x.threshold_tests += p.tests;
    x.synapses += p.synapses;
    x.synapse_bytes += p.synapse_bytes;
    sum.peak_bytes += p.peak_bytes;
    x.build_seconds = std::max(x.build_seconds, p.build_seconds);
    x.run_seconds = std::max(x.run_seconds, p.run_seconds);
  }
  return sum;
}

void restore(Simulation& simulation, const CheckpointFile& checkpoint, const RunOptions& o) {
  try {
    as_input([&] {
      Tick at = 0;  // what the state begins with
      checkpoint.read("run", 0, std::as_writable_bytes(std::span(&at, 1)));
      if (at != checkpoint.at) throw UnfitCheckpoint("run", "is of another time than the checkpoint says");
      simulation.restore(checkpoint);
    });
  } catch (const UnfitCheckpoint& e) {
    throw UserError(fmt::format("{}: this checkpoint cannot be used: {}", o.resume, e.what()));
  }
}

/// One run, on this rank: from the files that are read to the log that is finished.
class Run {
 public:
  Run(Transport& t, const RunOptions& o)
      : t_(t), o_(o), first_(t.rank() == 0), show_(o.quiet ? Show::nothing : what_suits()) {}
  int go() {
    load();
    compare_ranks();
    check_memory(t_, network_);
    load_seconds_ = seconds_since(begin_);
    announce();
    if (!build()) return run_failed;
    open_log();
    simulate();
    if (first_) report();
    return mine_.stopped ? run_failed : fine;
  }

 private:
  void load();
  void compare_ranks();
  void announce() const;
  bool build();
  void open_log();
  RunProvenance provenance() const;
  void simulate();
  void report();
  std::string time(Tick t) const { return time_text(static_cast<double>(t) * network_.seconds_per_tick); }
  static const char* stopped_by() { return *stop_signal() ? stop_signal() : "another rank"; }

  Transport& t_;
  const RunOptions& o_;
  const bool first_;  ///< rank 0, which reads, writes and talks
  const Show show_;
  const Clock::time_point begin_ = Clock::now();
  Catalogue catalogue_;
  Network network_;
  DataFiles files_;
  Manifest contents_;                           ///< of the files
  std::unique_ptr<CheckpointFile> checkpoint_;  ///< that is gone on with
  double every_ = 0, wall_ = 0;                 ///< between checkpoints: ticks, seconds; 0: none
  Output output_;
  double load_seconds_ = 0;
  std::optional<Simulation> simulation_;
  std::optional<ProgressLine> line_;
  std::unique_ptr<RunLog> log_;
  std::optional<ImageRun> images_;
  std::unique_ptr<CheckpointFiles> checkpoints_;
  Statistics mine_;
  Totals sum_;
};

/// Network, data files and options, on all ranks; rank 0 makes sure of the output.
void Run::load() {
  if (!o_.resume.empty())
    collectively(t_, [&] {
      if (first_) as_input([&] { CheckpointFile::verify(o_.resume); });
    });
  collectively(t_, [&] {
    if (!o_.resume.empty()) {
      checkpoint_ = open_checkpoint(o_.resume);
      catalogue_ = read_catalogue(o_.network.plugin_path);
      require_plugins(checkpoint_->origin.plugins, catalogue_, o_.resume);
      network_ = network_of(*checkpoint_, catalogue_, files_);
    } else {
      catalogue_ = read_catalogue(o_.network.plugin_path);
      network_ = read_network(o_.network, catalogue_, &files_);
    }
    if (o_.images.given() || (o_.resume.empty() && shows_images(network_)))
      images_.emplace(o_.images, network_, catalogue_, files_);
    contents_ = manifest_of(files_);
    if (checkpoint_) require_unchanged(checkpoint_->origin.files, contents_, o_.resume);
    if (first_) output_ = claim_output(o_, checkpoint_.get(), network_, files_);
    if (!o_.checkpoint_every.empty())
      every_ = ticks_in(o_.checkpoint_every, network_.seconds_per_tick, "--checkpoint-every");
    if (!o_.checkpoint_wall.empty()) wall_ = time_in(o_.checkpoint_wall, 1, "--checkpoint-wall");
  });
}

/// All ranks must have read the same.
void Run::compare_ranks() {
  auto same = manifest_of(network_);
  same.insert(contents_.begin(), contents_.end());
  for (const auto& plugin : plugins_of(network_, catalogue_))
    same["plugin: " + plugin.substr(0, plugin.rfind(' '))] = plugin;
  same["interval of checkpoints"] = fmt::format("{} {}", o_.checkpoint_every, o_.checkpoint_wall);
  require_same(t_, same);
}

void Run::announce() const {
  if (!first_ || show_ == Show::nothing) return;
  fmt::print(stderr, "{}: {} on {} rank{}, building ...\n", network_.name, time(network_.duration), t_.size(),
             t_.size() == 1 ? "" : "s");
  for (const auto& note : notes(network_)) fmt::print(stderr, "note: {}\n", note);
  if (images_ && !images_->note().empty()) fmt::print(stderr, "note: {}\n", images_->note());
  std::fflush(stderr);
}

/// Returns false where it was stopped meanwhile.
bool Run::build() {
  try {
    simulation_.emplace(network_, t_, SimulationOptions{.pulse = &pulse, .stop = &stop_wanted});
  } catch (const Stopped&) {
    if (first_)
      fmt::print(stderr, "spinet: stopped by {} while the network was built; nothing has been written\n",
                 stopped_by());
    return false;
  }
  if (checkpoint_) collectively(t_, [&] { restore(*simulation_, *checkpoint_, o_); });
  return true;
}

RunProvenance Run::provenance() const {
  RunProvenance from{.version = SPINET_VERSION,
                     .ranks = t_.size(),
                     .command_line = o_.command_line,
                     .started = {},
                     .host = {},
                     .files = {}};
  for (const auto& [name, file] : files_) from.files.push_back(std::filesystem::absolute(file).string());
  char host[256] = {};
  if (gethostname(host, sizeof host - 1) == 0) from.host = host;
  return from;
}

/// The log, on rank 0, with what a checkpoint's log has of it.
void Run::open_log() {
  collectively(t_, [&] {
    if (!first_) return;
    RunLogOptions options{.force = o_.force, .weight_widths = simulation_->weight_widths()};
    if (images_) options.weight_widths.resize(images_->logged().weights.size());
    options.lock = output_.lock;
    if (checkpoint_) {
      options.force = options.force || output_.path == checkpoint_->origin.log;
      options.continues = Continuation{checkpoint_->origin.log, checkpoint_->at};
    }
    try {
      log_ = std::make_unique<RunLog>(output_.path, images_ ? images_->logged() : network_, provenance(),
                                      options);
    } catch (const DamagedSource& e) {
      throw UserError(printable_line(e.what()));
    }
    output_.source.reset();
    if (every_ == 0 && wall_ == 0) return;
    const CheckpointOrigin origin{SPINET_VERSION,
                                  output_.path,
                                  plugins_of(network_, catalogue_),
                                  data_root(network_, checkpoint_.get()),
                                  t_.size(),
                                  lines_of(contents_),
                                  {}};
    checkpoints_ = std::make_unique<CheckpointFiles>(
        network_, origin, checkpoint_ ? checkpoint_->number + 1 : 1,
        [this](const std::string& why) { line_->note(why + "; the run goes on"); });
  });
}

void Run::simulate() {
  RunHooks hooks;
  hooks.stop = &stop_wanted;
  hooks.checkpoints = {checkpoints_.get(), static_cast<Tick>(std::llround(every_)), wall_,
                       every_ > 0 || wall_ > 0};
  if (first_) {
    line_.emplace(show_, network_, output_.path, checkpoint_ ? checkpoint_->at : 0);
    hooks.progress = [&](const Progress& p) { (*line_)(p); };
  }
  if (images_) images_->prepare(t_, *simulation_), hooks.window = images_->before_windows(*simulation_);
  const auto counter = images_ && log_ ? images_->over(*log_) : nullptr;
  mine_ = simulation_->run(counter ? counter.get() : log_.get(), hooks);
  line_.reset();
  sum_ = total(t_, mine_);
  sum_.load_seconds = load_seconds_;
  const auto closing = Clock::now();
  collectively(t_, [&] {
    if (log_ && images_) log_->images(images_->results());
    if (log_)
      log_->finish(sum_.statistics, mine_.reached,
                   mine_.stopped ? spinet::Ending::stopped : spinet::Ending::complete);
    log_.reset();
  });
  sum_.close_seconds = seconds_since(closing);
}

/// What a person wants to know, and the next command to type.
void Run::report() {
  const bool talks = !o_.quiet && !o_.json;
  if (o_.json) fmt::print("{}", look::info_json(LogData(output_.path)));
  else if (talks) fmt::print("{}", summary(network_, sum_, output_.path));
  if (talks && images_) fmt::print("{}", image_text(images_->results(), sum_.statistics.run_seconds));
  if (const auto written = checkpoints_ ? checkpoints_->written() : 0; talks && written > 0)
    fmt::print("{} checkpoint{}, {} of the run; the last is {} ({})\n", written, written == 1 ? "" : "s",
               time_text(mine_.checkpoint_seconds), shown(checkpoints_->last()),
               count_text(static_cast<double>(checkpoints_->last_bytes())) + "B");
  if (mine_.stopped && checkpoints_ && !checkpoints_->last().empty() && talks)
    fmt::print("\nNext: spinet resume {}\n", in_shell(shown(checkpoints_->last())));
  if (mine_.stopped)
    fmt::print(stderr, "spinet: stopped by {} at {} of {}; {} holds everything before that\n", stopped_by(),
               time(mine_.reached), time(network_.duration), shown(output_.path));
  else if (talks) fmt::print("\nNext: spinet report {}\n", in_shell(shown(output_.path)));
  std::fflush(stdout);
}

}  // namespace

int run(const RunOptions& o) {
  if (o.images.given() && !(o.checkpoint_every.empty() && o.checkpoint_wall.empty()))
    throw UserError("--data: a run that shows images keeps no checkpoints; --images A..B shows some of them");
  if (o.dry) {
    const Catalogue catalogue = read_catalogue(o.network.plugin_path);
    const Network network = read_network(o.network, catalogue);
    const int ranks = std::max(o.ranks, 1);
    fmt::print("{}", describe(network, dry_run(network, ranks, o.rate), ranks, o.rate));
    return fine;
  }
  const auto check = [&] {
    if (!o.resume.empty()) {
      refuse_in_use(o.output.empty() ? open_checkpoint(o.resume)->origin.log
                                     : std::filesystem::path(o.output));
      return;
    }
    DataFiles files;
    const Catalogue catalogue = read_catalogue(o.network.plugin_path);
    auto network = read_network(o.network, catalogue, &files);
    if (o.images.given() || shows_images(network)) ImageRun(o.images, network, catalogue, files);
    refuse_in_use(output_name(o, network));
    check_output(output_name(o, network), Replace{o.force}, inputs_of(o, network, files));
    check_memory(network, o.ranks);
  };
  return on_ranks(o.ranks, check, [&](Transport& t) { return Run(t, o).go(); });
}

}  // namespace spinet::tool
