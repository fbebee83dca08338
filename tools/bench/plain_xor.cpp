// The actor-critic on XOR as a plain loop: the reference reading (networks/actor_critic_xor) without events,
// delays, devices, logs or an engine, its sizes known to the compiler, and compiled for this CPU with relaxed
// arithmetic.  What is left is the arithmetic of the task: a bound for engines.  Prints trials per second, ns
// per presentation and the mean epoch of success.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

/// xoshiro256** (D. Blackman and S. Vigna, "Scrambled linear pseudorandom number generators", 2021).
struct Draws {
  std::uint64_t s[4];
  explicit Draws(std::uint64_t seed) {
    for (auto& x : s) x = (seed += 0x9E3779B97F4A7C15u) * 0xBF58476D1CE4E5B9u;
    for (int i = 0; i < 20; ++i) uniform();
  }
  static std::uint64_t rotl(std::uint64_t x, int k) { return x << k | x >> (64 - k); }
  double uniform() {
    const std::uint64_t r = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0], s[3] ^= s[1], s[1] ^= s[2], s[0] ^= s[3], s[2] ^= t, s[3] = rotl(s[3], 45);
    return static_cast<double>(r >> 11) * 0x1p-53;
  }
  double symmetric(double most) { return most * (2 * uniform() - 1); }
};
double sig(double x) { return 1 / (1 + std::exp(-x)); }

constexpr int actor = 10, critic = 20, batch = 10, most_epochs = 5000;

/// Presentations until the filtered reward is 0.975.  Thresholded power law in the hidden layer, rate 1.1.
int trial(std::uint64_t seed) {
  Draws draws(seed);
  constexpr double rate = 1.1;
  double w[3][actor], D[3][actor] = {}, out[actor], D_out[actor + 1] = {},
                      bias_out = 0;  // the third input is 1: biases
  double c[3][critic], v[critic], filtered = 0;
  for (int k = 0; k < 3; ++k)
    for (auto& x : w[k]) x = k < 2 ? draws.symmetric(std::sqrt(0.5)) : 0;
  for (auto& x : out) x = draws.symmetric(std::sqrt(0.1));
  for (int k = 0; k < 3; ++k)
    for (auto& x : c[k]) x = k < 2 ? draws.symmetric(std::sqrt(0.5)) : 0;
  for (auto& x : v) x = draws.symmetric(1.25);
  for (int n = 0; n < most_epochs * batch; ++n) {
    const double x0 = n >> 1 & 1, x1 = n & 1;
    double h[critic], p[actor], y[actor], sum = 0.5, input = bias_out;
    for (int i = 0; i < critic; ++i) h[i] = sig(c[0][i] * x0 + c[1][i] * x1 + c[2][i]);
    for (int i = 0; i < critic; ++i) sum += v[i] * h[i];
    const double expected = sig(sum), flip = 0.1 * (1 - expected);
    for (int i = 0; i < actor; ++i) p[i] = sig(w[0][i] * x0 + w[1][i] * x1 + w[2][i]);
    for (int i = 0; i < actor; ++i) {
      y[i] = (draws.uniform() < p[i]) != (draws.uniform() < flip);
      input += out[i] * y[i];
    }
    const double p_out = sig(input);
    const bool answer = (draws.uniform() < p_out) != (draws.uniform() < flip);
    const double reward = answer == (x0 != x1), advantage = reward - expected;
    for (int i = 0; i < actor; ++i) {
      const double g = rate * advantage * (y[i] - p[i]);
      D[0][i] += g * x0, D[1][i] += g * x1, D[2][i] += g;
    }
    const double g = rate / 2 * advantage * (answer - p_out);
    for (int i = 0; i < actor; ++i) D_out[i] += g * y[i];
    D_out[actor] += g;
    for (int i = 0; i < critic; ++i) {
      const double gi = advantage * v[i] * h[i] * (1 - h[i]);
      c[0][i] += gi * x0 - 0.001 * ((c[0][i] > 0) - (c[0][i] < 0));
      c[1][i] += gi * x1 - 0.001 * ((c[1][i] > 0) - (c[1][i] < 0));
      c[2][i] += gi;
    }
    filtered = 0.999 * filtered + 0.001 * reward;
    if (filtered >= 0.975) return n + 1;
    if (n % batch != batch - 1) continue;
    for (int k = 0; k < 3; ++k)
      for (int i = 0; i < actor; ++i) {
        if (const double size = std::fabs(D[k][i]); size > 0.4)
          w[k][i] += std::copysign(std::pow(size, 1.75), D[k][i]);
        D[k][i] = 0;
      }
    for (int i = 0; i < actor; ++i) out[i] += D_out[i];
    bias_out += D_out[actor];
    std::fill(std::begin(D_out), std::end(D_out), 0.0);
  }
  return most_epochs * batch;
}
}  // namespace

int main(int argc, char** argv) {
  const int trials = argc > 1 ? std::atoi(argv[1]) : 500;
  double presentations = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (int t = 0; t < trials; ++t) presentations += trial(static_cast<std::uint64_t>(t) + 1);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("%.1f %.1f %.1f\n", trials / took.count(), took.count() / presentations * 1e9,
              presentations / batch / trials);
}
