#include "layers/trainer.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "layers/best_kernels.hpp"
#include "layers/pass.hpp"
#include "spinet/math.hpp"

namespace spinet::layers {
namespace {

constexpr std::size_t images_at_once = 64;  // where nothing is trained

void check_model(const Plan& plan, const Model& model) {
  if (model.parameters.size() != plan.parameters || model.statistics.size() != plan.statistics)
    throw std::invalid_argument("layers: a model of another plan");
}

std::size_t count_images(const Plan& plan, std::span<const float> images, std::optional<Channels> channels) {
  const std::size_t size = numbers_of_image(plan, channels);
  if (images.size() % size != 0)
    throw std::invalid_argument("layers: images that are not of the input's size");
  return images.size() / size;
}

/// base to the power of n, the same on any machine.
double power(double base, std::uint64_t n) {
  double result = 1;
  for (; n > 0; n >>= 1, base *= base)
    if (n & 1) result *= base;
  return result;
}

bool holds(const Part& p, std::size_t i) { return i >= p.first && i - p.first < p.count; }

/// The layer to which a parameter belongs.
const std::string& layer_of(const Plan& plan, std::size_t parameter) {
  for (const Layer& l : plan.layers)
    if (holds(l.bias, parameter) || holds(l.read_out, parameter)) return l.name;
  for (const Connection& c : plan.connections)
    if (holds(c.weights, parameter) || holds(c.normalisation.scale, parameter) ||
        holds(c.normalisation.shift, parameter))
      return plan.layers[c.target].name;
  return plan.layers.back().name;
}

/// Of numbers of parameters that go backwards through the layers, the one that came up first.
const std::string* first_bad(const Plan& plan, std::span<const float> numbers) {
  const std::string* name = nullptr;
  std::size_t latest = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] * 0.0f == 0.0f) continue;
    const std::string& layer = layer_of(plan, i % plan.parameters);
    std::size_t at = 0;
    while (plan.layers[at].name != layer) ++at;
    if (!name || at > latest) name = &layer, latest = at;
  }
  return name;
}

}  // namespace

std::vector<Part> fixed_parts(const Plan& plan) {
  std::vector<Part> parts;
  std::vector<bool> trained(plan.layers.size(), false), fixed(plan.layers.size(), false);
  for (const Connection& c : plan.connections) {
    if (c.weights.count) (c.fixed ? fixed : trained)[c.target] = true;
    if (c.fixed) parts.insert(parts.end(), {c.weights, c.normalisation.scale, c.normalisation.shift});
  }
  for (std::size_t l = 0; l < plan.layers.size(); ++l)
    if (fixed[l] && !trained[l]) parts.insert(parts.end(), {plan.layers[l].bias, plan.layers[l].read_out});
  return parts;
}

Share share_of(std::size_t images, const Transport& transport, std::uint32_t shards) {
  const Shares shares{shards, transport.size(), transport.rank()};
  const std::size_t groups = (images + half_lanes - 1) / half_lanes;
  const auto image = [&](std::uint32_t shard) {
    return std::min(images, groups * shard / shards * half_lanes);
  };
  return {image(shares.begin()), image(shares.begin() + shares.count())};
}

struct Trainer::Impl {
  const Plan& plan;
  Model model;
  const Descent descent;
  const std::vector<Part> fixed;
  const Kernels<float>& kernels;
  Pass<float> pass;
  State state;
  std::vector<float> parameters, moments;  ///< the next ones

  Impl(const Plan& p, Model start, const Descent& d, Transport& transport)
      : plan(p),
        model(std::move(start)),
        descent(d),
        fixed(fixed_parts(p)),
        kernels(best_kernels(d.shards, transport.size())),
        pass(p, kernels, transport, d.shards) {
    check_model(plan, model);
    state.moments.assign(moment_count(), 0);
    make_room();
  }
  void make_room() {
    parameters.resize(plan.parameters);
    moments.resize(state.moments.size());
  }
  std::size_t moment_count() const {
    if (descent.optimiser == Optimiser::adam) return 2 * plan.parameters;
    return descent.momentum != 0 ? plan.parameters : 0;
  }

  void check(const Batch& batch) const {
    if (batch.labels.empty() || count_images(plan, batch.images, batch.channels) != batch.labels.size())
      throw std::invalid_argument("layers: a batch has an image for each label, and one at least");
    for (const std::uint32_t label : batch.labels)
      if (label >= plan.classes())
        throw std::invalid_argument("layers: label " + std::to_string(label) + " of " +
                                    std::to_string(plan.classes()) + " classes");
  }

