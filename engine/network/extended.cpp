#include "network/extended.hpp"

#include <algorithm>

#include "spinet/device.hpp"

namespace spinet {
namespace {

constexpr std::uint32_t round_up(std::uint32_t n, std::uint32_t to) { return (n + to - 1) / to * to; }

}  // namespace

ExtendedTable::ExtendedTable(const SynapseTable& model, std::span<const double> params,
                             std::span<const std::uint32_t> drawn)
    : table_(model) {
  if (!model.extensible) return;
  std::vector<std::byte> bytes(model.params_size);
  for (std::uint32_t f = 0; f < model.model.params.count; ++f)
    put(bytes.data(), model.model.params.data[f], params[f]);
  extras_.devices = model.devices ? std::max(1u, model.devices(bytes.data())) : 1;
  extras_.record = static_cast<std::uint32_t>(drawn.size() * sizeof(float));
  place_parts(model.parts ? model.parts(bytes.data()) : 0);
  if (!extends()) return;
  if (model.draws_extended) table_.draws = 1;
  const bool wide = extras_.record % sizeof(double) == 0;
  extras_.begin = wide ? round_up(model.state_size, sizeof(double)) : model.state_size;
  extras_.stride = extras_.begin + extras_.devices * extras_.record;
  if (model.state_size % sizeof(double) == 0) extras_.stride = round_up(extras_.stride, sizeof(double));
  name_drawn(params, drawn);
  for (const auto f : drawn) drawn_.push_back(model.model.params.data[f].offset);
  extras_.drawn = drawn_.data();
  extras_.drawn_count = static_cast<std::uint32_t>(drawn_.size());
  extras_.parts = parts_.data();
  extras_.part_count = model.part_count;
  extras_.variables = {variables_.data(), static_cast<std::uint32_t>(variables_.size()), sizeof(Field)};
  table_.state_size = extras_.stride;
  table_.model.variables = extras_.variables;
  table_.extras = &extras_;
}

/// Parts begin where a double may lie.
void ExtendedTable::place_parts(std::uint32_t wanted) {
  for (std::uint32_t k = 0; k < table_.part_count; ++k) {
    parts_.push_back(no_place);
    if (!(wanted >> k & 1)) continue;
    parts_.back() = round_up(extras_.record, sizeof(double));
    extras_.record = parts_.back() + round_up(table_.part_sizes[k], sizeof(double));
  }
}

/// The drawn parameters as variables: of further devices with their number, as `V_th2`.
void ExtendedTable::name_drawn(std::span<const double> params, std::span<const std::uint32_t> drawn) {
  const Model& model = table_.model;
  variables_.assign(model.variables.data, model.variables.data + model.variables.count);
  for (std::uint32_t d = 0; d < extras_.devices; ++d)
    for (std::uint32_t k = 0; k < drawn.size(); ++k) {
      Field f = model.params.data[drawn[k]];
      if (d > 0) f.name = names_.emplace_back(f.name + std::to_string(d + 1)).c_str();
      f.flags = (f.flags & ~(derived | scheduled)) | initial;
      f.preset = params[drawn[k]];
      f.type = Type::f32;
      f.offset = extras_.begin + d * extras_.record + k * static_cast<std::uint32_t>(sizeof(float));
      variables_.push_back(f);
    }
}

std::shared_ptr<const ExtendedTable> extended(const SynapseTable& model, std::span<const double> params,
                                              std::span<const std::uint32_t> drawn) {
  if (!model.extensible) return nullptr;
  auto made = std::make_shared<ExtendedTable>(model, params, drawn);
  return made->extends() ? made : nullptr;
}

double middle_of(double typical) { return typical == 0 ? device::some_have_more : typical; }

bool is_drawn_parameter(const SynapseTable& t, const Field& f) {
  return t.extras &&
         &f >= t.model.variables.data + t.model.variables.count - t.extras->devices * t.extras->drawn_count;
}

std::uint32_t draw_number(const SynapseTable& t, std::uint32_t variable) {
  constexpr std::uint32_t of_parameters = 0x10000, of_device = 0x1000;
  const Fields& all = t.model.variables;
  const std::uint32_t drawn = t.extras ? t.extras->devices * t.extras->drawn_count : 0,
                      own = all.count - drawn;
  if (variable < own) {
    std::uint32_t n = 0;
    for (std::uint32_t v = 0; v < variable; ++v) n += (all.data[v].flags & initial) != 0;
    return n;
  }
  const std::uint32_t device = (variable - own) / t.extras->drawn_count,
                      place = t.extras->drawn[(variable - own) % t.extras->drawn_count];
  std::uint32_t f = 0;
  while (t.model.params.data[f].offset != place) ++f;
  return of_parameters + device * of_device + f;
}

}  // namespace spinet
