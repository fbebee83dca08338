// Drawing numbers: distributions from single words, rounded delays, and the counts that split a projection
// over its target stretches.  Everything is a function of words, so whoever needs a number can draw it again.
#pragma once
#include <cstdint>
#include <vector>

#include "network/checked.hpp"
#include "spinet/random.hpp"

namespace spinet {

/// What a stream of random numbers is for; makes RandomKey::stream with the index of the population or
/// projection.
enum class Purpose : std::uint32_t {
  initial = 1,
  parameter,
  connect,
  again,
  split,
  source,
  neuron,
  synapse,
  event,
  redrawn,
  position,
  thinning,
  shared_weight,
  bias,
  read_out
};
inline RandomKey stream_key(std::uint32_t seed, Purpose purpose, std::uint32_t index) {
  return {seed, (static_cast<std::uint32_t>(purpose) << 24) | index};
}
inline RandomKey stream_key(const Network::Identity& who, Purpose purpose) {
  return stream_key(who.seed, purpose, who.index);
}

/// Cumulative distribution function of the standard normal distribution (series and continued fraction; about
/// 1e-15).
double normal_cdf(double x);

/// A Distribution made ready to be sampled by inversion.
class Sampler {
 public:
  explicit Sampler(const Distribution& d);
  bool constant() const { return constant_; }
  /// The value at quantile u in (0, 1) of the distribution within its bounds.  For `listed` use `values`.
  double operator()(double u) const;
  /// Share of the values that are <= x.
  double cdf(double x) const;

 private:
  double raw_cdf(double x) const;
  double raw_quantile(double u) const;
  Distribution d_;
  double from_ = 0, to_ = 1;  ///< the part of the unclipped distribution within the bounds
  bool constant_ = false;
};

/// Delays rounded to steps, at least one, drawn from one word: by table, and where the table would grow
/// beyond some thousand steps, by inversion.
class DelaySampler {
 public:
  DelaySampler(const Distribution& ticks, Tick resolution);
  std::uint32_t least() const { return least_; }  ///< steps
  std::uint32_t most() const { return most_; }
  /// Steps above `least()`.
  std::uint32_t operator()(std::uint32_t word) const {
    std::uint32_t k = guide_[word >> 24];
    while (word > upper_[k]) ++k;
    return k < tabled_ ? k : beyond(word);
  }

 private:
  std::uint32_t last_word(std::uint32_t k) const;
  std::uint32_t beyond(std::uint32_t word) const;
  Sampler sampler_;
  double resolution_;
  std::uint32_t least_, most_;
  std::uint32_t tabled_;              ///< steps that the table holds; all, if most_ - least_ + 1
  std::vector<std::uint32_t> upper_;  ///< the last word of each of them, and one for all beyond
  std::uint32_t guide_[256];
};

/// log(n!), to about 1e-15 relative.
double log_factorial(double n);
/// Successes in n trials of probability p, at quantile u.  Inversion from the mode: O(sqrt(n)).
std::uint64_t binomial(std::uint64_t n, double p, double u);
/// Marked items among `drawn` taken without replacement from `total`, of which `marked` are marked, at
/// quantile u.
std::uint64_t hypergeometric(std::uint64_t total, std::uint64_t marked, std::uint64_t drawn, double u);

/// The words (entity, counter) of a key whose draw is below `n` (n > 0), unbiased (Lemire 2019, "Fast random
/// integer generation in an interval"): `word` is the first try, the rest come from `again`.
inline std::uint32_t below(std::uint32_t n, std::uint32_t word, RandomKey again, std::uint64_t entity,
                           std::uint64_t counter) {
  std::uint64_t product = std::uint64_t{word} * n;
  if (static_cast<std::uint32_t>(product) < n) [[unlikely]] {
    const std::uint32_t floor = (0u - n) % n;
    for (std::uint32_t k = 0; static_cast<std::uint32_t>(product) < floor; ++k)
      product = std::uint64_t{draw(again, entity, counter + (std::uint64_t{k} << 48))[0]} * n;
  }
  return static_cast<std::uint32_t>(product >> 32);
}

}  // namespace spinet
