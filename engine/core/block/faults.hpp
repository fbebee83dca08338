// What a block does where a model has broken the contract: find who it was, and end the run.  The looking
// itself is part of the calls; what is here runs once.
#pragma once
#include <cmath>
#include <cstdint>
#include <span>
#include <string>

#include "core/arithmetic.hpp"
#include "core/block/synapses.hpp"
#include "network/checked.hpp"

namespace spinet {

/// All functions throw ModelFailure (population, neuron, tick, reason) where nothing else is said.
class Faults {
 public:
  /// All must outlive it; `synapses` are told once they are there.
  Faults(const Network& network, const NeuronTable& table, std::span<const Gid> gids)
      : network_(network), table_(table), gids_(gids) {}
  void of(const BlockSynapses& synapses) { synapses_ = &synapses; }

  [[noreturn]] void neuron(std::uint32_t j, Tick now, const std::string& reason) const;
  /// Of a call for several neurons.
  [[noreturn]] void model(Tick now, const std::string& reason) const;
  /// Of a request that may not be made at `now`; nothing may be emitted before `from`.
  [[noreturn]] void request(const Request& r, Tick now, Tick from) const;
  [[noreturn]] void postings(std::uint32_t n, Tick now) const;
  /// Of a control event that an environment may not post, if it is one.
  void posting(const Posting& p, Tick now) const;
  void posting_to(const PostedTo& to, Tick now) const;
  [[noreturn]] void synapse(std::uint32_t slice, std::uint32_t i, Tick now, const std::string& reason) const;
  /// One of the weights that a slice has handed out is not finite, or has a sign that its port does not take.
  [[noreturn]] void weights(std::uint32_t slice, std::span<const double> handed_out, Tick now) const;
  /// Throws std::runtime_error: the floating-point mode is no longer `mode` after [from, to); it is made that
  /// again.
  [[noreturn]] void mode(const FloatingPointMode& mode, Tick from, Tick to) const;

  /// `read`, what a neuron's variable has been read as, if it is finite.
  double number(double read, std::uint32_t j, std::uint32_t variable, Tick now) const {
    if (!std::isfinite(read)) [[unlikely]]
      not_finite(read, j, variable, now);
    return read;
  }
  /// The same of a synapse: number `i` of a slice.
  struct SynapseVariable {
    std::uint32_t slice, i, variable;
  };
  double number(double read, const SynapseVariable& of, Tick now) const {
    if (!std::isfinite(read)) [[unlikely]]
      not_finite(read, of, now);
    return read;
  }
  /// The same as what a log's frames hold of it, which is an error where it is too large for that.
  template <class Whose>
  float sampled(double read, const Whose& whose, Tick now) const {
    const auto x = static_cast<float>(read);
    if (!std::isfinite(x)) [[unlikely]]
      not_finite(read, whose, now);
    return x;
  }
  struct NeuronVariable {
    std::uint32_t j, variable;
  };

 private:
  [[noreturn]] void not_finite(double read, const NeuronVariable& of, Tick now) const {
    not_finite(read, of.j, of.variable, now);
  }
  [[noreturn]] void not_finite(double read, std::uint32_t j, std::uint32_t variable, Tick now) const;
  [[noreturn]] void not_finite(double read, const SynapseVariable& of, Tick now) const;
  std::string ms(Tick t) const;
  const Network& network_;
  const NeuronTable& table_;
  std::span<const Gid> gids_;
  const BlockSynapses* synapses_ = nullptr;
};

}  // namespace spinet
