#include "train/examine.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "comm/serial.hpp"
#include "layers/trainer.hpp"

namespace spinet::train {
namespace {

constexpr std::size_t most_worst = 24;  ///< that are kept
constexpr std::size_t at_once = 512;    ///< images laid out at a time, to save memory

bool worse(const Wrong& a, const Wrong& b) { return a.loss != b.loss ? a.loss > b.loss : a.image < b.image; }

void count(Examined& e, const Wrong& one, std::uint32_t classes) {
  ++e.images;
  e.loss += one.loss;
  ++e.confusion[std::size_t{one.label} * classes + one.answer];
  if (one.answer == one.label) return void(++e.right);
  e.worst.insert(std::upper_bound(e.worst.begin(), e.worst.end(), one, worse), one);
  if (e.worst.size() > most_worst) e.worst.pop_back();
}

/// What becomes of an image.
struct Seen {
  double loss;
  std::uint64_t answer;  // as wide, so that there is nothing undefined between two of them
};

/// This rank's part of the images.
std::span<const std::uint32_t> share_of(std::span<const std::uint32_t> which, const Transport& transport) {
  const auto begin = [&](int rank) {
    return which.size() * static_cast<std::size_t>(rank) / static_cast<std::size_t>(transport.size());
  };
  return which.subspan(begin(transport.rank()), begin(transport.rank() + 1) - begin(transport.rank()));
}

std::vector<Seen> seen(const layers::Plan& plan, const layers::Model& model, const images::Images& images,
                       std::span<const std::uint32_t> which) {
  SerialTransport here;
  const auto classes = plan.classes();
  std::vector<Seen> all;
  std::vector<float> pixels;
  for (std::size_t first = 0; first < which.size(); first += at_once) {
    const auto some = which.subspan(first, std::min(at_once, which.size() - first));
    const auto input = images::laid_out(images, plan);
    pixels.resize(some.size() * input.size());
    images::lay_out(images, input, some, pixels);
    const auto outputs =
        layers::outputs(plan, model, pixels, here, images::channels_in(images, plan.input()));
    for (std::size_t i = 0; i < some.size(); ++i) {
      const std::span<const float> own(outputs.data() + i * classes, classes);
      all.push_back({loss_of(own, images.labels[some[i]]), answer_of(own)});
    }
  }
  return all;
}

}  // namespace

std::uint32_t answer_of(std::span<const float> outputs) {
  return static_cast<std::uint32_t>(std::max_element(outputs.begin(), outputs.end()) - outputs.begin());
}

double loss_of(std::span<const float> outputs, std::uint32_t label) {
  const double most = *std::max_element(outputs.begin(), outputs.end());
  double sum = 0;
  for (const float o : outputs) sum += std::exp(o - most);
  return most + std::log(sum) - outputs[label];
}

Examined examine(const layers::Plan& plan, const layers::Model& model, const images::Images& images,
                 std::span<const std::uint32_t> which, Transport& transport) {
  const auto mine = seen(plan, model, images, share_of(which, transport));
  Gathered gathered;
  transport.all_gather(std::as_bytes(std::span(mine)), gathered);
  std::vector<Seen> all(which.size());
  if (gathered.bytes.size() != all.size() * sizeof(Seen))
    throw std::logic_error("images are not what ranks share");
  if (!all.empty()) std::memcpy(all.data(), gathered.bytes.data(), gathered.bytes.size());
  const auto classes = plan.classes();
  Examined e;
  e.confusion.resize(std::size_t{classes} * classes);
  for (std::size_t i = 0; i < which.size(); ++i)
    count(e, {which[i], images.labels[which[i]], static_cast<std::uint32_t>(all[i].answer), all[i].loss},
          classes);
  if (e.images) e.loss /= static_cast<double>(e.images);
  return e;
}

layers::Model recalibrated_on(const layers::Plan& plan, const layers::Model& model,
                              const images::Images& images, std::span<const std::uint32_t> which,
                              Transport& transport) {
  if (plan.statistics == 0) return model;
  layers::Recalibration r(plan, model, transport);
  const auto channels = images::channels_in(images, plan.input());
  std::vector<float> pixels;
  for (std::size_t first = 0; first < which.size(); first += r.batch) {
    const auto batch = which.subspan(first, std::min(r.batch, which.size() - first));
    lay_out_share(images, plan, batch, transport, pixels);
    r.add(pixels, channels);
  }
  return r.model();
}

void lay_out_share(const images::Images& images, const layers::Plan& plan,
                   std::span<const std::uint32_t> batch, const Transport& transport,
                   std::vector<float>& pixels) {
  const auto input = images::laid_out(images, plan);
  const std::size_t size = input.size();
  pixels.resize(batch.size() * size);
  const auto share = layers::share_of(batch.size(), transport);
  images::lay_out(images, input, batch.subspan(share.begin, share.end - share.begin),
                  std::span(pixels).subspan(share.begin * size, (share.end - share.begin) * size));
}

}  // namespace spinet::train