  /// False where something may not be finite.
  bool update(std::span<const float> gradient, double rate) {
    const std::size_t n = plan.parameters;
    Update<float> u{};
    u.parameter = model.parameters.data(), u.gradient = gradient.data();
    u.parameter_to = parameters.data(), u.count = n;
    u.decay = static_cast<float>(descent.weight_decay);
    u.first = state.moments.empty() ? nullptr : state.moments.data(), u.first_to = moments.data();
    if (descent.optimiser == Optimiser::sgd) {
      u.rate = static_cast<float>(rate), u.beta1 = static_cast<float>(descent.momentum);
      return kernels.descend(u);
    }
    u.second = u.first + n, u.second_to = u.first_to + n;
    u.beta1 = static_cast<float>(descent.beta1), u.beta2 = static_cast<float>(descent.beta2);
    u.rate = static_cast<float>(rate / (1 - power(descent.beta1, state.steps + 1)));
    u.root = static_cast<float>(1 / math::sqrt(1 - power(descent.beta2, state.steps + 1)));
    u.epsilon = static_cast<float>(descent.epsilon);
    return kernels.adam(u);
  }

  void keep_fixed() {
    for (const Part& part : fixed)
      std::copy_n(model.parameters.begin() + static_cast<std::ptrdiff_t>(part.first), part.count,
                  parameters.begin() + static_cast<std::ptrdiff_t>(part.first));
  }

  void update_statistics() {
    for (const Connection& c : plan.connections) {
      const Normalisation& n = c.normalisation;
      if (!n.on) continue;
      for (const Part& part : {n.mean, n.variance})
        for (std::size_t i = part.first; i < part.first + part.count; ++i)
          model.statistics[i] =
              static_cast<float>((1 - n.momentum) * static_cast<double>(model.statistics[i]) +
                                 n.momentum * pass.statistics()[i]);
    }
  }

  /// After an update that may have one.
  void look_for_faults(std::span<const float> gradient) const {
    if (const auto* layer = first_bad(plan, gradient)) refuse(*layer, "a gradient that is not finite");
    if (const auto* layer = first_bad(plan, parameters))
      refuse(*layer, "a step to a weight that is not finite");
    if (const auto* layer = first_bad(plan, moments)) refuse(*layer, "a gradient whose square is not finite");
  }

  [[noreturn]] void refuse(const std::string& layer, const char* what) const {
    throw NotFinite(layer, "layer " + layer + ": " + what + ", in step " + std::to_string(state.steps + 1));
  }
};

Trainer::Trainer(const Plan& plan, Model start, const Descent& descent, Transport& transport)
    : impl_(std::make_unique<Impl>(plan, std::move(start), descent, transport)) {}
Trainer::~Trainer() = default;

Outcome Trainer::step(const Batch& batch, double rate) {
  Impl& t = *impl_;
  t.check(batch);
  const auto result =
      t.pass.train(t.model.parameters, t.model.statistics, {batch.images, batch.labels, batch.channels},
                   {t.descent.seed, t.state.steps});
  if (result.bad_layer >= 0)
    t.refuse(t.plan.layers[static_cast<std::size_t>(result.bad_layer)].name, "a number that is not finite");
  if (!(result.loss - result.loss == 0)) t.refuse(t.plan.layers.back().name, "a loss that is not finite");
  const bool fine = t.update(result.gradient, rate);
  t.keep_fixed();
  if (!fine) t.look_for_faults(result.gradient);
  t.update_statistics();
  t.model.parameters.swap(t.parameters);
  t.state.moments.swap(t.moments);
  ++t.state.steps;
  return {result.loss / static_cast<double>(batch.labels.size()), result.right};
}

const Model& Trainer::model() const { return impl_->model; }
Trainer::State Trainer::state() const { return impl_->state; }

void Trainer::restore(Model model, State state) {
  check_model(impl_->plan, model);
  if (state.moments.size() != impl_->moment_count())
    throw std::invalid_argument("layers: moments of another plan or optimiser");
  impl_->model = std::move(model);
  impl_->state = std::move(state);
}

