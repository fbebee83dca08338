// spinet sweep: every combination of values, every trial; spinet sweep --report.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>

#include "comm/collectively.hpp"
#include "comm/machine.hpp"
#include "comm/serial.hpp"
#include "connect/rule.hpp"
#include "core/connect.hpp"
#include "core/failure.hpp"
#include "core/simulation.hpp"
#include "inputs.hpp"
#include "memory.hpp"
#include "network/digest.hpp"
#include "network/estimate.hpp"
#include "network/replicas.hpp"
#include "network/suggest.hpp"
#include "outputs.hpp"
#include "progress.hpp"
#include "ranks.hpp"
#include "signals.hpp"
#include "sweep/axis.hpp"
#include "sweep/curve.hpp"
#include "sweep/figures.hpp"
#include "sweep/results.hpp"
#include "sweep/store.hpp"
#include "text.hpp"

namespace spinet::tool {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }

struct SweepOptions {
  NetworkOptions network;
  std::vector<std::string> vary;
  std::uint64_t trials = 1;
  std::string output;
  int ranks = 0;  ///< 0: not given
  std::uint64_t together = 0;  ///< runs of a combination that go side by side; 0: as many as pay off
  bool quiet = false, force = false;
  ReportOptions report;
};

// --- what is measured --------------------------------------------------------------------------------------------

/// Columns of a network's environments: (population, metric) to name.
struct Columns {
  std::vector<std::vector<std::string>> of;  ///< [population][metric]
  std::vector<std::string> all, populations;
  std::int64_t curve = -1;     ///< population whose metrics make the curve
  std::uint32_t y = 0;
  std::int64_t x = -1;         ///< metric; -1: model time
  std::string x_name, y_name, until;
};

Columns columns(const Network& net) {
  Columns c;
  c.of.resize(net.populations.size());
  std::size_t environments = 0;
  const auto table = [&](std::size_t p) { return net.populations[p].neuron(); };
  for (std::size_t p = 0; p < net.populations.size(); ++p) {
    if (!table(p)) continue;
    c.populations.push_back(net.populations[p].name);
    environments += table(p)->environment && table(p)->metric_count > 0;
  }
  for (std::size_t p = 0; p < net.populations.size(); ++p) {
    if (!table(p) || !table(p)->environment) continue;
    for (std::uint32_t m = 0; m < table(p)->metric_count; ++m) {
      c.of[p].push_back(environments > 1 ? fmt::format("{}.{}", net.populations[p].name, table(p)->metrics[m]) : table(p)->metrics[m]);
      c.all.push_back(c.of[p].back());
    }
    if (c.curve >= 0 || c.of[p].empty() || (net.until && net.until->population != p)) continue;
    // What the run waits for, or what learning tasks call their learning curve.
    const std::span<const char* const> metrics(table(p)->metrics, table(p)->metric_count);
    const auto find = [&](std::string_view name) { return std::find(metrics.begin(), metrics.end(), name) - metrics.begin(); };
    c.curve = static_cast<std::int64_t>(p);
    const auto filtered = find("reward_filtered"), epoch = find("epoch");
    const auto count = static_cast<std::ptrdiff_t>(metrics.size());
    c.y = net.until ? net.until->metric : static_cast<std::uint32_t>(filtered < count ? filtered : 0);
    c.x = epoch < count && epoch != c.y ? epoch : -1;
    c.y_name = c.of[p][c.y];
    c.x_name = c.x >= 0 ? c.of[p][static_cast<std::size_t>(c.x)] : "model time [s]";
  }
  if (net.until)
    c.until = fmt::format("{} {} {:.10g}", c.of[net.until->population][net.until->metric], net.until->at_least ? ">=" : "<=", net.until->threshold);
  return c;
}

