// The sources: statistics of `poisson` against the distributions it must have, and `spike_source` against its
// list. All draws are keyed, so these tests give the same figures every time; the bounds are those of a level
// of 1e-4.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <map>
#include <vector>

#include "network/catalogue.hpp"
#include "spinet/source.hpp"

namespace {

using spinet::Tick;

const spinet::SourceTable& source(const char* name) {
  static const spinet::Catalogue catalogue = [] {
    spinet::Catalogue c;
    spinet::add_builtin(c);
    return c;
  }();
  return *reinterpret_cast<const spinet::SourceTable*>(catalogue.find(spinet::Kind::source, name));
}

struct Event {
  Tick tick;
  std::uint32_t neuron;
  auto operator<=>(const Event&) const = default;
};

/// A unit of `poisson` neurons, drawn slab by slab.
class PoissonUnit {
 public:
  PoissonUnit(std::vector<double> rates, bool alike, std::uint32_t first = 1000, std::uint32_t seed = 11)
      : rates_(std::move(rates)), unit_{first,
                                        static_cast<std::uint32_t>(rates_.size()),
                                        rates_.data(),
                                        alike ? 1u : 0u,
                                        0,
                                        nullptr,
                                        0,
                                        {seed, 4},
                                        {1e6}} {}
  PoissonUnit(std::uint32_t size, double rate, std::uint32_t first = 1000, std::uint32_t seed = 11)
      : PoissonUnit(std::vector<double>(size, rate), true, first, seed) {}

  std::vector<Event> operator()(Tick from, std::uint32_t length) const {
    std::vector<std::uint32_t> room(256);
    for (;;) {
      spinet::EventSink sink{room.data(), 0, static_cast<std::uint32_t>(room.size())};
      if (source("poisson").generate(&unit_, from, length, &sink) != 0) {
        std::vector<Event> events;
        for (std::uint32_t i = 0; i < sink.size; ++i)
          events.push_back({from + (room[i] >> 16), room[i] & 0xffff});
        return events;
      }
      REQUIRE(sink.size == 0);
      room.resize(2 * room.size());
    }
  }
  const spinet::SourceUnit& unit() const { return unit_; }

 private:
  std::vector<double> rates_;
  spinet::SourceUnit unit_;
};

/// Chi square of counts against expectations, in standard deviations from its mean (Wilson and Hilferty).
double chi_square_deviation(const std::vector<double>& seen, const std::vector<double>& expected) {
  double chi = 0;
  int degrees = -1;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (expected[i] == 0) {
      REQUIRE(seen[i] == 0);
      continue;
    }
    chi += (seen[i] - expected[i]) * (seen[i] - expected[i]) / expected[i];
    ++degrees;
  }
  const double spread = 2.0 / (9.0 * degrees);
  return (std::cbrt(chi / degrees) - (1 - spread)) / std::sqrt(spread);
}

/// sqrt(n) times the Kolmogorov-Smirnov distance of `sample` from the distribution function `f`.
template <class F>
double kolmogorov(std::vector<double> sample, F&& f) {
  std::sort(sample.begin(), sample.end());
  const double n = static_cast<double>(sample.size());
  double distance = 0;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const double p = f(sample[i]);
    distance = std::max({distance, p - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - p});
  }
  return distance * std::sqrt(n);
}
constexpr double kolmogorov_bound = 2.23;  // exceeded with probability 1e-4
constexpr double normal_bound = 3.9;       // likewise, either side

}  // namespace

TEST_CASE("a slab's number of Poisson events has the Poisson distribution", "[poisson]") {
  // Means on both sides of the switch of method, whole and broken.
  for (const double mean : {0.01, 0.7, 3.0, 9.99, 10.0, 11.3, 47.0, 300.0, 5000.0}) {
    constexpr std::uint32_t length = 65536;
    const PoissonUnit unit(256, mean / 256 / (length * 1e-9));
    constexpr int slabs = 40'000;
    std::map<long, double> seen;
    double sum = 0, squares = 0;
    for (int s = 0; s < slabs; ++s) {
      const auto n = static_cast<double>(unit(Tick{s} * length, length).size());
      ++seen[static_cast<long>(n)];
      sum += n - mean;
      squares += (n - mean) * (n - mean);
    }
    INFO("mean " << mean);
    CHECK(std::abs(sum / slabs) < normal_bound * std::sqrt(mean / slabs));
    // The variance of (n - mean)^2 is mean + 2 mean^2.
    CHECK(std::abs(squares / slabs - mean) < normal_bound * std::sqrt((mean + 2 * mean * mean) / slabs));

    // Classes of at least 20 expected slabs each, the tails gathered.
    std::vector<double> counted, expected;
    double count = 0, probability = 0, below = 0, counted_below = 0;
    const long end = static_cast<long>(mean + 40 * std::sqrt(mean) + 40);
    for (long k = 0; k < end; ++k) {
      const double x = static_cast<double>(k);
      probability += std::exp(x * std::log(mean) - mean - std::lgamma(x + 1));
      count += seen.count(k) != 0 ? seen[k] : 0;
      const double rest = (1 - below - probability) * slabs;
      if (probability * slabs >= 20 && rest >= 20) {
        counted.push_back(count);
        expected.push_back(probability * slabs);
        below += probability;
        counted_below += count;
        count = probability = 0;
      }
    }
    counted.push_back(slabs - counted_below);
    expected.push_back((1 - below) * slabs);
    if (counted.size() > 1) CHECK(std::abs(chi_square_deviation(counted, expected)) < normal_bound);
  }
}

