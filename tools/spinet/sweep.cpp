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
#include "core/failure.hpp"
#include "inputs.hpp"
#include "network/digest.hpp"
#include "network/suggest.hpp"
#include "outputs.hpp"
#include "progress.hpp"
#include "ranks.hpp"
#include "signals.hpp"
#include "sweep/asked.hpp"
#include "sweep/axis.hpp"
#include "sweep/book.hpp"
#include "sweep/report.hpp"
#include "sweep/results.hpp"
#include "sweep/runs.hpp"
#include "sweep/store.hpp"
#include "text.hpp"

namespace spinet::tool {
namespace {

/// Takes over the rows that OUT.h5 has already.
void go_on(Sweep& s, const SweepOptions& o) {
  if (o.force || !std::filesystem::exists(o.output)) return;
  Sweep there = read_sweep(o.output);
  if (const auto d = difference(there, s); !d.empty())
    throw UserError(fmt::format(
        "{}: holds another sweep: {}; give another name with -o, or --force to replace it", o.output, d));
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
std::vector<std::uint64_t> groups_of(const std::vector<std::uint64_t>& todo, const AskedFor& asked,
                                     const SweepOptions& o, int ranks) {
  // All ranks have something to do until near the end.
  const auto parts = static_cast<std::uint64_t>(ranks == 1 ? 1 : 4 * ranks);
  const std::uint64_t most = o.together ? o.together : (todo.size() + parts - 1) / parts;
  std::vector<std::uint64_t> begins;
  for (std::uint64_t i = 0; i < todo.size(); ++i) {
    const auto combination = [&](std::uint64_t k) { return todo[k] / o.trials; };
    if (begins.empty() || combination(i) != combination(begins.back()) ||
        i - begins.back() >= std::min(most, asked.together[combination(i)]))
      begins.push_back(i);
  }
  return begins;
}

/// A sweep on this rank.  Rank 0 has the book and tells the others what there is to do; a run is on one rank.
class SweepRun {
 public:
  SweepRun(Transport& t, const SweepOptions& o)
      : t_(t), o_(o), first_(t.rank() == 0), path_(o.output), show_(o.quiet ? Show::nothing : what_suits()) {}
  int go() {
    const int here = static_cast<int>(ranks_here(t_).size());  // asks all ranks
    collectively(t_, [&] {
      catalogue_ = read_catalogue(o_.network.plugin_path);
      base_ = load_options(o_.network);
      asked_ = asked_for(o_, catalogue_, here);
    });
    require_same(t_, manifest_of(asked_));
    collectively(t_, [&] {
      if (first_) begin();
    });
    tell_all();
    plan_.trials = o_.trials;
    for (const auto& v : o_.vary) plan_.axes.push_back(parse_axis(v));
    if (first_) book_.emplace(sweep_, path_, show_);
    if (!todo_.empty()) work();
    collectively(t_, [&] {
      if (first_) end();
    });
    return code_;
  }

 private:
  void begin();
  void announce(std::uint64_t runs) const;
  void tell(std::vector<std::uint64_t>& numbers);
  void tell_all();
  void work();
  bool all_deal(const Dealer& dealer);
  void end();
  void summarise() const;
  const char* ranks_word() const { return t_.size() == 1 ? "" : "s"; }

  Transport& t_;
  const SweepOptions& o_;
  const bool first_;
  const std::filesystem::path path_;
  const Show show_;
  const Clock::time_point begin_ = Clock::now();
  Catalogue catalogue_;
  LoadOptions base_;
  Sweep sweep_;  ///< on rank 0
  AskedFor asked_;
  std::vector<std::uint64_t> todo_, groups_;  ///< runs; where in `todo_` each group of them begins
  std::shared_ptr<OutputLock> lock_;          ///< on rank 0
  std::uint64_t identity_ = 0;
  std::uint32_t seed_ = 0;
  Plan plan_;
  std::optional<Book> book_;  ///< on rank 0
  int code_ = fine;
};

/// What is to be done, and what has been done before; rank 0 alone.
void SweepRun::begin() {
  lock_ = lock_output(path_);
  sweep_ = std::move(asked_.sweep);
  go_on(sweep_, o_);
  refuse_foreign(path_);
  // Ranks of a killed sweep may be at work still.
  if (in_use(path_)) throw UserError(fmt::format("{}: another `spinet sweep` is writing it", path_.string()));
  // What a killed sweep has left is folded in first, so that the journals can begin anew.
  const auto before = sweep_.rows.size();
  if (!o_.force)
    for (auto& r : JournalReader(path_, identity(sweep_)).read()) sweep_.rows.emplace(r.run, std::move(r));
  if (!std::filesystem::exists(path_) || o_.force || sweep_.rows.size() != before) write_sweep(path_, sweep_);
  clear_up(path_);
  const auto runs = sweep_.runs();
  for (std::uint64_t i = 0; i < runs; ++i)
    if (!sweep_.rows.count(i)) todo_.push_back(i);
  groups_ = groups_of(todo_, asked_, o_, t_.size());
  if (!todo_.empty()) Dealer::reset(path_);
  if (show_ != Show::nothing) announce(runs);
}

void SweepRun::announce(std::uint64_t runs) const {
  const auto combinations = sweep_.plan().combinations();
  fmt::print(stderr, "{}: {} combination{} x {} trial{} on {} rank{}", sweep_.network_name,
             grouped(combinations), combinations == 1 ? "" : "s", grouped(o_.trials),
             o_.trials == 1 ? "" : "s", t_.size(), ranks_word());
  if (!sweep_.rows.empty())
    fmt::print(stderr, "; {} of {} runs are there already", grouped(sweep_.rows.size()), grouped(runs));
  fmt::print(stderr, "\n");
  std::fflush(stderr);
}

/// All ranks get rank 0's numbers.
void SweepRun::tell(std::vector<std::uint64_t>& numbers) {
  Gathered all;
  t_.all_gather(first_ ? std::as_bytes(std::span(numbers)) : std::span<const std::byte>{}, all);
  numbers.resize(all.of(0).size() / sizeof numbers[0]);
  if (!numbers.empty()) std::memcpy(numbers.data(), all.of(0).data(), all.of(0).size());
}

void SweepRun::tell_all() {
  std::vector<std::uint64_t> told;
  if (first_) told = {identity(sweep_), sweep_.seed};
  for (auto* numbers : {&told, &todo_, &groups_}) tell(*numbers);
  identity_ = told[0];
  seed_ = static_cast<std::uint32_t>(told[1]);
}

/// Can all ranks ask the dealer for the next group?
bool SweepRun::all_deal(const Dealer& dealer) {
  const std::uint8_t works = dealer.works();
  Gathered all;
  t_.all_gather(std::as_bytes(std::span(&works, 1)), all);
  bool dealt = true;
  for (int r = 0; r < t_.size(); ++r) dealt = dealt && static_cast<bool>(all.of(r)[0]);
  return dealt;
}

/// Runs group after group until none is left: the dealer's next, or else every so many-th.
void SweepRun::work() {
  std::optional<RunJournal> journal;
  std::optional<Dealer> dealer;
  collectively(t_, [&] {
    journal.emplace(path_, t_.rank(), identity_);
    dealer.emplace(path_);
  });
  const bool dealt = all_deal(*dealer);
  collectively(t_, [&] {
    std::function<void()> now_and_then;
    if (first_) now_and_then = [&] { book_->now_and_then(); };
    std::optional<Prepared> prepared;
    std::uint64_t combination = 0;
    for (auto own = static_cast<std::uint64_t>(t_.rank()); !stop_wanted;
         own += static_cast<std::uint64_t>(t_.size())) {
      const std::uint64_t i = dealt ? dealer->next() : own;
      if (i >= groups_.size()) break;
      const std::uint64_t begin = groups_[i], end = i + 1 < groups_.size() ? groups_[i + 1] : todo_.size();
      const std::span runs(todo_.data() + begin, end - begin);
      if (!prepared || combination != runs[0] / plan_.trials) {
        combination = runs[0] / plan_.trials;
        prepared = prepare(o_.network.file, base_, catalogue_, plan_, combination);
      }
      std::vector<std::uint32_t> seeds;
      for (const auto run : runs) seeds.push_back(seed_of(seed_, run % plan_.trials));
      const auto rows = run_some(*prepared, runs, seeds, now_and_then);
      for (const Row& row : rows) journal->append(row);
      if (rows.empty()) break;
      if (now_and_then) now_and_then();
    }
  });
}

/// The results are written, and said; rank 0 alone.
void SweepRun::end() {
  book_->read();
  if (!todo_.empty()) {
    book_->write();
    clear_up(path_);
  }
  const auto failed = book_->failed();
  book_.reset();
  const auto runs = sweep_.runs(), done = static_cast<std::uint64_t>(sweep_.rows.size());
  if (done < runs) {
    code_ = run_failed;
    const auto why =
        *stop_signal() ? fmt::format("stopped by {} after", stop_signal()) : std::string("there are only");
    fmt::print(stderr, "spinet: {} {} of {} runs; {} holds them, and the same command goes on\n", why,
               grouped(done), grouped(runs), path_.string());
    return;
  }
  if (failed) {
    const auto at =
        std::find_if(sweep_.rows.begin(), sweep_.rows.end(), [](const auto& r) { return r.second.failed; });
    fmt::print(stderr, "spinet: {} of {} runs failed, the first with {}, seed {}: {}\n", grouped(failed),
               grouped(runs), plan_.text(at->first / plan_.trials),
               seed_of(sweep_.seed, at->first % plan_.trials), at->second.message);
    if (failed == runs) code_ = run_failed;
  }
  if (!o_.quiet) summarise();
}

void SweepRun::summarise() const {
  const double seconds = seconds_since(begin_);
  if (!todo_.empty())
    fmt::print("{} runs in {} on {} rank{}: {:.3g} runs/s\n", grouped(todo_.size()), time_text(seconds),
               t_.size(), ranks_word(), static_cast<double>(todo_.size()) / std::max(seconds, 1e-9));
  fmt::print("{}  {}\n\nNext: spinet sweep --report {}\n", path_.string(),
             todo_.empty() ? "is finished; nothing was left to run" : "is complete",
             in_shell(path_.string()));
  std::fflush(stdout);
}

int sweep(const SweepOptions& o) {
  const auto check = [&] {
    if (!o.output.empty()) refuse_in_use(o.output);
    auto asked = asked_for(o, read_catalogue(o.network.plugin_path), std::max(1, o.ranks));
    go_on(asked.sweep, o);
  };
  return on_ranks(o.ranks, check, [&](Transport& t) { return SweepRun(t, o).go(); });
}

}  // namespace

void add_sweep(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand(
      "sweep", "Run a network for every combination of values, many times; report on the results");
  auto o = std::make_shared<SweepOptions>();
  add_network_options(*sub, o->network);
  auto* file = sub->get_option("FILE")->required(false);
  auto* vary = sub->add_option("--vary", o->vary,
                               "Values to go through: parameters.rate=0.40:1.25:0.05 (the end included) or "
                               "\"parameters.rule=[linear, power]\"; "
                               "several paths that share a value are joined by commas (may be repeated)")
                   ->type_name("PATH=VALUES")
                   ->allow_extra_args(false);
  auto* trials = sub->add_option("--trials", o->trials,
                                 "Runs of each combination; trial k has the seed of the network + k")
                     ->type_name("N")
                     ->check(CLI::Range(1, 10'000'000));
  sub->add_option("-o,--output", o->output, "The results; with --report, the figure to write (OUT.svg)")
      ->type_name("OUT.h5");
  sub->add_option("--together", o->together,
                  "Runs of one combination that are simulated side by side (default: of small networks up to "
                  "16, which is faster; "
                  "changes no result)")
      ->type_name("N")
      ->check(CLI::Range(1, 4096));
  sub->add_option("-n,--ranks", o->ranks, "Ranks that share the runs; each run is on one")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  sub->add_flag("--quiet", o->quiet, "Print nothing but errors");
  sub->add_flag("--force", o->force, "Begin anew where OUT.h5 exists");
  auto* report = sub->add_option("--report", o->report.file, "Statistics and figures of a sweep's results")
                     ->type_name("OUT.h5");
  sub->add_option("--metric", o->report.metric,
                  "What to report on: epoch, reward, rate.NAME, ... (epoch, or the first there is)")
      ->type_name("NAME")
      ->needs(report);
  auto* group =
      sub->add_option("--group", o->report.group, "Welch's t-test between the runs with this value ...")
          ->type_name("PATH=VALUE")
          ->allow_extra_args(false)
          ->needs(report);
  auto* against =
      sub->add_option("--against", o->report.against, "... and those with this one (both may be repeated)")
          ->type_name("PATH=VALUE")
          ->allow_extra_args(false)
          ->needs(report);
  group->needs(against);
  against->needs(group);
  report->excludes(file)->excludes(vary)->excludes(trials);
  sub->footer(
      "The same command goes on with a sweep that was stopped or killed. A run that fails is recorded and "
      "stops no other.\n"
      "Exit codes: 0 fine, 2 the input is wrong, 3 the sweep was stopped, or all runs failed.");
  sub->callback([o, &action] {
    action = [o] {
      if (!o->report.file.empty()) {
        o->report.figure = o->output;
        return report_on(o->report);
      }
      if (o->network.file.empty())
        throw UserError("spinet sweep: FILE is missing: the network, a YAML file (or --report OUT.h5)");
      return sweep(*o);
    };
  });
}

}  // namespace spinet::tool
