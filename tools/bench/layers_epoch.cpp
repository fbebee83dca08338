// Training alone, without files: steps of the reference networks for Fashion-MNIST on images of noise.
//   layers_epoch [relu|set2] [images]
// Prints seconds for 60,000 images, 10^9 operations a second of what multiplies weights, and
// the peak memory in MB, seconds of the processor, and the last loss.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "comm/mpi_session.hpp"
#include "comm/serial.hpp"
#include "layers/trainer.hpp"
#include "spinet/random.hpp"

namespace {
using namespace spinet::layers;
using spinet::Transport;

double uniform(std::uint64_t i) { return spinet::uniform01(spinet::draw({1, 2}, i, 0)[0]); }

struct Reference {
  Plan plan;
  Answer answer;

  Part take(std::size_t n) {
    plan.parameters += n;
    return {plan.parameters - n, n};
  }
  void layer(const Shape& shape, Answer kind, std::size_t biases) {
    Layer l;
    l.name = "layer";
    l.shape = shape;
    l.answer = kind;
    if (biases) l.bias = take(biases);
    if (kind == Answer::em) {
      l.curves.taus = {4, 25};
      for (int k = 0; k < 16; ++k) l.curves.curves.push_back({0.01 * k, {0.5 - 0.05 * k, -0.4 + 0.05 * k}});
      l.read_out = take(17);
    }
    plan.layers.push_back(l);
  }
  /// From the layer before; `units` of batch normalisation, if any.
  void join(Join kind, std::uint32_t size, std::size_t units) {
    Connection c;
    c.target = static_cast<std::uint32_t>(plan.layers.size() - 1);
    c.source = c.target - 1;
    c.join = kind;
    const Shape &from = plan.layers[c.source].shape, &to = plan.layers[c.target].shape;
    c.window.size[0] = c.window.size[1] = size;
    if (kind == Join::average_pool) c.window.stride[0] = c.window.stride[1] = size;
    if (kind == Join::convolution) c.weights = take(std::size_t{to.channels} * from.channels * size * size);
    if (kind == Join::dense) c.weights = take(from.size() * to.size());
    if (units) {
      Normalisation& n = c.normalisation;
      n.on = true;
      n.scale = take(units), n.shift = take(units);
      n.mean = {plan.statistics, units}, n.variance = {plan.statistics + units, units};
      plan.statistics += 2 * units;
    }
    plan.connections.push_back(c);
  }
  explicit Reference(Answer a) : answer(a) {
    layer({3, 28, 28}, Answer::linear, 0);
    layer({6, 24, 24}, a, 6), join(Join::convolution, 5, 3);
    layer({6, 12, 12}, Answer::linear, 0), join(Join::average_pool, 2, 0);
    layer({16, 8, 8}, a, 16), join(Join::convolution, 5, 6);
    layer({16, 4, 4}, Answer::linear, 0), join(Join::average_pool, 2, 0);
    layer({120, 1, 1}, a, 120), join(Join::dense, 1, 256);
    layer({84, 1, 1}, a, 84), join(Join::dense, 1, 120);
    layer({10, 1, 1}, Answer::linear, 10), join(Join::dense, 1, 84);
  }
  Model start() const {
    Model m{std::vector<float>(plan.parameters), std::vector<float>(plan.statistics)};
    for (std::size_t i = 0; i < plan.parameters; ++i)
      m.parameters[i] = static_cast<float>(0.2 * (uniform(i) - 0.5));
    for (const Connection& c : plan.connections)
      for (std::size_t u = 0; u < c.normalisation.scale.count; ++u) {
        m.parameters[c.normalisation.scale.first + u] = 1;
        m.statistics[c.normalisation.variance.first + u] = 1;
      }
    return m;
  }
};

/// Multiplications and additions of an image, forwards, and backwards once for weights, once for sources.
double operations(const Plan& plan) {
  double sum = 0;
  for (const Connection& c : plan.connections) {
    const Shape &from = plan.layers[c.source].shape, &to = plan.layers[c.target].shape;
    double weights = static_cast<double>(c.weights.count);
    if (c.join == Join::convolution) weights *= static_cast<double>(to.area());
    if (c.source == 0) weights /= from.channels;  // which are alike
    sum += 2 * weights * (c.source == 0 ? 2 : 3);
  }
  return sum;
}
double processor_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

void train(const Reference& net, std::size_t count, Transport& transport) {
  const std::size_t batch = 64, area = 28 * 28;
  Trainer trainer(net.plan, net.start(), {}, transport);
  std::vector<float> images(batch * area);  // grey
  std::vector<std::uint32_t> labels(batch);
  for (std::size_t i = 0; i < batch; ++i) {
    labels[i] = static_cast<std::uint32_t>(i % 10);
    for (std::size_t k = 0; k < area; ++k) images[i * area + k] = static_cast<float>(uniform(i * area + k));
  }
  const Batch grey{images, labels, Channels::alike};
  trainer.step(grey, 1e-3);
  const double busy = processor_seconds();
  const auto before = std::chrono::steady_clock::now();
  double loss = 0;
  for (std::size_t i = 0; i < count; i += batch) loss = trainer.step(grey, 1e-3).loss;
  const std::chrono::duration<double> all = std::chrono::steady_clock::now() - before;
  const double done = static_cast<double>((count + batch - 1) / batch * batch), took = all.count() / done;
  const double busy_each = (processor_seconds() - busy) / done;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  if (transport.rank() == 0)
    std::printf("%.3f %.1f %.1f %.3f %.6f\n", took * 60000, operations(net.plan) / took * 1e-9,
                static_cast<double>(usage.ru_maxrss) / 1024, busy_each * 60000, loss);
}
}  // namespace

int main(int argc, char** argv) {
  const Reference net(argc > 1 && std::string(argv[1]) == "relu" ? Answer::relu : Answer::em);
  const std::size_t count = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 60000;
#ifdef SPINET_HAS_MPI
  spinet::MpiSession session;
  const auto body = [&](Transport& transport) {
    train(net, count, transport);
    return 0;
  };
  return session.run(body, [](std::exception_ptr) { return 1; });
#else
  spinet::SerialTransport serial;
  train(net, count, serial);
#endif
}
