// A neuron model under watch: between a block and its model, every call is handed on, and what the model does
// in it is looked at.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "spinet/neuron.hpp"

namespace spinet {

/// How calls are cut on their way, which must change nothing.
struct Cut {
  bool slices = false;  ///< arrivals in up to three calls
  bool trains = false;  ///< trains in pieces of one to three arrivals
  bool reads = false;   ///< every variable of every neuron is read before every call
};

class WatchedModel {
 public:
  /// `keys`: of the neurons' random numbers, by index in the block, in place of the block's own; none: those.
  WatchedModel(const NeuronTable& model, const Cut& cut, std::vector<RandomKey> keys);
  WatchedModel(const WatchedModel&) = delete;
  /// For the block.  Its functions may be called while an `AtWork` lives.
  const NeuronTable& table() const { return table_; }
  /// The first thing that the model has done that it may not, or "".  Where it is in a call that asks, the
  /// neuron then fails.
  const std::string& breach() const { return breach_; }
  /// What has changed the floating-point mode, or "".
  const std::string& mode_trouble() const { return mode_trouble_; }

  /// The model that calls of this thread concern.
  class AtWork {
   public:
    explicit AtWork(WatchedModel& m) : before_(present) { present = &m; }
    ~AtWork() { present = before_; }
    AtWork(const AtWork&) = delete;

   private:
    WatchedModel* before_;
  };

 private:
  void hand_on_setup();
  void hand_on_events();
  void hand_on_slabs();
  template <class F>
  void call(const char* what, NeuronBlock* b, Tick now, std::uint32_t room, F&& f);
  template <class F>
  void call_for(const char* what, NeuronBlock* b, Tick now, std::uint32_t n, F&& f);
  void look_at(const char* what, const Outbox& asked, Tick now);
  void read_all(const NeuronBlock* b, Tick now);
  void receive(NeuronBlock* b, const Arrivals* a);
  std::uint32_t receive_train(NeuronBlock* b, const Train* train);
  std::uint32_t receive_piece(NeuronBlock* b, const Train& train, std::uint32_t n);
  void breach(const std::string& what) {
    if (breach_.empty()) breach_ = what;
  }

  static thread_local WatchedModel* present;
  NeuronTable model_, table_;
  Cut cut_;
  std::vector<RandomKey> keys_;
  std::vector<std::byte> requests_;
  std::vector<std::uint32_t> piece_;  ///< keys of a train
  std::uint32_t pieces_ = 0;          ///< so far
  std::string breach_, mode_trouble_;
};

}  // namespace spinet
