#include "bench/neuron_params.hpp"

#include <stdexcept>
#include <string>

namespace spinet {

std::uint32_t index_of(const Fields& fields, std::string_view name) {
  for (std::uint32_t i = 0; i < fields.count; ++i)
    if (name == fields.data[i].name) return i;
  throw std::runtime_error("no parameter or variable " + std::string(name));
}

NeuronParams::NeuronParams(const NeuronTable& table, const Changes& changes)
    : table_(&table), values_(table.model.params.count), bytes_(table.params_size) {
  const Fields& f = table.model.params;
  for (std::uint32_t i = 0; i < f.count; ++i) set(i, f.data[i].preset);
  for (const auto& [name, value] : changes) set(name, value);
}

void NeuronParams::set(std::uint32_t field, double value) {
  values_[field] = value;
  put(bytes_.data(), table_->model.params.data[field], value);
}

}  // namespace spinet