std::vector<float> outputs(const Plan& plan, const Model& model, std::span<const float> images,
                           Transport& transport, std::optional<Channels> known) {
  check_model(plan, model);
  const std::size_t count = count_images(plan, images, known), size = numbers_of_image(plan, known),
                    classes = plan.classes();
  const std::size_t groups = (count + half_lanes - 1) / half_lanes;
  const auto begin_of = [&](int rank) {
    return std::min(count, groups * static_cast<std::size_t>(rank) /
                               static_cast<std::size_t>(transport.size()) * half_lanes);
  };
  const std::size_t begin = begin_of(transport.rank()), end = begin_of(transport.rank() + 1);
  std::vector<float> mine((end - begin) * classes);
  Pass<float> pass(plan, best_kernels(8, 1), transport, 1);
  // The same for all images: those of some may be alike by chance.
  if (!known && channels_of(plan, images) == Channels::differ) known = Channels::differ;
  for (std::size_t i = begin; i < end; i += images_at_once)
    pass.apply(model.parameters, model.statistics,
               {images.subspan(i * size, std::min(images_at_once, end - i) * size), {}, known},
               mine.data() + (i - begin) * classes);
  if (transport.size() == 1) return mine;
  Gathered gathered;
  transport.all_gather(std::as_bytes(std::span(mine)), gathered);
  std::vector<float> all(count * classes);
  if (!all.empty()) std::memcpy(all.data(), gathered.bytes.data(), gathered.bytes.size());
  return all;
}

std::vector<double> greatest_sums(const Plan& plan, const Model& model, std::span<const float> images,
                                  Transport& transport) {
  check_model(plan, model);
  const std::size_t size = plan.image_size() * images_at_once, classes = plan.classes();
  std::vector<float> unused(images_at_once * classes);
  Pass<float> pass(plan, best_kernels(8, 1), transport, 1);
  const auto greatest = pass.watch();
  for (; !images.empty(); images = images.subspan(std::min(size, images.size())))
    pass.apply(model.parameters, model.statistics, {images.first(std::min(size, images.size())), {}, {}},
               unused.data());
  return {greatest.begin(), greatest.end()};
}

struct Recalibration::Impl {
  const Plan& plan;
  const Model& start;
  Pass<float> pass;
  // Batches differ in their means: the variance of all is that within them and that between them.
  std::vector<double> numbers, means, squares;

  Impl(const Plan& p, const Model& m, Transport& transport)
      : plan(p),
        start(m),
        pass(p, best_kernels(usual_shards, transport.size()), transport, usual_shards),
        numbers(p.statistics),
        means(p.statistics),
        squares(p.statistics) {
    check_model(p, m);
  }
  void take(const Normalisation& n) {
    for (std::size_t u = 0; n.on && u < n.mean.count; ++u) {
      const std::size_t m = n.mean.first + u, v = n.variance.first + u;
      const double more = pass.counted()[m], all = numbers[m] + more, off = pass.statistics()[m] - means[m];
      squares[m] += pass.statistics()[v] * (more - 1) + off * off * numbers[m] * more / all;
      means[m] += off * more / all;
      numbers[m] = all;
    }
  }
};

Recalibration::Recalibration(const Plan& plan, const Model& model, Transport& transport)
    : impl_(std::make_unique<Impl>(plan, model, transport)) {}
Recalibration::~Recalibration() = default;

void Recalibration::add(std::span<const float> images, std::optional<Channels> channels) {
  if (count_images(impl_->plan, images, channels) == 0) return;
  impl_->pass.observe(impl_->start.parameters, impl_->start.statistics, {images, {}, channels});
  for (const Connection& c : impl_->plan.connections) impl_->take(c.normalisation);
}

Model Recalibration::model() const {
  const Impl& r = *impl_;
  Model result = r.start;
  for (const Connection& c : r.plan.connections) {
    const Normalisation& n = c.normalisation;
    for (std::size_t u = 0; n.on && u < n.mean.count; ++u) {
      const std::size_t m = n.mean.first + u;
      if (r.numbers[m] == 0) continue;
      result.statistics[m] = static_cast<float>(r.means[m]);
      result.statistics[n.variance.first + u] =
          static_cast<float>(r.numbers[m] > 1 ? r.squares[m] / (r.numbers[m] - 1) : 0);
    }
  }
  return result;
}

Model recalibrated(const Plan& plan, const Model& model, std::span<const float> images,
                   Transport& transport) {
  Recalibration r(plan, model, transport);
  const std::size_t count = count_images(plan, images, {}), size = plan.image_size();
  for (std::size_t i = 0; i < count; i += Recalibration::batch)
    r.add(images.subspan(i * size, std::min(Recalibration::batch, count - i) * size));
  return r.model();
}

}  // namespace spinet::layers
