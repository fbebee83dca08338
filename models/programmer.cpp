// programmer: an environment that writes devices by write and verify.  It reads a device, compares, and sends
// it a pulse, again and again until the reading lies within a tolerance or a number of pulses is used up;
// then it goes on with the next.
//
// Devices.  Those of the first projection that the population `drives`, between lines that it can reach.
// With as many members as the projection has pairs of source and target they are a matrix: member k is about
// the device from source k / columns to target k % columns.  With as many members as sources and as targets
// they are a diagonal (one_to_one): member k is about the device from source k to target k.
//
// Reads.  Member i emits an event, which goes where the network takes it: straight through the devices of
// row i, if the projection leads from the programmer to itself.  What has arrived at member j by `deadline`
// is the reading of column j: a row is read as a whole, with the noise and the price of such events.
//
// Rounds.  Up to 15 devices of one row (of a diagonal: 15 rows) are programmed side by side.  In a round
// the rows are read that have devices which are not finished; a device whose reading is below `wanted` by
// more than `tolerance` gets a pulse `up`, one above it a pulse `down`, `latency` after the deadline.  The
// k-th pulse of a device has `step` k V more than the first, away from 0.  A device is finished when its
// reading is within the tolerance, or when it has had `most` pulses and is read once more.
//
// Statistics.  When devices are finished a control event `programmed` goes out with what has been so far:
//     value = (devices finished, share of them within the tolerance, mean number of pulses, root of the mean
//     square of reading - wanted)
#include <cmath>

#include "spinet/device.hpp"
#include "spinet/neuron.hpp"
#include "spinet/write_verify.hpp"

namespace {
using namespace spinet;

constexpr Field programmed_values[] = {
    stimulus_value("devices", "1", "devices finished", at_least(0)),
    stimulus_value("reached", "1", "share of them whose reading is within the tolerance", between(0, 1)),
    stimulus_value("pulses", "1", "mean number of their pulses", at_least(0)),
    stimulus_value("error", "1", "root of the mean square of reading - wanted, in the unit of the reading",
                   at_least(0)),
};
constexpr Stimulus programmed =
    stimulus("programmed", "note that devices have been programmed",
             "statistics of devices that have been programmed", programmed_values, scored);

struct Programmer {
  static constexpr const char* name = "programmer";
  static constexpr const char* doc =
      "Environment: reads devices and pulses them until they are within a tolerance (write and verify).";
  static constexpr std::uint32_t environment = 1;
  static constexpr Stimulus posts[] = {device::pulse, programmed};
  enum { a_pulse, a_programmed };
  static constexpr const char* metrics[] = {"devices", "reached", "pulses", "error"};
  static constexpr Port ports[] = {{"reading", "1", "what devices transmit, column j to member j", 0, 1}};
  static constexpr std::uint32_t side_by_side = limit::postings - 1;  ///< one posting is the statistics'
  static constexpr double most_pulses = 1e9;

