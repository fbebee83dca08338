// spinet/math.hpp against MPFR: errors in units of the last place, special values, ends of the range.
// `unit "[math-long]"` runs the same comparison over 5 * 10^7 points.
#include "spinet/math.hpp"

#include <mpfr.h>

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "spinet/math_batch.hpp"
#include "spinet/neuron.hpp"
#include "spinet/random.hpp"

namespace {

namespace math = spinet::math;
using math::infinity;

constexpr double smallest = std::numeric_limits<double>::denorm_min();
constexpr double largest = std::numeric_limits<double>::max();
bool is_negative_zero(double x) { return x == 0 && std::signbit(x); }
bool is_nan(double x) { return x != x; }

/// An MPFR number of 200 bits: enough that the reference itself is certain to far below the last place.
class Real {
 public:
  Real() { mpfr_init2(x_, 200); }
  ~Real() { mpfr_clear(x_); }
  Real(const Real&) = delete;
  Real& operator=(const Real&) = delete;
  operator mpfr_ptr() { return x_; }

 private:
  mpfr_t x_;
};

/// Distance of `got` from `exact` in units of the last place of the double nearest to `exact`.
/// Infinite if the one is finite or a number and the other is not.
double error_in_ulp(double got, mpfr_ptr exact) {
  static Real difference;
  const double nearest = mpfr_get_d(exact, MPFR_RNDN);
  if (is_nan(nearest) || is_nan(got)) return is_nan(nearest) && is_nan(got) ? 0 : infinity;
  if (std::isinf(nearest)) return got == nearest ? 0 : infinity;
  if (std::isinf(got)) return infinity;
  const double size = std::max(std::abs(nearest), std::numeric_limits<double>::min());
  const int exponent = std::ilogb(size) - 52;
  mpfr_sub_d(difference, exact, got, MPFR_RNDN);
  mpfr_mul_2si(difference, difference, -exponent, MPFR_RNDN);
  return std::abs(mpfr_get_d(difference, MPFR_RNDN));
}

/// Worst error of one function over the points it has been shown.
struct Worst {
  double error = 0, x = 0, y = 0;
  void see(double e, double at, double also = 0) {
    if (!(e <= error)) error = e, x = at, y = also;
  }
};

class Numbers {
 public:
  explicit Numbers(std::uint64_t entity) : entity_(entity) {}
  std::uint64_t bits() {
    const auto w = spinet::draw({20, 5}, entity_, counter_++);
    return (std::uint64_t{w[0]} << 32) | w[1];
  }
  double between(double a, double b) { return a + (b - a) * (static_cast<double>(bits() >> 11) * 0x1p-53); }
  /// Any double: all signs, exponents and kinds alike.
  double any() { return std::bit_cast<double>(bits()); }
  /// Magnitudes of all exponents of [a, b] alike, either sign.
  double spread(double a, double b) {
    const double size = std::exp2(between(std::log2(a), std::log2(b)));
    return (bits() & 1) != 0 ? size : -size;
  }

