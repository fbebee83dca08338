#include "mapping/device_model.hpp"

#include <algorithm>

#include "comm/serial.hpp"
#include "layers/trainer.hpp"

namespace spinet::mapping {

layers::Model DeviceModel::read(const When& when) {
  layers::Model found = trained_;
  for (auto& [connection, on] : mapped_) {
    const layers::Part& weights = plan_.connections[connection].weights;
    on.read(when.seconds, when.reading, std::span(found.parameters).subspan(weights.first, weights.count));
  }
  return found;
}

layers::Model DeviceModel::in_mean(Mapped::Reading how) const {
  layers::Model found = trained_;
  for (const auto& [connection, on] : mapped_) {
    const layers::Part& weights = plan_.connections[connection].weights;
    on.in_mean(how, std::span(found.parameters).subspan(weights.first, weights.count));
  }
  return found;
}

train::Examined DeviceModel::examine(const When& when, const Reads& reads, const images::Images& images,
                                     std::span<const std::uint32_t> which,
                                     std::span<const float> statistics) {
  SerialTransport alone;
  train::Examined all;
  const std::size_t classes = plan_.classes();
  all.confusion.resize(classes * classes);
  When now = when;
  for (; !which.empty(); now.seconds += reads.period) {
    const auto some = which.first(std::min<std::size_t>(reads.images, which.size()));
    which = which.subspan(some.size());
    layers::Model found = read(now);
    if (!statistics.empty()) found.statistics.assign(statistics.begin(), statistics.end());
    const auto part = train::examine(plan_, found, images, some, alone);
    all.loss += part.loss * static_cast<double>(part.images);
    all.images += part.images;
    all.right += part.right;
    for (std::size_t i = 0; i < all.confusion.size(); ++i) all.confusion[i] += part.confusion[i];
  }
  if (all.images > 0) all.loss /= static_cast<double>(all.images);
  return all;
}

void add_converters(layers::Plan& plan, const layers::Model& model, std::span<const float> images,
                    std::pair<std::uint32_t, double> bits_and_part) {
  SerialTransport alone;
  const auto greatest = layers::greatest_sums(plan, model, images, alone);
  for (const layers::Connection& c : plan.connections) {
    const double range = greatest[c.target] * bits_and_part.second;
    if (c.weights.count > 0 && range > 0 && plan.layers[c.target].answer != layers::Answer::lif)
      plan.layers[c.target].converter = {bits_and_part.first, range};
  }
}

}  // namespace spinet::mapping