/// Keeps the last metrics and the curve of a run.
class Meter final : public Recorder {
 public:
  Meter(const Network& net, const Columns& c) : net_(net), c_(c), last_(net.populations.size()) {}
  void spikes(std::span<const Spike>) override {}
  void frames(std::uint32_t, std::span<const float>) override {}
  void edges(std::uint32_t, std::span<const Edge>) override {}
  void commit(Tick) override {}
  void metrics(std::uint32_t p, Tick tick, std::span<const double> values) override {
    last_[p].assign(values.begin(), values.end());
    if (static_cast<std::int64_t>(p) == c_.curve)
      curve_.add(c_.x >= 0 ? values[static_cast<std::size_t>(c_.x)] : static_cast<double>(tick) * net_.seconds_per_tick, values[c_.y]);
  }
  void put_into(Row& row) {
    for (std::size_t p = 0; p < last_.size(); ++p)
      for (std::size_t m = 0; m < last_[p].size(); ++m) row.metrics.emplace_back(c_.of[p][m], last_[p][m]);
    curve_.finish();
    row.x = std::move(curve_.x);
    row.y = std::move(curve_.y);
  }

 private:
  const Network& net_;
  const Columns& c_;
  std::vector<std::vector<double>> last_;
  Curve curve_;
};

/// A meter for each replica of a network.
class Meters final : public Recorder {
 public:
  Meters(const Network& one, const Columns& c, std::size_t replicas) : all_(replicas, Meter(one, c)) {}
  void spikes(std::span<const Spike>) override {}
  void frames(std::uint32_t, std::span<const float>) override {}
  void edges(std::uint32_t, std::span<const Edge>) override {}
  void commit(Tick) override {}
  void metrics(std::uint32_t p, Tick tick, std::span<const double> values) override {
    const auto n = static_cast<std::uint32_t>(all_.size());
    all_[p % n].metrics(p / n, tick, values);
  }
  void put_into(Row& row, std::size_t replica) { all_[replica].put_into(row); }

 private:
  std::vector<Meter> all_;
};

/// The network of a combination, without what only a log needs.
struct Prepared {
  Network net;
  Columns columns;
};

Prepared prepare(const SweepOptions& o, const LoadOptions& base, const Catalogue& catalogue, const Plan& plan, std::uint64_t combination) {
  LoadOptions options = base;
  options.varied = plan.overrides(combination);
  Prepared p{load(o.network.file, catalogue, options), {}};
  p.net.spikes.clear();
  p.net.reports.clear();
  p.net.weights.clear();
  p.net.weight_events.clear();
  p.net.edge_recordings.clear();
  p.columns = columns(p.net);
  return p;
}

/// Runs with the seeds of these trials, side by side; empty when they have been stopped by a signal.  A failure of any is
/// thrown.
std::vector<Row> run_together(Prepared& p, std::span<const std::uint64_t> runs, const std::vector<std::uint32_t>& seeds, const std::function<void()>& now_and_then) {
  const auto begin = Clock::now();
  const Network net = replicate(p.net, seeds);
  const std::size_t n = runs.size(), populations = p.net.populations.size();
  SerialTransport alone;
  Simulation simulation(net, alone, {.pulse = &pulse, .stop = &stop_wanted});
  Meters meters(p.net, p.columns, n);
  RunHooks hooks;
  hooks.stop = &stop_wanted;
  if (now_and_then) hooks.progress = [&](const Progress&) { now_and_then(); };
  const Statistics s = simulation.run(&meters, hooks);
  if (s.stopped) return {};
  std::vector<Row> rows(n);
  for (std::size_t r = 0; r < n; ++r) {
    Row& row = rows[r];
    row.run = runs[r];
    meters.put_into(row, r);
    row.until_met = s.replicas[r].until_met != never;
    row.reached = static_cast<double>(s.replicas[r].reached) * p.net.seconds_per_tick;
    for (std::size_t i = 0; i < populations; ++i) {
      const auto& population = p.net.populations[i];
      const auto spikes = static_cast<double>(s.spikes_of_population[i * n + r]);
      if (!population.neuron()) continue;
      row.spikes += spikes;
      row.rates.emplace_back(population.name, spikes / row.reached / population.size);
    }
    row.seconds = seconds_since(begin) / static_cast<double>(n);
  }
  return rows;
}

