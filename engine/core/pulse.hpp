// Signs of life.  A run hears that it is to stop between two windows; within a window that takes long it
// looks now and then, and where a function of a model does not return, only a signal handler can tell: it
// looks at the pulse.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>

namespace spinet {

/// What a rank is doing.  Written by the simulation alone, read by whoever watches; lock-free, so a signal
/// handler may.
struct Pulse {
  std::atomic<std::uint64_t> beats{0};  ///< grows while models are at work
  std::atomic<const char*> model{
      nullptr};  ///< whose neurons or sources are at work; null: none, whatever else goes on
  std::atomic<const char*> population{nullptr};  ///< the first of theirs
  std::atomic<const char*> synapse{nullptr};     ///< the synapse model that has been called, or null
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free &&
                std::atomic<const char*>::is_always_lock_free);
};

/// Thrown out of a window that goes on for long after the run was asked to stop.
struct Abandoned {};

/// A simulation's own side of it.
class Heart {
 public:
  explicit Heart(Pulse* pulse) : pulse_(pulse ? *pulse : own_) {}
  Heart(const Heart&) = delete;
  void stop_at(const std::atomic<bool>* stop) { stop_ = stop, asked_ = false; }
  /// Models of this name are at work from now on, for this population.
  void enter(const char* model, const char* population) {
    set(pulse_.population, population);
    set(pulse_.model, model);
    beat();
  }
  void leave() { set(pulse_.model, static_cast<const char*>(nullptr)); }
  /// The synapse model that is called next, or null when it has returned.
  void synapse(const char* model) { set(pulse_.synapse, model); }
  /// Something has got done.  Throws Abandoned.
  void beat() {
    pulse_.beats.store(++beats_, std::memory_order_relaxed);
    if (stop_ && stop_->load(std::memory_order_relaxed)) [[unlikely]]
      asked_to_stop();
  }

 private:
  static constexpr std::chrono::milliseconds patience{500};
  template <class T>
  static void set(std::atomic<T>& to, T value) {
    to.store(value, std::memory_order_relaxed);
  }
  void asked_to_stop() {
    const auto now = std::chrono::steady_clock::now();
    if (!asked_) asked_ = true, since_ = now;
    else if (now - since_ > patience) throw Abandoned{};
  }
  Pulse own_;
  Pulse& pulse_;
  std::uint64_t beats_ = 0;
  const std::atomic<bool>* stop_ = nullptr;
  bool asked_ = false;
  std::chrono::steady_clock::time_point since_{};
};

}  // namespace spinet
