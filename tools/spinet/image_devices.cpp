#include "image_devices.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "layers/fold.hpp"
#include "log/model_file.hpp"
#include "network/layer_numbers.hpp"
#include "network/printable.hpp"

namespace spinet::tool {

std::string put_converters(const std::string& file, const layers::Plan& plan, Network& network) {
  const auto programmed = mapping::read_programmed(file);
  std::string others;
  if (!programmed) return others;
  for (const auto& reader : programmed->converters) {
    const auto l = std::find_if(plan.layers.begin(), plan.layers.end(),
                                [&](const auto& one) { return one.name == reader.layer; });
    if (l == plan.layers.end())
      throw InvalidModel(file, fmt::format("has a converter of '{}', which is no layer here", reader.layer));
    Population& p = network.populations[l->population];
    const auto bits = parameter_of(*p.model, "adc_bits"), range = parameter_of(*p.model, "adc_range");
    if (!bits || !range)
      throw InvalidModel(
          file, fmt::format("has a converter of '{}', and model {} has none", reader.layer, p.model->name));
    const Converter &own = l->converter, &kept = reader.converter;
    if (own.bits != 0 && (own.bits != kept.bits || own.range != kept.range))
      others += (others.empty() ? "" : ", ") + l->name;
    const auto number = [](double x) { return Distribution{Distribution::Kind::constant, x}; };
    p.params[*bits] = number(reader.converter.bits);
    p.params[*range] = number(reader.converter.range);
  }
  if (others.empty()) return others;
  return fmt::format("converters of {} are those of {}, not the network's own", others, printable_line(file));
}

std::unique_ptr<ImageDevices> ImageDevices::of(const std::string& file, const layers::Layered& layered,
                                               const layers::Model& model, const Catalogue& catalogue) {
  auto programmed = mapping::read_programmed(file);
  if (!programmed) return nullptr;
  std::unique_ptr<ImageDevices> made(new ImageDevices(std::move(*programmed), layered, model));
  const auto& all = made->plan_.connections;
  for (const auto& p : made->programmed_.projections) {
    const auto c = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == p.name; });
    if (c == all.end() || c->weights.count == 0)
      throw InvalidModel(file, fmt::format("has devices of '{}', which has no weights here", p.name));
    made->model_.map(static_cast<std::size_t>(c - all.begin()),
                     mapping::read_devices(file, p, c->weights.count, catalogue));
  }
  return made;
}

void ImageDevices::fold_into(Network& network) {
  const layers::Model first = model_.read({0, how_});
  layers::fold(plan_, model_.in_mean(how_), network);
  for (const auto& [connection, on] : model_.mapped()) {
    const layers::Connection& c = plan_.connections[connection];
    network.projections[c.projection].shared_weights = layers::folded_weights(c, plan_, first);
  }
  find_prices();
}

/// A read is paid for by each event that it serves.
void ImageDevices::find_prices() {
  for (auto& [connection, on] : model_.mapped()) {
    const auto costs = on.cost_of_read(0);
    if (costs.empty()) continue;
    const layers::Connection& c = plan_.connections[connection];
    Price price{c.name, plan_.layers[c.source].population,
                std::vector<double>(plan_.layers[c.source].shape.size(), 0)};
    layers::each_synapse(c, plan_, [&](std::size_t source, std::size_t w) { price.nJ[source] += costs[w]; });
    prices_.push_back(std::move(price));
  }
}

void ImageDevices::show(std::size_t image, Simulation& simulation) {
  const std::size_t wanted = image / programmed_.images_per_read;
  while (read_ < wanted) {
    const layers::Model found = model_.read({static_cast<double>(++read_) * programmed_.read_period, how_});
    for (const auto& [connection, on] : model_.mapped()) {
      const layers::Connection& c = plan_.connections[connection];
      const auto weights = layers::folded_weights(c, plan_, found);
      std::copy(weights.begin(), weights.end(), simulation.shared_weights(c.projection).begin());
    }
  }
}

}  // namespace spinet::tool
