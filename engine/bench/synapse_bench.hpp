// Synapses of one model on a bench: a slice as the engine builds it (core/block) from a network of one
// projection, its memory between fences.  Events, stimuli, settings and the spikes of its targets are given
// by hand.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/fences.hpp"
#include "network/extended.hpp"
#include "spinet/synapse.hpp"

namespace spinet {

/// Which synapses lie on a bench, and whose.
struct SynapseSetting {
  std::vector<double> params{};        ///< one per field; none: the presets
  std::vector<std::uint32_t> drawn{};  ///< parameters in which synapses differ, by number
  /// The synapses [first, first + count) of one source; number i ends at its target number i * stride.
  std::uint32_t first = 0, count = 1, stride = 1;
  /// What synapse number i begins with: a value per variable of `table`, of which those that networks
  /// initialise count.  None: the presets.
  std::function<std::vector<double>(const SynapseTable& table, std::uint32_t i)> begin{};
  /// What random numbers depend on.
  std::uint32_t seed = 42;
  Gid source = 17, first_target = 1000;
  Tick delay = 1'500'000;
  double ticks_per_ms = 1e6;
  /// A variable of target j that the model reads, by number in `reads`; null: all are 0.
  double (*target_variable)(Tick tick, std::uint32_t j, std::uint32_t variable) noexcept = nullptr;
};

/// Copies go on by themselves.
class SynapseBench {
 public:
  static constexpr std::uint32_t everyone = 0xFFFFFFFFu;
  /// Throws std::runtime_error where the engine would refuse the projection.
  explicit SynapseBench(const SynapseTable& table, SynapseSetting setting = {});
  /// What a restart finds: the saved states, `Shared` prepared anew, by the model as another process loads
  /// it.
  SynapseBench(const SynapseBench& saved, const SynapseTable& table);

  /// The slice as an event at `tick` meets it.
  Slice at(Tick tick, double payload = 1);
  /// An event; appends the weights that the synapses transmit.
  void deliver(Tick tick, double payload, std::vector<double>& weights);
  /// The same at several slices, in one call.
  static void deliver_together(std::vector<SynapseBench>& parts, Tick tick, double payload,
                               std::vector<double>& weights);
  /// A stimulus at synapse number `to`, which may lie elsewhere, or at all: `c.stimulus` is the number among
  /// those that the model answers.
  void control(Tick tick, const Control& c, std::uint32_t to = everyone);
  /// The schedule changes parameters.  What the model's `check` refuses changes nothing.
  void set(Tick tick, const std::vector<double>& params);
  /// Variable `variable` of the i-th synapse here.
  double read(std::uint32_t i, Tick tick, std::uint32_t variable);
  void catch_up(Tick tick);
  /// Target number j fires, later than before.  All may be told at once, if the model looks no further than
  /// `seen()`.
  void spike(std::uint32_t j, Tick tick);
  /// All take in what they see at `tick`; what they have seen is forgotten but for each target's last spike.
  void forget(Tick tick);
  /// Shows what the model reads of its targets as arrays, as the engine does in small blocks.
  void show_values() { shows_values_ = true; }

  /// The model's, or larger, where the parameters ask for more than the `State`.
  const SynapseTable& table() const { return *table_; }
  std::uint32_t first() const { return setting_.first; }
  std::uint32_t count() const { return setting_.count; }
  const std::vector<double>& parameters() const { return setting_.params; }  ///< at present, one per field
  /// The weight that the network has given the i-th synapse here, if nothing has changed it yet.
  double given(std::uint32_t i) const;
  /// What has changed the floating-point mode, or "".
  const std::string& mode_trouble() const { return mode_trouble_; }
  /// Has nothing been written outside what is the model's?
  bool intact() const { return intact_ && state_.intact() && slice_state_.intact() && shared_.intact(); }
  bool same_states(const SynapseBench& o) const {
    return state_.same_bytes(o.state_) && slice_state_.same_bytes(o.slice_state_);
  }
  bool same_shared(const SynapseBench& o) const { return shared_.same_bytes(o.shared_); }

 private:
  struct Built;
  class Past;
  class InitAtWork;
  std::shared_ptr<Built> build();
  void prepare(Fenced& shared, const Fenced& params);
  void put_params(Fenced& to, const std::vector<double>& values) const;
  void append(Fenced& made, std::vector<double>& weights);
  Past& own_past();

  bool intact_ = true, shows_values_ = false;
  std::string mode_trouble_;
  SynapseSetting setting_;
  std::shared_ptr<const ExtendedTable> extended_;
  const SynapseTable* table_;
  std::shared_ptr<Built> built_;
  std::shared_ptr<Past> past_;  ///< of the targets; null: the model does not look back
  Fenced params_, shared_, state_, slice_state_;
};

}  // namespace spinet