  struct Params {
    double wanted, tolerance, up_amplitude, up_width, down_amplitude, down_width, step, most, start, period,
        deadline, latency;
  };
  struct Rule : WriteVerify {  ///< what all devices share
    Tick start, period, deadline, latency;
  };
  struct Constants {
    double wanted;
    Rule rule;  ///< of member 0
  };
  struct State {
    double heard;                  ///< what has arrived at this column in the present round
    double reading, pulses;        ///< of this member's device: the last reading, pulses so far
    std::uint64_t finished;        ///< 1: this member's device is
    std::uint64_t next;            ///< of member 0: the first device of the present round
    double reached, all, squares;  ///< of member 0: sums over finished devices
    std::uint64_t devices;         ///< of member 0: how many those are
  };

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::wanted, "wanted", "1", 0, any(), plain, "reading wanted of this member's device")
        .add(&Params::tolerance, "tolerance", "1", 0.01, at_least(0), shared,
             "distance from it that a reading may have")
        .add(&Params::up_amplitude, "up_amplitude", "V", 2.5, any(), shared,
             "of a pulse on a device that reads too little")
        .add(&Params::up_width, "up_width", "ms", 5, above(0), shared, "its duration")
        .add(&Params::down_amplitude, "down_amplitude", "V", -2.35, any(), shared,
             "of a pulse on a device that reads too much")
        .add(&Params::down_width, "down_width", "ms", 5, above(0), shared, "its duration")
        .add(&Params::step, "step", "V", 0, at_least(0), shared,
             "what each further pulse on a device has more than the one before, away from 0")
        .add(&Params::most, "most", "1", 100, between(0, most_pulses), shared | integer,
             "pulses after which a device is given up")
        .add(&Params::start, "start", "ms", 0, at_least(0), shared | in_ticks, "first read")
        .add(&Params::period, "period", "ms", 20, above(0), shared | in_ticks, "from one read to the next")
        .add(&Params::deadline, "deadline", "ms", 5, above(0), shared | in_ticks,
             "from a read to its comparison; the reading must have arrived by then")
        .add(&Params::latency, "latency", "ms", 1, above(0), shared | in_ticks,
             "from there to the pulse; not below the shortest delay");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::reading, "reading", "1", 0, any(), recorded, "last reading of this member's device")
        .add(&State::pulses, "pulses", "1", 0, at_least(0), recorded, "pulses on this member's device so far")
        .computed("finished", "1", 0, between(0, 1), recorded, "1: this member's device is");
    return t;
  }
  static const char* check(const Params& p) {
    const double width = p.up_width > p.down_width ? p.up_width : p.down_width;
    if (!(p.deadline + p.latency + width <= p.period))
      return "period must not be shorter than deadline, latency and the longer of up_width and down_width "
             "together: a device would be read during a pulse";
    return nullptr;
  }
  static Tick ticks(double ms, const RunInfo& r) {
    return static_cast<Tick>(std::llround(ms * r.ticks_per_ms));
  }
  static void timing(const Params& p, const RunInfo& r, Tick& deadline, Tick& latency) {
    deadline = ticks(p.deadline, r);
    latency = ticks(p.latency, r);
  }

  using N = Neurons<Programmer>;
  /// Where this member's device lies.
  struct Place {
    std::uint32_t row, column;
  };
  static bool diagonal(N n) { return n.size() == n.b.driven[0].sources && n.size() == n.b.driven[0].targets; }
  static Place place(N n, std::uint64_t k) {
    const auto j = static_cast<std::uint32_t>(k);
    if (diagonal(n)) return {j, j};
    const std::uint32_t columns = n.b.driven[0].targets;
    return {j / columns, j % columns};
  }
  /// The device behind the last of those that are programmed beside `first`.
  static std::uint64_t end(N n, std::uint64_t first) {
    std::uint64_t last = first + side_by_side;
    if (!diagonal(n)) {
      const std::uint64_t columns = n.b.driven[0].targets, row_end = (first / columns + 1) * columns;
      if (row_end < last) last = row_end;
    }
    return last < n.size() ? last : n.size();
  }

  static void init(N n, std::uint32_t j, const Params& p, const double*) {
    const RunInfo& r = n.b.run;
    n.state(j) = {};
    n.constants(j) = {p.wanted,
                      {{p.tolerance, p.up_amplitude, p.up_width * 1e-3, p.down_amplitude, p.down_width * 1e-3,
                        p.step, p.most},
                       ticks(p.start, r),
                       ticks(p.period, r),
                       ticks(p.deadline, r),
                       ticks(p.latency, r)}};
    if (j != 0) return;
    if (const char* const reason = misfit(n)) return n.out().fail(0, 0, reason);
    n.out().wake_at(n.constants(0).rule.start, 0);
  }
  /// What is wrong with the devices, or null.
  static const char* misfit(N n) {
    if (n.b.driven_count == 0) return "it drives no projection: 'drives' names the one with the devices";
    const auto [sources, targets] = n.b.driven[0];
    if (diagonal(n) || std::uint64_t{sources} * targets == n.size()) return nullptr;
    return "the devices do not fit its members: there must be one for each pair of a source and a target of "
           "the projection that it drives, or one for each of as many sources as targets";
  }

  /// Begins a round: reads the rows of the devices at hand.
  static void wake(N n, Tick tick, std::span<const std::uint32_t>) {
    State& s = n.state(0);
    const std::uint64_t last = end(n, s.next);
    std::uint64_t emitted = n.size();  // a row that has been; none
    for (std::uint64_t k = s.next; k < last; ++k) {
      if (n.state(static_cast<std::uint32_t>(k)).finished) continue;  // alone in its row: read no more
      const auto [row, column] = place(n, k);
      n.state(column).heard = 0;
      if (row != emitted) n.out().emit(tick, row);
      emitted = row;
    }
    n.out().evaluate_at(tick + n.constants(0).rule.deadline, 0);
  }
  static void arrive(N n, Tick, std::uint32_t, std::uint32_t j, double w) { n.state(j).heard += w; }
  /// Compares the readings and sends pulses.
  static void evaluate(N n, Tick tick, std::span<const std::uint32_t>) {
    State& s = n.state(0);
    const Rule& rule = n.constants(0).rule;
    const std::uint64_t last = end(n, s.next), before = s.devices;
    bool open = false;
    for (std::uint64_t k = s.next; k < last; ++k) {
      State& own = n.state(static_cast<std::uint32_t>(k));
      if (own.finished) continue;
      compare(n, static_cast<std::uint32_t>(k), tick + rule.latency);
      open = open || !own.finished;
    }
    if (s.devices != before) {
      const auto count = static_cast<double>(s.devices);
      n.out().post(
          tick + rule.latency,
          {a_programmed, 0, {count, s.reached / count, s.all / count, math::sqrt(s.squares / count)}});
    }
    if (!open) s.next = last;
    if (s.next < n.size()) n.out().wake_at(tick + rule.period - rule.deadline, 0);
  }
  static void compare(N n, std::uint32_t k, Tick pulse_at) {
    State &own = n.state(k), &sums = n.state(0);
    const Rule& rule = n.constants(0).rule;
    const auto [row, column] = place(n, k);
    own.reading = n.state(column).heard;
    const double wanted = n.constants(k).wanted, off = own.reading - wanted;
    const WriteVerify::Decision next = rule(own.reading, wanted, own.pulses);
    if (next.finished) {
      own.finished = 1;
      ++sums.devices;
      sums.reached += next.reached;
      sums.all += own.pulses;
      sums.squares += off * off;
      return;
    }
    n.out().post(pulse_at, {a_pulse, 0, {next.amplitude, next.width}},
                 {PostedTo::Kind::pair, 0, row, column});
    own.pulses += 1;
  }
  static double read(N n, Tick, std::uint32_t j, std::uint32_t variable) {
    const State& s = n.state(j);
    const double all[] = {s.reading, s.pulses, s.finished ? 1.0 : 0.0};
    return all[variable];  // in the order of variables()
  }
};
}  // namespace

SPINET_MODEL(spinet::neuron_table<Programmer>())