/// The same run by run, if it must be: a run that fails becomes a row that says why.
std::vector<Row> run_some(Prepared& p, std::span<const std::uint64_t> runs, const std::vector<std::uint32_t>& seeds, const std::function<void()>& now_and_then) {
  const auto begin = Clock::now();
  std::string message;
  try {
    return run_together(p, runs, seeds, now_and_then);
  } catch (const Stopped&) {
    return {};
  } catch (const std::bad_alloc&) {
    message = "out of memory";
  } catch (const std::exception& e) {
    message = e.what();
  }
  std::vector<Row> rows;
  if (runs.size() == 1) {
    Row& row = rows.emplace_back();
    row.run = runs[0];
    row.failed = true;
    row.message = message;
    row.seconds = seconds_since(begin);
  }
  for (std::size_t r = 0; runs.size() > 1 && r < runs.size(); ++r) {
    const auto one = run_some(p, runs.subspan(r, 1), {seeds[r]}, now_and_then);
    if (one.empty()) break;
    rows.push_back(one[0]);
  }
  return rows;
}

/// How many runs of a network go side by side.  What is saved is the work per window, block and call of a model; what is lost
/// is that each has the first-level cache to itself.  (Measured with the XOR task, 170 neurons and synapses: 8 to 12 are best.)
std::uint64_t pays_off(const Network& net) {
  double size = net.gid_count();
  for (const auto& p : net.projections) size += expected_synapses(net, p);
  constexpr double all = 1536, most = 16;
  return static_cast<std::uint64_t>(std::clamp(all / size, 1.0, most));
}

// --- the sweep ---------------------------------------------------------------------------------------------------

/// The sweep as asked for, with every combination read and checked.
struct AskedFor {
  Sweep sweep;
  std::vector<std::uint64_t> together;  ///< by combination: runs that go side by side
  Manifest contents;                    ///< of the data files of all combinations
};
AskedFor asked_for(const SweepOptions& o, const Catalogue& catalogue, int ranks_here) {
  if (o.output.empty()) throw UserError("spinet sweep: -o OUT.h5 is missing: where the results go, and what the same command goes on with");
  check_output(o.output, true, {{o.network.file, "the network that is read"}});  // an older one is gone on with
  if (o.vary.empty() && o.trials == 1) throw UserError("spinet sweep: nothing to sweep over; give --vary PATH=VALUES or --trials N");
  auto base = load_options(o.network);
  DataFiles files;
  base.data_file = collect_into(files);
  AskedFor all;
  Sweep& s = all.sweep;
  s.version = SPINET_VERSION;
  for (const auto& [path, value] : base.overrides) s.set.push_back(path + "=" + value);
  s.vary = o.vary;
  s.trials = o.trials;
  const Plan plan = s.plan();
  check_axes(plan.axes);
  for (const auto& a : plan.axes)
    for (const auto& p : a.paths)
      for (const auto& [path, value] : base.overrides)
        if (path == p) throw UserError(fmt::format("--vary {}: {} is varied and given with {}", a.name(), in_quotes(p), p == "duration" ? "--duration" : "--set"));
  if (plan.runs() > 100'000'000) throw UserError(fmt::format("spinet sweep: {} runs; at most 100,000,000", grouped(plan.runs())));
  for (std::uint64_t c = 0; c < plan.combinations(); ++c) {
    Prepared p;
    try {
      p = prepare(o, base, catalogue, plan, c);
    } catch (const InvalidNetwork& e) {
      throw UserError(plan.axes.empty() ? e.rendered : fmt::format("{}spinet sweep: so it is with {}; nothing has been run", e.rendered, plan.text(c)));
    }
    if (const auto fault = missing_synapse(p.net); !fault.empty()) throw UserError(fmt::format("{}: {}", o.network.file, fault));
    const std::uint64_t most = std::max<std::uint64_t>(1, std::numeric_limits<Gid>::max() / std::max<Gid>(1, p.net.gid_count()));
    all.together.push_back(std::min(o.together ? o.together : pays_off(p.net), most));
    check_memory_of_each(p.net, ranks_here, static_cast<double>(all.together.back()));
    if (c == 0) {
      s.seed = p.net.seed;
      s.network_text = p.net.source_text;
      s.network_name = p.net.name;
      s.until = p.columns.until;
      s.x_name = p.columns.x_name;
      s.y_name = p.columns.y_name;
    }
    const auto add = [](std::vector<std::string>& to, const std::vector<std::string>& from) {
      for (const auto& x : from)
        if (std::find(to.begin(), to.end(), x) == to.end()) to.push_back(x);
    };
    add(s.metrics, p.columns.all);
    add(s.populations, p.columns.populations);
  }
  std::vector<Input> inputs;
  for (const auto& [name, path] : files) inputs.push_back({path, "a data file of the network"});
  check_output(o.output, true, inputs);
  all.contents = manifest_of(files);
  s.files = lines_of(all.contents);
  return all;
}

