// Neuron models that come with Spinet, on the engine's bench.
#pragma once
#include <stdexcept>
#include <string>
#include <string_view>

#include "bench/neuron_bench.hpp"
#include "network/catalogue.hpp"

namespace spinet::test {

/// The built-in neuron model of this name.
inline const NeuronTable& neuron(std::string_view name) {
  static const Catalogue catalogue = [] {
    Catalogue c;
    add_builtin(c);
    return c;
  }();
  const Model* model = catalogue.find(Kind::neuron, name);
  if (model == nullptr) throw std::runtime_error("no neuron model " + std::string(name));
  return *reinterpret_cast<const NeuronTable*>(model);
}

}  // namespace spinet::test