 private:
  std::uint64_t entity_, counter_ = 0;
};

using Function = double (*)(double) noexcept;
using Reference = int (*)(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t);

template <class Points>
Worst compare(Function f, Reference reference, std::size_t n, Points&& point) {
  Worst worst;
  Real x, exact;
  for (std::size_t i = 0; i < n; ++i) {
    const double at = point();
    mpfr_set_d(x, at, MPFR_RNDN);
    reference(exact, x, MPFR_RNDN);
    worst.see(error_in_ulp(f(at), exact), at);
  }
  return worst;
}

/// Every double of the `count` on either side of `x`.
struct Around {
  explicit Around(double x, int count) : at(std::bit_cast<std::int64_t>(x) - count) {}
  std::int64_t at;
  double operator()() { return std::bit_cast<double>(at++); }
};

#define NO_WORSE_THAN(limit, ...)                                     \
  do {                                                                \
    const Worst worst = __VA_ARGS__;                                  \
    INFO("worst at " << std::hexfloat << worst.x << ", " << worst.y); \
    CHECK(worst.error < (limit));                                     \
  } while (false)

/// As models with `wide = true` have it: compiled for AVX2.
[[SPINET_WIDE]] void exp_each_wide(double* x, std::size_t n) { math::exp_each(x, n); }
[[SPINET_WIDE]] void expm1_each_wide(double* x, std::size_t n) { math::expm1_each(x, n); }

void check_each(void (*f)(double*, std::size_t), double (*of_one)(double)) {
  Numbers u(77);
  std::size_t wrong = 0;
  for (std::size_t n = 0; n < 70; ++n)
    for (int kind = 0; kind < 6; ++kind) {
      std::vector<double> x(n), y;
      for (auto& a : x)
        a = kind == 0   ? u.between(-1, 1)
            : kind == 1 ? u.between(-699, 699)
            : kind == 2 ? u.between(-800, 800)
            : kind == 3 ? u.any()
                        : u.spread(1e-320, 1);
      for (std::size_t i = 0; i < n && kind == 4; i += 2) x[i] = -x[i];
      if (kind == 5 && n) x[n / 2] = std::numeric_limits<double>::quiet_NaN();
      y = x;
      f(y.data(), n);
      for (std::size_t i = 0; i < n; ++i)
        wrong += std::bit_cast<std::uint64_t>(y[i]) != std::bit_cast<std::uint64_t>(of_one(x[i]));
    }
  CHECK(wrong == 0);
}

void sweep(std::size_t n, std::uint64_t entity) {
  Numbers u(entity);
  SECTION("exp") {
    NO_WORSE_THAN(0.55, compare(math::exp, mpfr_exp, n, [&] { return u.between(-1, 1); }));
    NO_WORSE_THAN(0.55, compare(math::exp, mpfr_exp, n, [&] { return u.between(-708, 708); }));
    NO_WORSE_THAN(0.55, compare(math::exp, mpfr_exp, n, [&] { return u.between(-746, -707); }));
    NO_WORSE_THAN(0.55, compare(math::exp, mpfr_exp, n, [&] { return u.between(707, 710); }));
    NO_WORSE_THAN(0.55, compare(math::exp, mpfr_exp, n / 4, [&] { return u.any(); }));
    NO_WORSE_THAN(0.55, compare(math::exp, mpfr_exp, n / 4, [&] { return u.spread(1e-320, 1); }));
  }
  SECTION("expm1") {
    NO_WORSE_THAN(0.8, compare(math::expm1, mpfr_expm1, n, [&] { return u.between(-0.26, 0.26); }));
    NO_WORSE_THAN(0.8, compare(math::expm1, mpfr_expm1, n, [&] { return u.between(-2, 2); }));
    NO_WORSE_THAN(0.8, compare(math::expm1, mpfr_expm1, n / 2, [&] { return u.between(-45, 710); }));
    NO_WORSE_THAN(0.8, compare(math::expm1, mpfr_expm1, n / 4, [&] { return u.any(); }));
    NO_WORSE_THAN(0.8, compare(math::expm1, mpfr_expm1, n / 4, [&] { return u.spread(smallest, 1); }));
  }
  SECTION("log") {
    NO_WORSE_THAN(0.52, compare(math::log, mpfr_log, n, [&] { return std::abs(u.any()); }));
    NO_WORSE_THAN(0.52, compare(math::log, mpfr_log, n, [&] { return u.between(0.5, 2); }));
    NO_WORSE_THAN(0.52, compare(math::log, mpfr_log, n, [&] { return 1 + u.spread(1e-16, 0.1); }));
    NO_WORSE_THAN(
        0.52, compare(math::log, mpfr_log, n / 4, [&] { return std::abs(u.spread(smallest, 0x1p-1020)); }));
  }
  SECTION("log1p") {
    NO_WORSE_THAN(0.52, compare(math::log1p, mpfr_log1p, n, [&] { return u.spread(1e-17, 0.99); }));
    NO_WORSE_THAN(0.52, compare(math::log1p, mpfr_log1p, n, [&] { return u.between(-1, 3); }));
    NO_WORSE_THAN(0.52, compare(math::log1p, mpfr_log1p, n / 4, [&] { return std::abs(u.any()); }));
    NO_WORSE_THAN(0.52,
                  compare(math::log1p, mpfr_log1p, n / 4, [&] { return -1 + std::abs(u.spread(1e-16, 1)); }));
  }
  SECTION("tanh") {
    NO_WORSE_THAN(2.5, compare(math::tanh, mpfr_tanh, n, [&] { return u.between(-3, 3); }));
    NO_WORSE_THAN(2.5, compare(math::tanh, mpfr_tanh, n / 4, [&] { return u.between(-25, 25); }));
    NO_WORSE_THAN(2.5, compare(math::tanh, mpfr_tanh, n / 4, [&] { return u.any(); }));
  }
  SECTION("pow") {
    auto power = [&](std::size_t count, auto&& base, auto&& exponent) {
      Worst worst;
      Real x, y, exact;
      for (std::size_t i = 0; i < count; ++i) {
        const double a = base(), b = exponent(a);
        mpfr_set_d(x, a, MPFR_RNDN);
        mpfr_set_d(y, b, MPFR_RNDN);
        mpfr_pow(exact, x, y, MPFR_RNDN);
        worst.see(error_in_ulp(math::pow(a, b), exact), a, b);
      }
      return worst;
    };
    // Exponents that spread the result over the whole range, subnormals and overflow included.
    auto filling = [&](double a) { return u.between(-750, 715) / std::log(a); };
    NO_WORSE_THAN(0.56, power(
                            n, [&] { return std::abs(u.any()); }, filling));
    NO_WORSE_THAN(0.56, power(
                            n, [&] { return 1 + u.spread(1e-15, 0.3); }, filling));
    NO_WORSE_THAN(0.56, power(
                            n, [&] { return u.between(0, 10); }, [&](double) { return u.between(-20, 20); }));
    NO_WORSE_THAN(0.56,
                  power(
                      n / 4, [&] { return u.between(-5, 5); },
                      [&](double) { return static_cast<double>(static_cast<int>(u.bits() % 401) - 200); }));
    NO_WORSE_THAN(0.56, power(
                            n / 4, [&] { return u.any(); }, [&](double) { return u.any(); }));
    NO_WORSE_THAN(0.56, power(
                            n / 8, [&] { return std::abs(u.spread(smallest, 0x1p-1020)); },
                            [&](double) { return u.between(-1, 1.1); }));
  }
}

}  // namespace