/// Takes over the rows that OUT.h5 has already.
void go_on(Sweep& s, const SweepOptions& o) {
  if (o.force || !std::filesystem::exists(o.output)) return;
  Sweep there = read_sweep(o.output);
  if (const auto d = difference(there, s); !d.empty())
    throw UserError(fmt::format("{}: holds another sweep: {}; give another name with -o, or --force to replace it", o.output, d));
  s.rows = std::move(there.rows);
}

/// What the ranks of a sweep must have in common.
Manifest manifest_of(const AskedFor& asked) {
  const Sweep& s = asked.sweep;
  Manifest m = asked.contents;
  m["version of spinet"] = s.version;
  m["text of the network"] = hex(sha256(std::as_bytes(std::span(s.network_text)))) + "  " + s.network_name;
  m["seed"] = std::to_string(s.seed);
  std::string values = fmt::format("{} trials", s.trials);
  for (const auto* list : {&s.set, &s.vary})
    for (const auto& x : *list) values += " " + x;
  m["set of values given with options"] = values;
  return m;
}

/// Cuts the runs that are to be made into groups that go side by side: where each begins.
std::vector<std::uint64_t> groups_of(const std::vector<std::uint64_t>& todo, const AskedFor& asked, const SweepOptions& o, int ranks) {
  // All ranks have something to do until near the end.
  const auto parts = static_cast<std::uint64_t>(ranks == 1 ? 1 : 4 * ranks);
  const std::uint64_t most = o.together ? o.together : (todo.size() + parts - 1) / parts;
  std::vector<std::uint64_t> begins;
  for (std::uint64_t i = 0; i < todo.size(); ++i) {
    const auto combination = [&](std::uint64_t k) { return todo[k] / o.trials; };
    if (begins.empty() || combination(i) != combination(begins.back()) || i - begins.back() >= std::min(most, asked.together[combination(i)])) begins.push_back(i);
  }
  return begins;
}

/// The line that says how far a sweep is.
class SweepProgress {
 public:
  SweepProgress(Show show, std::uint64_t runs, std::uint64_t before) : show_(show), runs_(runs), before_(before) {}
  ~SweepProgress() {
    if (show_ == Show::line && width_) fmt::print(stderr, "\r{:{}}\r", "", width_);
  }
  void operator()(std::uint64_t done, std::uint64_t failed) {
    const auto now = Clock::now();
    const auto tenths = 10 * done / std::max<std::uint64_t>(1, runs_);
    if (show_ == Show::nothing || done == before_) return;
    if (show_ == Show::line && now - shown_ < std::chrono::milliseconds(200)) return;
    if (show_ == Show::lines && (tenths <= tenths_ || now - shown_ < std::chrono::seconds(1)) && now - shown_ < std::chrono::seconds(30)) return;
    shown_ = now;
    tenths_ = tenths;
    const double seconds = seconds_since(begin_), rate = static_cast<double>(done - before_) / std::max(seconds, 1e-9);
    std::string line = fmt::format("{:3.0f} %  {} of {} runs", 100.0 * static_cast<double>(done) / static_cast<double>(runs_), grouped(done), grouped(runs_));
    if (failed) line += fmt::format("  {} failed", grouped(failed));
    if (done < runs_ && rate > 0) line += fmt::format("  {} to go  {:.3g} runs/s", time_text(std::max(0.1, static_cast<double>(runs_ - done) / rate)), rate);
    if (show_ == Show::line) fmt::print(stderr, "\r{:<{}}", line, width_);
    else fmt::print(stderr, "{}\n", line);
    std::fflush(stderr);
    width_ = line.size();
  }

