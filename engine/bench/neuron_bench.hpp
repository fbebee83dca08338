// The neurons of one model on a bench: a block of the engine (core/block) with its phases, arrivals, frames
// and fences around its memory, its model under watch, and events that are given by hand in place of a
// network.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/neuron_params.hpp"
#include "bench/watched_model.hpp"
#include "core/actions.hpp"
#include "core/block/block.hpp"
#include "core/partition.hpp"
#include "spinet/neuron.hpp"
#include "spinet/source.hpp"

namespace spinet {

/// A spike or graded event that a neuron has emitted.
struct Emitted {
  Tick tick;
  std::uint32_t neuron;
  double payload;
  bool operator==(const Emitted&) const = default;
};

/// Who lies on a bench, and how.
struct BenchSetting {
  double ticks_per_ms = 1e6;
  NeuronParams::Changes initial{};  ///< of the variables' presets
  Gid first = 0;                    ///< gid of the first neuron
  std::vector<RandomKey> keys{};    ///< of the neurons' random numbers; empty: those of a network
  /// The block holds `part.count` neurons from number `part.first` on; of none: all.
  GidRange part{0, 0};
  Cut cut{};
  /// Superposed input at port 0: arrivals of one weight, sorted by (tick, neuron), the ticks less `delay`.
  struct Input {
    std::vector<ListedSpike> events{};
    Tick delay = 1;
    double weight = 0;
  } input{};
};

class NeuronBench {
 public:
  /// One neuron per entry of `params`.
  NeuronBench(const NeuronTable& table, const std::vector<NeuronParams>& params,
              const BenchSetting& setting = {});
  NeuronBench(const NeuronTable& table, const std::vector<NeuronParams>& params, double ticks_per_ms,
              const NeuronParams::Changes& initial = {})
      : NeuronBench(table, params, BenchSetting{ticks_per_ms, initial}) {}
  ~NeuronBench();
  NeuronBench(const NeuronBench&) = delete;

  // What concerns neurons that are not in the block passes them by.
  /// An event of weight `weight`, as it reaches the model, arrives at neuron j, at a tick above 0 that has
  /// not been run.
  void arrival(Tick tick, std::uint32_t port, std::uint32_t j, double weight, double payload = 1);
  /// The schedule changes a parameter of neuron j.
  void change(Tick tick, std::uint32_t j, std::string_view parameter, double value) {
    change(tick, j, index_of(model().params, parameter), value);
  }
  void change(Tick tick, std::uint32_t j, std::uint32_t parameter, double value);
  /// Some neurons, in ascending order, get a stimulus: `c.stimulus` is the number among those that the model
  /// answers.
  void control(Tick tick, const Control& c, const std::vector<std::uint32_t>& js);
  /// A variable of neuron j is read at the begin of `tick`, after the changes of that tick that have been
  /// given before, and appended to `samples`, which must outlive the run.
  void sample(Tick tick, std::uint32_t j, std::string_view variable, std::vector<double>& samples) {
    sample(tick, j, index_of(model().variables, variable), samples);
  }
  void sample(Tick tick, std::uint32_t j, std::uint32_t variable, std::vector<double>& samples);
  /// Everything before tick `end` happens; nothing more once a neuron cannot go on.
  void run(Tick end);

  /// All emissions so far, by tick.
  const std::vector<Emitted>& emitted() const { return emitted_; }
  /// Ticks of neuron j's emissions.
  std::vector<Tick> spikes(std::uint32_t j = 0) const;
  bool asleep() const { return block_ && block_->asleep(); }
  Tick frame_length() const { return group_.frame_length; }  ///< 0: none
  /// Why a neuron cannot go on or what of the contract its model has broken, or nothing.
  const std::string& failure() const { return failure_; }
  /// What has changed the floating-point mode, or "".
  const std::string& mode_trouble() const { return watched_.mode_trouble(); }

  /// The neurons between two ticks, as a checkpoint has them; emissions are none of it.
  struct State {
    Tick at;
    std::vector<std::byte> neurons;
    std::vector<Block::Asked> asked;
  };
  /// After `run` up to a tick that is a multiple of a millisecond.
  State save();
  /// On a bench that has not run, to which all events have been given: goes on at the tick of the state.
  void restore(const State& s);

 private:
  const Model& model() const { return *net_.populations[self_].model; }
  const Population& population() const { return net_.populations[self_]; }
  bool has(std::uint32_t j) const { return j - part_.first < part_.count; }
  SuperposedInput superposed(const BenchSetting::Input& input);
  template <class F>
  void guarded(F&& f);
  bool walk(Tick end);
  void take(const Emissions& some);

  std::uint32_t self_;  ///< the population
  Network net_;
  GidRange part_;
  KernelGroup group_;
  WatchedModel watched_;
  Heart heart_{nullptr};
  Partition partition_;
  Locator locator_;
  std::vector<std::unique_ptr<Wiring>> wirings_;
  std::unique_ptr<Block> block_;
  Tick window_, done_ = 0;
  Tick input_until_;                        ///< the last superposed arrival; -1: there are none
  std::multimap<Tick, Emission> arrivals_;  ///< that have not been posted, by their ticks
  std::multimap<Tick, Action> actions_;
  std::deque<ScheduledControl> changes_;
  Emissions out_;
  std::vector<Emitted> emitted_;
  std::vector<Tick> last_;  ///< emission of each neuron
  std::string failure_;
};

}  // namespace spinet
