// Parameters of one neuron on a bench.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "spinet/neuron.hpp"

namespace spinet {

/// The field of this name; throws std::runtime_error if there is none.
std::uint32_t index_of(const Fields& fields, std::string_view name);

/// The presets, changed by name or number.
class NeuronParams {
 public:
  using Changes = std::vector<std::pair<std::string_view, double>>;
  explicit NeuronParams(const NeuronTable& table, const Changes& changes = {});
  void set(std::string_view name, double value) { set(index_of(table_->model.params, name), value); }
  void set(std::uint32_t field, double value);
  const std::vector<double>& values() const { return values_; }  ///< one per field
  /// The model's struct.
  const void* data() const { return bytes_.data(); }

 private:
  const NeuronTable* table_;
  std::vector<double> values_;
  std::vector<std::byte> bytes_;
};

}  // namespace spinet
