// Superposed input that neurons take a slab of time at a time, in no order (spinet/neuron.hpp, `SlabEvents`).
//
// A slab is drawn when it begins, before anything else happens at its first tick.  In it each neuron is in
// one of two states:
//
//   virtual  all its events of the slab are in its state, and it is certain not to cross because of them
//   exact    its state holds what has arrived; what is to come stands, in order, in the train that this is
//
//             a slab begins, and its events cannot make it cross
//       exact -------------------------------------------------> virtual
//         ^                                                         |
//         +---------------------------------------------------------+
//           it is tested (an arrival may make it cross), wakes from a refractory period or is set: later
//           events leave its state; or no slab follows the present one
//
// A neuron that its events might make cross is exact from the slab's begin on; one that the model cannot have
// as virtual always is.  Which state it is in depends on the neuron and what it gets alone, so no partition
// changes a bit.  Where a slab has no events here at all the two are the same.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/block/faults.hpp"
#include "core/block/requests.hpp"
#include "core/buffer.hpp"
#include "core/input/train.hpp"

namespace spinet {

/// All of a block comes with one delay through one port, at most one source a neuron.
class UnorderedInput : public SortedTrain {
 public:
  UnorderedInput(Tick delay, std::uint32_t port, Tick slab) : SortedTrain(port), delay_(delay), slab_(slab) {}
  /// Adds a unit; `targets[i]` is the block index of the target of its neuron i, or 0xFFFF.  Weights are >=
  /// 0.
  void add(Source source, std::vector<std::uint16_t> targets, const std::vector<double>& weights);
  /// After the last `add`; all must outlive it.  `block.exact` is its own from here on.
  void connect(NeuronBlock& block, const NeuronTable& table, Requests& requests, const Faults& faults);

  /// Where a slab begins or ends next, `never` if none does; `take_turn` is for this tick.
  Tick turn() const { return turn_; }
  void take_turn(Tick now);
  /// Neuron j's events at `from` and later come in order.
  void make_exact(std::uint32_t j, Tick from);
  double read(Tick tick, std::uint32_t j, std::uint32_t variable);
  /// Number of events before tick `at` of the present slab, and of those before it.
  std::uint64_t arrivals(Tick at) const;
  void restore_virtual(std::uint32_t j) { exact_[j] = 0; }
  void resume(Tick at);

 private:
  struct Unit {
    Source source;
    std::vector<std::uint16_t> targets;  ///< by member of the unit, 0xFFFF where it has none here
    std::vector<SlabEvents::Stretch> stretches;
    std::uint32_t size = 0;                      ///< members with a target
    std::array<std::uint8_t, source_unit> here;  ///< by member: 1 if it has one
    std::vector<std::uint16_t> exact;            ///< those of them whose targets are exact
    std::span<const std::uint32_t> keys = {};    ///< of the present slab
    std::vector<std::uint8_t> members;           ///< of each key, once one has been asked for
    void draw(Tick from, Tick length);
    void pick(std::uint32_t member, std::vector<std::uint32_t>& to);
  };
  /// Of a neuron: its unit and its number there.
  struct Place {
    std::uint32_t unit : 24, member : 8;
  };
  static constexpr std::uint32_t nowhere = 0xFFFFFF;

  Tick next_begin();
  void begin(Tick now);
  void become_virtual(Tick now);
  void take(Unit& unit, Tick now);
  void end(Tick now);
  void mark_exact(std::uint32_t j);
  void look(std::uint32_t j, Tick now);
  void put_in_order(Unit& unit, Tick from);
  void sort_train();
  std::uint64_t count(const Unit& unit, Tick from) const;
  std::span<const std::uint32_t> later(const Place& place, Tick from);

  NeuronBlock* block_ = nullptr;
  const NeuronTable* table_ = nullptr;
  Requests* requests_ = nullptr;
  const Faults* faults_ = nullptr;
  std::vector<Unit> units_;
  std::vector<Place> place_of_;  ///< by neuron of the block
  Buffer<std::uint8_t> exact_;   ///< by neuron of the block
  std::vector<std::uint32_t> picked_, scratch_;
  std::vector<std::byte> kept_;
  std::uint64_t drawn_so_far_ = 0;
  Tick delay_, slab_, from_ = 0, turn_ = never;
};

}  // namespace spinet