TEST_CASE("Poisson intervals are exponential and independent, with every path of the draw", "[poisson]") {
  struct Case {
    const char* what;
    std::uint32_t size, length;
    double rate;
    bool alike;
  };
  for (const Case& c :
       {Case{"a word per event", 256, 65536, 5000, true}, Case{"short slabs", 256, 1024, 5000, true},
        Case{"odd length", 256, 60001, 5000, true}, Case{"odd size", 100, 65536, 5000, true},
        Case{"one neuron", 1, 50000, 50000, true}, Case{"unequal rates", 200, 65536, 5000, false}}) {
    INFO(c.what);
    std::vector<double> rates(c.size, c.rate);
    if (!c.alike)
      for (std::uint32_t j = 0; j < c.size; ++j) rates[j] = j % 7 == 0 ? 0 : 100.0 * j;
    const PoissonUnit unit(rates, c.alike);
    double total = 0;
    for (const double r : rates) total += r;
    const Tick duration = static_cast<Tick>(400'000 / total * 1e9);

    std::vector<Tick> last(c.size, -1);
    std::vector<double> intervals, previous, next, counts(c.size, 0), expected;
    std::vector<double> before(c.size, -1), offsets;
    for (Tick from = 0; from < duration; from += c.length) {
      auto events = unit(from, c.length);
      std::sort(events.begin(), events.end());
      for (const Event& e : events) {
        REQUIRE(e.neuron < c.size);
        REQUIRE(e.tick >= from);
        REQUIRE(e.tick < from + c.length);
        ++counts[e.neuron];
        offsets.push_back((static_cast<double>(e.tick - from) + 0.5) / c.length);
        if (last[e.neuron] >= 0) {
          const double i = (static_cast<double>(e.tick - last[e.neuron])) * 1e-9 * rates[e.neuron];
          intervals.push_back(i);
          if (before[e.neuron] >= 0) {
            previous.push_back(before[e.neuron]);
            next.push_back(i);
          }
          before[e.neuron] = i;
        }
        last[e.neuron] = e.tick;
      }
    }
    const double slabs = std::ceil(static_cast<double>(duration) / c.length);
    for (const double r : rates) expected.push_back(r * slabs * c.length * 1e-9);
    REQUIRE(intervals.size() > 300'000);
    // A neuron's first interval and the cut at the end shorten the sample's intervals by about one in its
    // number.
    CHECK(kolmogorov(intervals, [](double x) { return 1 - std::exp(-x); }) < kolmogorov_bound);
    CHECK(kolmogorov(offsets, [](double x) { return x; }) < kolmogorov_bound);
    if (c.size > 1) CHECK(std::abs(chi_square_deviation(counts, expected)) < normal_bound);
    double correlation = 0;
    for (std::size_t i = 0; i < previous.size(); ++i) correlation += (previous[i] - 1) * (next[i] - 1);
    CHECK(std::abs(correlation) < normal_bound * std::sqrt(static_cast<double>(previous.size())));
  }
}

TEST_CASE("Poisson slabs, units and seeds are independent of each other", "[poisson]") {
  constexpr int n = 20'000;
  constexpr std::uint32_t length = 4096;
  const double rate = 20 / (256 * length * 1e-9);
  const PoissonUnit a(256, rate), other_unit(256, rate, 1256), other_seed(256, rate, 1000, 12);
  double next_slab = 0, between_units = 0, between_seeds = 0, far = 0;
  const auto centred = [](const std::vector<Event>& e) {
    return (static_cast<double>(e.size()) - 20) / std::sqrt(20.0);
  };
  double last = 0;
  for (int s = 0; s < n; ++s) {
    const Tick from = Tick{s} * length;
    const double x = centred(a(from, length));
    next_slab += last * x;
    between_units += x * centred(other_unit(from, length));
    between_seeds += x * centred(other_seed(from, length));
    far += x * centred(a(from + (Tick{1} << 32), length));  // differs in the upper word of the time only
    last = x;
  }
  for (const double c : {next_slab, between_units, between_seeds, far})
    CHECK(std::abs(c) < normal_bound * std::sqrt(n));

  const auto first = a(0, length);
  CHECK(first != a(length, length));
  CHECK(first != other_seed(0, length));
}

TEST_CASE(
    "the same slab gives the same Poisson events, whatever was drawn in between and however small the sink",
    "[poisson]") {
  for (const bool alike : {true, false}) {
    const PoissonUnit unit(std::vector<double>(256, 80'000.0), alike);  // more than one batch per slab
    const auto once = unit(1 << 20, 65536);
    CHECK(once.size() > 1100);
    unit(0, 65536);
    CHECK(unit(1 << 20, 65536) == once);

    std::vector<std::uint32_t> room(once.size() + 5);
    spinet::EventSink tight{room.data(), 5, static_cast<std::uint32_t>(once.size()) + 4};
    CHECK(source("poisson").generate(&unit.unit(), 1 << 20, 65536, &tight) == 0);
    CHECK(tight.size == 5);
    tight.capacity += 1;
    CHECK(source("poisson").generate(&unit.unit(), 1 << 20, 65536, &tight) == 1);  // appends
    CHECK(tight.size == room.size());
  }
}

TEST_CASE("Poisson neurons of rate 0 are silent", "[poisson]") {
  CHECK(PoissonUnit(256, 0)(0, 65536).empty());
  CHECK(PoissonUnit(std::vector<double>(256, 0), false)(0, 65536).empty());
  std::vector<double> rates(256, 0);
  rates[255] = 1e6;
  rates[0] = 1e6;
  for (const Event& e : PoissonUnit(rates, false)(0, 65536)) CHECK((e.neuron == 0 || e.neuron == 255));
}

TEST_CASE("poisson describes itself", "[poisson]") {
  const auto& t = source("poisson");
  CHECK(t.superposable == 1);
  REQUIRE(t.model.params.count == 1);
  CHECK(std::string(t.model.params.data[0].name) == "rate");
  CHECK((t.model.params.data[0].flags & spinet::scheduled) != 0);
  const double rate = 20'000;          // Hz
  CHECK(t.rate(&rate) == Approx(20));  // per ms
}

TEST_CASE("spike_source gives what is listed in [from, from + length)", "[spike_source]") {
  const auto& t = source("spike_source");
  CHECK(t.superposable == 0);
  const std::vector<spinet::ListedSpike> listed = {{0, 2},   {99, 0},  {100, 1},
                                                   {100, 1}, {100, 5}, {70'000, 3}};
  const char no_params = 0;
  spinet::SourceUnit unit{0, 6, &no_params, 1, 0, listed.data(), listed.size(), {1, 1}, {1e6}};
  CHECK(t.rate(&no_params) == 0);

  std::vector<std::uint32_t> room(10);
  const auto generate = [&](Tick from, std::uint32_t length) {
    spinet::EventSink sink{room.data(), 0, 10};
    REQUIRE(t.generate(&unit, from, length, &sink) == 1);
    std::vector<Event> events;
    for (std::uint32_t i = 0; i < sink.size; ++i)
      events.push_back({from + (room[i] >> 16), room[i] & 0xffff});
    return events;
  };
  CHECK(generate(0, 100) == std::vector<Event>{{0, 2}, {99, 0}});
  CHECK(generate(100, 1) == std::vector<Event>{{100, 1}, {100, 1}, {100, 5}});  // two spikes at once stay two
  CHECK(generate(101, 60'000).empty());
  CHECK(generate(50'000, 65'536) == std::vector<Event>{{70'000, 3}});
  CHECK(generate(0, 65'536).size() == 5);
  CHECK(generate(70'001, 65'536).empty());

  spinet::EventSink small{room.data(), 0, 2};
  CHECK(t.generate(&unit, 100, 1, &small) == 0);
  CHECK(small.size == 0);
  unit.listed = nullptr;
  unit.listed_count = 0;
  CHECK(generate(0, 1000).empty());
}