 private:
  Show show_;
  std::uint64_t runs_, before_, tenths_ = 0;
  Clock::time_point begin_ = Clock::now(), shown_ = begin_;
  std::size_t width_ = 0;
};

/// Rank 0's book: takes in what ranks have written, and writes OUT.h5 often enough.
class Book {
 public:
  Book(Sweep& sweep, const std::filesystem::path& path, Show show)
      : sweep_(sweep), path_(path), reader_(path, identity(sweep)), line_(show, sweep.runs(), sweep.rows.size()) {
    for (const auto& [i, r] : sweep.rows) failed_ += r.failed;
  }
  void now_and_then() {
    if (Clock::now() - read_ < std::chrono::milliseconds(200)) return;
    read();
    line_(sweep_.rows.size(), failed_);
    // Writing all of it takes longer as it grows: at most a fiftieth of the time goes into it.
    if (seconds_since(written_) > std::max(10.0, 50 * write_seconds_) && sweep_.rows.size() > rows_written_) write();
  }
  void read() {
    for (auto& r : reader_.read()) {
      const bool failed = r.failed;
      if (sweep_.rows.emplace(r.run, std::move(r)).second) failed_ += failed;
    }
    read_ = Clock::now();
  }
  void write() {
    const auto begin = Clock::now();
    rows_written_ = sweep_.rows.size();
    write_sweep(path_, sweep_);
    written_ = Clock::now();
    write_seconds_ = seconds_since(begin);
  }
  std::uint64_t failed() const { return failed_; }

 private:
  Sweep& sweep_;
  std::filesystem::path path_;
  JournalReader reader_;
  SweepProgress line_;
  std::uint64_t failed_ = 0;
  Clock::time_point read_ = Clock::now(), written_ = read_;
  double write_seconds_ = 0;
  std::size_t rows_written_ = 0;
};