TEST_CASE("elementary functions agree with MPFR to the last place", "[math]") { sweep(40'000, 1); }

TEST_CASE("elementary functions agree with MPFR over many points", "[.][math-long]") { sweep(3'000'000, 2); }

TEST_CASE("elementary functions at joints and ends of their ranges", "[math]") {
  constexpr int n = 2000;
  for (const double x :
       {700.0, -700.0, 708.0, -708.0, 709.782712893384, -708.3964185322641, -745.1332191019411,
        0.00541521234812457, 0.0108304246962491, 0.25, -0.25, 1.0, -1.0}) {
    NO_WORSE_THAN(0.55, compare(math::exp, mpfr_exp, 2 * n, Around(x, n)));
    NO_WORSE_THAN(0.8, compare(math::expm1, mpfr_expm1, 2 * n, Around(x, n)));
  }
  for (const double x : {1.0, 0.5, 2.0, 1.4, 0.7, 0x1p-1022, 1.00260416666, 0.9986979166, largest / 2}) {
    NO_WORSE_THAN(0.52, compare(math::log, mpfr_log, 2 * n, Around(x, n)));
    NO_WORSE_THAN(0.52, compare(math::log1p, mpfr_log1p, 2 * n, Around(x, n)));
  }
  for (const double x : {0x1p-54, -0x1p-53, 0x1p-21, -0x1p-22, 0x1p-8, -0x1p-9, -0.5, 0x1p53})
    NO_WORSE_THAN(0.52, compare(math::log1p, mpfr_log1p, 2 * n, Around(x, n)));
}

TEST_CASE("special values of the elementary functions", "[math]") {
  const double nan = math::nan;
  CHECK(math::exp(0.0) == 1);
  CHECK(math::exp(-0.0) == 1);
  CHECK(math::exp(infinity) == infinity);
  CHECK(math::exp(-infinity) == 0);
  CHECK(math::exp(710.0) == infinity);
  CHECK(math::exp(-746.0) == 0);
  CHECK(math::exp(-745.0) == smallest);
  CHECK(is_nan(math::exp(nan)));

  CHECK(math::expm1(infinity) == infinity);
  CHECK(math::expm1(-infinity) == -1);
  CHECK(math::expm1(0.0) == 0);
  CHECK(is_negative_zero(math::expm1(-0.0)));
  CHECK(math::expm1(smallest) == smallest);
  CHECK(math::expm1(-smallest) == -smallest);
  CHECK(is_nan(math::expm1(nan)));

  CHECK(math::log(0.0) == -infinity);
  CHECK(math::log(-0.0) == -infinity);
  CHECK(math::log(infinity) == infinity);
  CHECK(is_nan(math::log(-1.0)));
  CHECK(is_nan(math::log(-infinity)));
  CHECK(is_nan(math::log(nan)));
  CHECK(math::log(1.0) == 0);
  CHECK_FALSE(std::signbit(math::log(1.0)));

  CHECK(math::log1p(-1.0) == -infinity);
  CHECK(is_nan(math::log1p(-1.5)));
  CHECK(is_nan(math::log1p(-infinity)));
  CHECK(math::log1p(infinity) == infinity);
  CHECK(is_negative_zero(math::log1p(-0.0)));
  CHECK(math::log1p(smallest) == smallest);
  CHECK(is_nan(math::log1p(nan)));

  CHECK(math::tanh(infinity) == 1);
  CHECK(math::tanh(-infinity) == -1);
  CHECK(is_negative_zero(math::tanh(-0.0)));
  CHECK(math::tanh(-smallest) == -smallest);
  CHECK(is_nan(math::tanh(nan)));

  CHECK(math::sqrt(2.0) == std::sqrt(2.0));
  CHECK(is_negative_zero(math::sqrt(-0.0)));
  CHECK(math::floor_int(-0.5) == -1);
  CHECK(math::floor_int(-2.0) == -2);
  CHECK(math::floor_int(2.9) == 2);
}

TEST_CASE("pow has the special values of C's pow", "[math]") {
  // Every pair of these, against the C library's, which follows the standard's list.
  const double values[] = {0.0,         -0.0,    1.0,      -1.0,       2.0,        -2.0,        3.0,
                           -3.0,        0.5,     -0.5,     1.5,        -1.5,       smallest,    -smallest,
                           0x1p-1022,   largest, -largest, 0x1p52 + 1, 0x1p53 - 1, -0x1p53 + 1, 0x1p53,
                           0x1p63,      0x1p64,  -0x1p65,  infinity,   -infinity,  math::nan,   1 + 0x1p-52,
                           1 - 0x1p-53, 0x1p-70, -0x1p-70};
  for (const double x : values)
    for (const double y : values) {
      const double expected = std::pow(x, y), got = math::pow(x, y);
      INFO(x << " ^ " << y << " = " << got << ", expected " << expected);
      if (is_nan(expected)) {
        CHECK(is_nan(got));
      } else if (expected == 0 || std::isinf(expected)) {
        CHECK(std::bit_cast<std::uint64_t>(expected) == std::bit_cast<std::uint64_t>(got));
      } else {
        CHECK(std::abs(got - expected) <= std::abs(expected) * 0x1p-52);
      }
    }
}

TEST_CASE("normal_quantile inverts the normal distribution", "[math]") {
  // Phi(x) = erfc(-x / sqrt 2) / 2 in MPFR; the error in p divided by density gives the error in x.
  Real x, p, density, pi;
  mpfr_const_pi(pi, MPFR_RNDN);
  Numbers u(3);
  double worst = 0;
  for (int i = 0; i < 20'000; ++i) {
    const double q = i % 2 == 0 ? u.between(0, 1) : std::abs(u.spread(1e-300, 0.5));
    const double z = math::normal_quantile(q);
    mpfr_set_d(x, z, MPFR_RNDN);
    mpfr_set_ui(density, 2, MPFR_RNDN);
    mpfr_sqrt(density, density, MPFR_RNDN);
    mpfr_div(p, x, density, MPFR_RNDN);
    mpfr_neg(p, p, MPFR_RNDN);
    mpfr_erfc(p, p, MPFR_RNDN);
    mpfr_div_2ui(p, p, 1, MPFR_RNDN);
    mpfr_sub_d(p, p, q, MPFR_RNDN);
    mpfr_sqr(x, x, MPFR_RNDN);
    mpfr_div_2ui(x, x, 1, MPFR_RNDN);
    mpfr_exp(x, x, MPFR_RNDN);
    mpfr_mul(p, p, x, MPFR_RNDN);
    mpfr_mul_2ui(density, pi, 1, MPFR_RNDN);
    mpfr_sqrt(density, density, MPFR_RNDN);
    mpfr_mul(p, p, density, MPFR_RNDN);
    worst = std::max(worst, std::abs(mpfr_get_d(p, MPFR_RNDN) / z));
  }
  CHECK(worst < 2e-15);
  CHECK(math::normal_quantile(0.5) == 0);
  CHECK(math::normal_quantile(0.0) == -infinity);
  CHECK(math::normal_quantile(1.0) == infinity);
  CHECK(is_nan(math::normal_quantile(-1e-9)));
  CHECK(is_nan(math::normal_quantile(1.1)));
  CHECK(is_nan(math::normal_quantile(math::nan)));
}

TEST_CASE("log_factorial is that of the gamma function", "[math]") {
  Real x, exact;
  for (std::int64_t k = 0; k < 5'000'000; k < 3000 ? ++k : k += 9973) {
    mpfr_set_ui(x, static_cast<unsigned long>(k + 1), MPFR_RNDN);
    mpfr_lngamma(exact, x, MPFR_RNDN);
    const double expected = mpfr_get_d(exact, MPFR_RNDN);
    CHECK(std::abs(math::log_factorial(k) - expected) <= 4e-16 * expected);
  }
}

TEST_CASE("exp_each gives the bits of exp", "[math]") {
  const auto exp = [](double x) { return math::exp(x); };
  check_each([](double* x, std::size_t n) { math::exp_each(x, n); }, exp);
  if (spinet::detail::wide()) check_each(exp_each_wide, exp);
  else WARN("this CPU has no AVX2: not tested");
}

TEST_CASE("expm1_each gives the bits of expm1", "[math]") {
  const auto expm1 = [](double x) { return math::expm1(x); };
  check_each([](double* x, std::size_t n) { math::expm1_each(x, n); }, expm1);
  if (spinet::detail::wide()) check_each(expm1_each_wide, expm1);
  else WARN("this CPU has no AVX2: not tested");
}

TEST_CASE("log_each is the logarithm", "[math]") {
  std::uint64_t counter = 0;
  const auto uniform = [&](double low, double high) {
    const auto w = spinet::draw({5, 6}, 7, counter++);
    return low + (high - low) * spinet::uniform01(w[0], w[1]);
  };
  double worst = 0, near_one = 0;
  for (int i = 0; i < 20'000; ++i) {
    double x[7], given[7];
    for (int k = 0; k < 7; ++k)
      x[k] = given[k] = k % 2 ? std::exp(uniform(-700, 700)) : 1 + std::exp(uniform(-30, -1));
    math::log_each(x, 7);
    for (int k = 0; k < 7; ++k) {
      const long double exact = logl(static_cast<long double>(given[k]));
      const auto off = static_cast<double>(fabsl(static_cast<long double>(x[k]) - exact) / fabsl(exact));
      (k % 2 ? worst : near_one) = std::max(k % 2 ? worst : near_one, off);
    }
  }
  CHECK(worst < 4e-16);
  CHECK(near_one < 4e-16);
}

namespace {
[[SPINET_WIDE]] void normal_each_wide(const std::uint32_t* words, float* z, std::size_t n) {
  math::normal_each(words, z, n);
}
}  // namespace

TEST_CASE("normal_each is the quantile of a word, alike for both signs, by one or many", "[math]") {
  std::vector<std::uint32_t> words = {0, 1, 2, 3, 0xFFFFFFFEu, 0xFFFFFFFFu};
  for (std::uint64_t k = 0; k < 200'000; ++k) words.push_back(spinet::draw({1, 2}, 3, k)[0]);
  for (std::uint32_t k = 0; k < 20'000; ++k) words.push_back(4096 * k + k % 2);  // tails
  std::vector<float> z(words.size()), wide(words.size());
  math::normal_each(words.data(), z.data(), z.size());
  normal_each_wide(words.data(), wide.data(), wide.size());
  CHECK((!spinet::detail::wide() || z == wide));
  double middle = 0, tail = 0;
  bool alone_alike = true, signs_alike = true;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const double p = (static_cast<double>(words[i] >> 1) + 0.5) * 0x1p-32;
    const double exact = (words[i] & 1u ? 1 : -1) * math::normal_quantile(p), size = std::abs(exact);
    const double off = std::abs(static_cast<double>(z[i]) - exact) / std::max(size, 0.3);
    (size < 2.9 ? middle : tail) = std::max(size < 2.9 ? middle : tail, off);
    float alone, other;
    const std::uint32_t opposite = words[i] ^ 1u;
    math::normal_each(&words[i], &alone, 1);
    math::normal_each(&opposite, &other, 1);
    alone_alike = alone_alike && alone == z[i];
    signs_alike = signs_alike && other == -z[i];
  }
  CHECK(middle < 1e-6);
  CHECK(tail < 5e-6);
  CHECK(alone_alike);
  CHECK(signs_alike);
}
