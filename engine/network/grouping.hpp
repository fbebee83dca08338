// Decided once, for construction and for estimates: what is drawn in superposition, which neurons may share
// blocks, and which synapses a store.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "network/checked.hpp"

namespace spinet {

/// True if the projection is drawn in superposition and stores no synapses (one to one from a superposable
/// source).
bool is_superposed(const Network& n, const Projection& p);

/// What simulates the neurons of a population.  Those with one table and one key make a kernel group.
struct Kernel {
  const NeuronTable* table;
  std::vector<double> key;        ///< values of the shared parameters
  std::vector<std::byte> params;  ///< nominal, for what is prepared once
  const char* fault = nullptr;    ///< why they cannot be simulated
};
Kernel kernel_of(const Network& n, std::uint32_t population);

/// What the neuron states of a block take on this machine, usually: 3/4 of its second-level cache.
std::uint64_t usual_block_bytes();

/// How many neurons of a model a block has at most, where their states may take `l2_bytes`.
std::uint64_t most_in_block(const Network& n, const NeuronTable& table, std::uint64_t l2_bytes);

/// Do all synapses of a projection have one weight, whatever the schedule does?  Then none is stored.
bool has_uniform_weight(const Network& n, std::uint32_t projection);

/// Two projections share a store if their synapses are plain weights and differ in nothing but where they
/// come from, now and whatever the schedule does.
bool share_store(const Network& n, std::uint32_t p, std::uint32_t q);

}  // namespace spinet