int sweep_on(Transport& t, const SweepOptions& o) {
  const bool first = t.rank() == 0;
  const auto begin = Clock::now();
  const std::filesystem::path path = o.output;
  const Show show = what_suits(o.quiet);
  Catalogue catalogue;
  LoadOptions base;
  Sweep sweep;
  AskedFor asked;
  std::vector<std::uint64_t> todo, groups;  // rank 0 tells
  std::shared_ptr<OutputLock> lock;         // rank 0 has it
  const int ranks = static_cast<int>(ranks_here(t).size());
  collectively(t, [&] {
    catalogue = read_catalogue(o.network.plugin_path);
    base = load_options(o.network);
    asked = asked_for(o, catalogue, ranks);
  });
  require_same(t, manifest_of(asked));
  collectively(t, [&] {
    if (!first) return;
    lock = lock_output(path);
    sweep = std::move(asked.sweep);
    go_on(sweep, o);
    refuse_foreign(path);
    // Ranks of a killed sweep may be at work still.
    if (in_use(path)) throw UserError(fmt::format("{}: another `spinet sweep` is writing it", path.string()));
    // What a killed sweep has left is folded in first, so that the journals can begin anew.
    const auto before = sweep.rows.size();
    if (!o.force)
      for (auto& r : JournalReader(path, identity(sweep)).read()) sweep.rows.emplace(r.run, std::move(r));
    if (!std::filesystem::exists(path) || o.force || sweep.rows.size() != before) write_sweep(path, sweep);
    clear_up(path);
    const auto runs = sweep.runs();
    for (std::uint64_t i = 0; i < runs; ++i)
      if (!sweep.rows.count(i)) todo.push_back(i);
    groups = groups_of(todo, asked, o, t.size());
    if (!todo.empty()) Dealer::reset(path);
    if (show == Show::nothing) return;
    fmt::print(stderr, "{}: {} combination{} x {} trial{} on {} rank{}", sweep.network_name, grouped(sweep.plan().combinations()), sweep.plan().combinations() == 1 ? "" : "s",
               grouped(o.trials), o.trials == 1 ? "" : "s", t.size(), t.size() == 1 ? "" : "s");
    if (!sweep.rows.empty()) fmt::print(stderr, "; {} of {} runs are there already", grouped(sweep.rows.size()), grouped(runs));
    fmt::print(stderr, "\n");
    std::fflush(stderr);
  });
  const auto tell = [&](std::vector<std::uint64_t>& numbers) {
    Gathered all;
    t.all_gather(first ? std::as_bytes(std::span(numbers)) : std::span<const std::byte>{}, all);
    numbers.resize(all.of(0).size() / sizeof numbers[0]);
    if (!numbers.empty()) std::memcpy(numbers.data(), all.of(0).data(), all.of(0).size());
  };
  std::vector<std::uint64_t> told;
  if (first) told = {identity(sweep), sweep.seed};
  for (auto* numbers : {&told, &todo, &groups}) tell(*numbers);
  const std::uint64_t identity = told[0];
  const auto seed = static_cast<std::uint32_t>(told[1]);

  Plan plan;
  plan.trials = o.trials;
  for (const auto& v : o.vary) plan.axes.push_back(parse_axis(v));
  std::optional<Book> book;
  if (first) book.emplace(sweep, path, show);
  if (!todo.empty()) {
    std::optional<RunJournal> journal;
    std::optional<Dealer> dealer;
    bool dealt = true;
    collectively(t, [&] {
      journal.emplace(path, t.rank(), identity);
      dealer.emplace(path);
    });
    const std::uint8_t works = dealer->works();
    Gathered all;
    t.all_gather(std::as_bytes(std::span(&works, 1)), all);
    for (int r = 0; r < t.size(); ++r) dealt = dealt && static_cast<bool>(all.of(r)[0]);
    collectively(t, [&] {
      const std::function<void()> now_and_then = first ? std::function<void()>([&] { book->now_and_then(); }) : std::function<void()>();
      std::optional<Prepared> prepared;
      std::uint64_t combination = 0, own = 0;
      while (!stop_wanted) {
        const std::uint64_t i = dealt ? dealer->next() : static_cast<std::uint64_t>(t.rank()) + own++ * static_cast<std::uint64_t>(t.size());
        if (i >= groups.size()) break;
        const std::span runs(todo.begin() + static_cast<std::ptrdiff_t>(groups[i]), i + 1 < groups.size() ? todo.begin() + static_cast<std::ptrdiff_t>(groups[i + 1]) : todo.end());
        if (!prepared || combination != runs[0] / plan.trials) {
          combination = runs[0] / plan.trials;
          prepared = prepare(o, base, catalogue, plan, combination);
        }
        std::vector<std::uint32_t> seeds;
        for (const auto run : runs) seeds.push_back(seed_of(seed, run % plan.trials));
        const auto rows = run_some(*prepared, runs, seeds, now_and_then);
        for (const Row& row : rows) journal->append(row);
        if (rows.empty()) break;
        if (now_and_then) now_and_then();
      }
    });
  }
  int code = fine;
  collectively(t, [&] {
    if (!first) return;
    book->read();
    if (!todo.empty()) {
      book->write();
      clear_up(path);
    }
    const auto failed = book->failed();
    book.reset();
    const auto runs = sweep.runs(), done = static_cast<std::uint64_t>(sweep.rows.size());
    if (done < runs) {
      code = run_failed;
      fmt::print(stderr, "spinet: {} {} of {} runs; {} holds them, and the same command goes on\n", *stop_signal() ? fmt::format("stopped by {} after", stop_signal()) : "there are only",
                 grouped(done), grouped(runs), path.string());
      return;
    }
    if (failed) {
      const auto at = std::find_if(sweep.rows.begin(), sweep.rows.end(), [](const auto& r) { return r.second.failed; });
      fmt::print(stderr, "spinet: {} of {} runs failed, the first with {}, seed {}: {}\n", grouped(failed), grouped(runs), plan.text(at->first / plan.trials),
                 seed_of(sweep.seed, at->first % plan.trials), at->second.message);
      if (failed == runs) code = run_failed;
    }
    if (o.quiet) return;
    const double seconds = seconds_since(begin);
    if (!todo.empty())
      fmt::print("{} runs in {} on {} rank{}: {:.3g} runs/s\n", grouped(todo.size()), time_text(seconds), t.size(), t.size() == 1 ? "" : "s",
                 static_cast<double>(todo.size()) / std::max(seconds, 1e-9));
    fmt::print("{}  {}\n\nNext: spinet sweep --report {}\n", path.string(), todo.empty() ? "is finished; nothing was left to run" : "is complete", path.string());
    std::fflush(stdout);
  });
  return code;
}

int sweep(const SweepOptions& o) {
  const auto check = [&] {
    if (!o.output.empty()) refuse_in_use(o.output);
    auto asked = asked_for(o, read_catalogue(o.network.plugin_path), std::max(1, o.ranks));
    go_on(asked.sweep, o);
  };
  return on_ranks(o.ranks, check, [&](Transport& t) { return sweep_on(t, o); });
}

}  // namespace

void add_sweep(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("sweep", "Run a network for every combination of values, many times; report on the results");
  auto o = std::make_shared<SweepOptions>();
  add_network_options(*sub, o->network);
  auto* file = sub->get_option("FILE")->required(false);
  auto* vary = sub->add_option("--vary", o->vary, "Values to go through: parameters.rate=0.40:1.25:0.05 (the end included) or \"parameters.rule=[linear, power]\"; "
                                                  "several paths that share a value are joined by commas (may be repeated)")
                   ->type_name("PATH=VALUES")->allow_extra_args(false);
  auto* trials = sub->add_option("--trials", o->trials, "Runs of each combination; trial k has the seed of the network + k")->type_name("N")->check(CLI::Range(1, 10'000'000));
  sub->add_option("-o,--output", o->output, "The results; with --report, the figure to write (OUT.svg)")->type_name("OUT.h5");
  sub->add_option("--together", o->together, "Runs of one combination that are simulated side by side (default: of small networks up to 16, which is faster; "
                                             "changes no result)")
      ->type_name("N")->check(CLI::Range(1, 4096));
  sub->add_option("-n,--ranks", o->ranks, "Ranks that share the runs; each run is on one")->type_name("N")->check(CLI::Range(1, 1'000'000));
  sub->add_flag("--quiet", o->quiet, "Print nothing but errors");
  sub->add_flag("--force", o->force, "Begin anew where OUT.h5 exists");
  auto* report = sub->add_option("--report", o->report.file, "Statistics and figures of a sweep's results")->type_name("OUT.h5");
  sub->add_option("--metric", o->report.metric, "What to report on: epoch, reward, rate.NAME, ... (epoch, or the first there is)")->type_name("NAME")->needs(report);
  auto* group = sub->add_option("--group", o->report.group, "Welch's t-test between the runs with this value ...")->type_name("PATH=VALUE")->allow_extra_args(false)->needs(report);
  auto* against = sub->add_option("--against", o->report.against, "... and those with this one (both may be repeated)")->type_name("PATH=VALUE")->allow_extra_args(false)->needs(report);
  group->needs(against);
  against->needs(group);
  report->excludes(file)->excludes(vary)->excludes(trials);
  sub->footer("The same command goes on with a sweep that was stopped or killed. A run that fails is recorded and stops no other.\n"
              "Exit codes: 0 fine, 2 the input is wrong, 3 the sweep was stopped, or all runs failed.");
  sub->callback([o, &action] {
    action = [o] {
      if (!o->report.file.empty()) {
        o->report.figure = o->output;
        return report_on(o->report);
      }
      if (o->network.file.empty()) throw UserError("spinet sweep: FILE is missing: the network, a YAML file (or --report OUT.h5)");
      return sweep(*o);
    };
  });
}

}  // namespace spinet::tool
