// Crossbars as circuits, against a dense solver of its own, analytic cases and a published example.
#include <catch2/catch.hpp>

#include <cmath>
#include <ctime>
#include <random>

#include "circuit/crossbar.hpp"
#include "circuit/readout.hpp"

using namespace spinet::circuit;

namespace {

using Table = std::vector<std::vector<double>>;

/// Solves a x = b by Gauss's elimination with pivots.
std::vector<double> dense(Table a, std::vector<double> b) {
  const std::size_t n = b.size();
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t p = k;
    for (std::size_t i = k; i < n; ++i)
      if (std::fabs(a[i][k]) > std::fabs(a[p][k])) p = i;
    std::swap(a[k], a[p]);
    std::swap(b[k], b[p]);
    for (std::size_t i = k + 1; i < n; ++i) {
      const double f = a[i][k] / a[k][k];
      for (std::size_t j = k; j < n; ++j) a[i][j] -= f * a[k][j];
      b[i] -= f * b[k];
    }
  }
  for (std::size_t k = n; k-- > 0;) {
    for (std::size_t j = k + 1; j < n; ++j) b[k] -= a[k][j] * b[j];
    b[k] /= a[k][k];
  }
  return b;
}

/// All currents of the devices of an Ohmic array with line resistance, the whole circuit written down as a
/// dense matrix: a node at each crossing of each line, first those of rows; terminals join as sources.
std::vector<double> by_hand(const Crossbar& a, const Terminals& at) {
  const std::size_t R = a.rows, C = a.columns, n = R * C;
  Table m(2 * n, std::vector<double>(2 * n, 0.0));
  std::vector<double> b(2 * n, 0.0);
  const auto join = [&](std::size_t p, std::size_t q, double g) {
    m[p][p] += g, m[q][q] += g, m[p][q] -= g, m[q][p] -= g;
  };
  const auto hold = [&](std::size_t p, double V, double g) { m[p][p] += g, b[p] += g * V; };
  for (std::size_t i = 0; i < R; ++i)
    for (std::size_t j = 0; j < C; ++j) {
      join(i * C + j, n + i * C + j, a.conductance[i * C + j]);
      if (j > 0) join(i * C + j - 1, i * C + j, 1 / a.row_resistance);
      if (i > 0) join(n + (i - 1) * C + j, n + i * C + j, 1 / a.column_resistance);
    }
  for (std::size_t i = 0; i < R; ++i)
    if (!std::isnan(at.rows[i])) hold(i * C, at.rows[i], 1 / a.row_resistance);
  for (std::size_t j = 0; j < C; ++j)
    if (!std::isnan(at.columns[j])) hold(n + (R - 1) * C + j, at.columns[j], 1 / a.column_resistance);
  const auto v = dense(m, b);
  std::vector<double> I(n);
  for (std::size_t k = 0; k < n; ++k) I[k] = a.conductance[k] * (v[k] - v[n + k]);
  return I;
}

Crossbar random_array(std::mt19937& random, std::uint32_t rows, std::uint32_t columns) {
  std::uniform_real_distribution<double> decades(-6, -4);
  Crossbar a{rows, columns, {}, 0, 0};
  for (std::uint32_t k = 0; k < rows * columns; ++k) a.conductance.push_back(std::pow(10, decades(random)));
  return a;
}

/// badcrossbar's example (D. Joksas, A. Mehonic, "badcrossbar: A Python tool for computing and plotting
/// currents and voltages in passive crossbar arrays", SoftwareX 2020): inputs and resistances of its page.
Crossbar published() {
  Crossbar a{3, 5, {}, 0.5, 0.5};
  for (const double R : {345, 903, 755, 257, 646, 652, 401, 508, 166, 454, 442, 874, 190, 244, 635})
    a.conductance.push_back(1 / R);
  return a;
}
std::vector<double> grounds(std::uint32_t n) { return std::vector<double>(n, 0.0); }

}  // namespace

TEST_CASE("circuit: the published example of 3 x 5 devices and lines of 0.5 Ohm") {
  Solver solver(published());
  const auto s = solver.solve({{2.6, 1.1, 3.3}, grounds(5)});
  CHECK(s.device_current[3] == Approx(0.009856197822795886).epsilon(1e-12));  // as it prints it
  // The same factors do for another input.
  const Terminals other{{1.5, 2.3, 1.7}, grounds(5)};
  const auto t = solver.solve(other);
  const auto expected = by_hand(published(), other);
  for (std::size_t k = 0; k < 15; ++k) CHECK(t.device_current[k] == Approx(expected[k]).epsilon(1e-12));
}

TEST_CASE("circuit: dense elimination finds the same currents, whatever floats") {
  std::mt19937 random(7);
  for (int trial = 0; trial < 30; ++trial) {
    const std::uint32_t rows = 1 + random() % 5, columns = 1 + random() % 6;
    Crossbar a = random_array(random, rows, columns);
    a.row_resistance = std::pow(10, static_cast<double>(random() % 5) - 1);
    a.column_resistance = std::pow(10, static_cast<double>(random() % 5) - 1);
    Terminals at{{}, {}};
    for (std::uint32_t i = 0; i < rows; ++i)
      at.rows.push_back(random() % 3 && i ? 0.1 * (random() % 7) : floating);
    for (std::uint32_t j = 0; j < columns; ++j)
      at.columns.push_back(random() % 3 || !j ? 0.05 * (random() % 2) : floating);
    const auto s = Solver(a).solve(at);
    const auto expected = by_hand(a, at);
    for (std::size_t k = 0; k < expected.size(); ++k) {
      INFO(trial << " " << k);  // rounding: 1e-12 V, also where no current flows at all
      CHECK(s.device_current[k] == Approx(expected[k]).epsilon(1e-9).margin(1e-12 * a.conductance[k]));
    }
  }
}

TEST_CASE("circuit: two rows and two columns, on paper") {
  // One row driven, one column read, the others afloat: the device read, beside a chain of the three others.
  const double a = 1e-5, b = 2e-5, c = 4e-5, d = 5e-5, V = 0.2;
  const Crossbar array{2, 2, {a, b, c, d}, 0, 0};
  const double sneak = 1 / (1 / b + 1 / d + 1 / c);
  const auto s = Solver(array).solve({{V, floating}, {0, floating}});
  CHECK(s.out_of_columns[0] == Approx(V * (a + sneak)).epsilon(1e-13));
  CHECK(std::fabs(s.out_of_columns[1]) < 1e-19);
  CHECK(s.device_current[3] == Approx(-V * sneak).epsilon(1e-13));  // backwards through the fourth
  // All held: each device by itself, and no equation is solved.
  const auto held = Solver(array).solve({{V, 0}, {0, 0}});
  CHECK(held.out_of_columns == std::vector<double>{V * a, V * b});
  CHECK(held.steps == 0);
  // One device between two lines with resistance: three resistors in series.
  const auto one = Solver({1, 1, {a}, 1e4, 3e4}).solve({{V}, {0}});
  CHECK(one.into_rows[0] == Approx(V / (1 / a + 4e4)).epsilon(1e-13));
}

TEST_CASE(
    "circuit: no sneak currents between grounded lines and a virtual ground; floating lines have them") {
  std::mt19937 random(3);
  const Crossbar a = random_array(random, 12, 9);
  for (const std::uint32_t row : {0U, 5U, 11U}) {
    Terminals grounded{grounds(12), grounds(9)},
        afloat{std::vector<double>(12, floating), std::vector<double>(9, floating)};
    grounded.rows[row] = afloat.rows[row] = 0.1;
    afloat.columns[4] = 0;
    const double device = 0.1 * a.conductance[row * 9 + 4];
    CHECK(Solver(a).solve(grounded).out_of_columns[4] == device);
    const auto s = Solver(a).solve(afloat);
    CHECK(s.out_of_columns[4] > 1.5 * device);
    double in = 0, out = 0;
    for (const double I : s.into_rows) in += I;
    for (const double I : s.out_of_columns) out += I;
    CHECK(in == Approx(out).epsilon(1e-12));
  }
}

TEST_CASE("circuit: currents that grow as sinh, by Newton's method") {
  // Two equal devices in series between V and ground share it; three of another conductance meet in a node.
  const double V_0 = 0.1;
  for (const double V : {0.05, 1.0, 20.0}) {
    const auto s = Solver({2, 1, {1e-6, 1e-6}, 0, 0, V_0}).solve({{V, 0}, {floating}});
    CHECK(s.column_voltage[0] == Approx(V / 2).epsilon(1e-12));
    CHECK(s.device_current[0] == Approx(1e-6 * V_0 * std::sinh(V / 2 / V_0)).epsilon(1e-10));
  }
  std::mt19937 random(5);
  for (int trial = 0; trial < 20; ++trial) {
    Crossbar a = random_array(random, 4, 5);
    a.V_0 = 0.05 * (1 + random() % 4);
    a.row_resistance = trial % 2 ? 50 : 0;
    Terminals at{{1 + 0.1 * trial, 0, floating, floating}, {0, floating, 0, floating, -0.5}};
    const auto s = Solver(a).solve(at);
    double rest = 0, most = 0;  // Kirchhoff's law at the lines that float
    for (const std::uint32_t i : {2, 3}) rest = std::max(rest, std::fabs(s.into_rows[i]));
    for (const std::uint32_t j : {1, 3}) rest = std::max(rest, std::fabs(s.out_of_columns[j]));
    for (std::size_t k = 0; k < 20; ++k) {
      const double V = s.row_voltage[k] - s.column_voltage[k];
      most = std::max(most, std::fabs(s.device_current[k]));
      CHECK(s.device_current[k] == Approx(a.conductance[k] * a.V_0 * std::sinh(V / a.V_0)));
    }
    INFO(trial);
    CHECK(rest < 1e-9 * most);
  }
  // The steeper the devices, the less flows by way of three of them.
  std::mt19937 again(5);
  Crossbar a = random_array(again, 8, 8);
  Terminals afloat{std::vector<double>(8, floating), std::vector<double>(8, floating)};
  afloat.rows[2] = 1, afloat.columns[2] = 0;
  const auto sneak = [&](double v) {
    a.V_0 = v;
    const auto s = Solver(a).solve(afloat);
    return s.out_of_columns[2] / s.device_current[2 * 8 + 2];
  };
  CHECK(sneak(0.05) < 1.01);
  CHECK(sneak(std::numeric_limits<double>::infinity()) > 2);
}

TEST_CASE("circuit: voltages of many V_0 across lines that take most of them") {
  // A device and the two pieces of its lines in series: V = 2 R I + V_0 asinh(I / (G V_0)), by bisection.
  const double V_0 = 0.05, R = 0.5, G = 5e-3;
  for (const double V : {0.02, 2.3, -2.3, 29.9}) {
    double low = 0, high = std::fabs(V) / (2 * R);
    for (int i = 0; i < 200; ++i) {
      const double I = 0.5 * (low + high);
      (2 * R * I + V_0 * std::asinh(I / (G * V_0)) < std::fabs(V) ? low : high) = I;
    }
    const auto s = Solver({1, 1, {G}, R, R, V_0}).solve({{V}, {0}});
    CHECK(s.out_of_columns[0] == Approx(std::copysign(low, V)).epsilon(1e-9));
  }
  // Many devices: what comes along a line, goes on along it or through the device.
  std::mt19937 random(7);
  Crossbar a{3, 5, {}, R, R, V_0};
  for (int k = 0; k < 15; ++k) a.conductance.push_back(5e-4 * (1 + random() % 20));
  for (const double V : {2.3, 25.0}) {
    const auto s = Solver(a).solve({{0.65 * V, V, 0.74 * V}, std::vector<double>(5, 0.0)});
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 5; ++j) {
        const std::size_t k = 5 * i + j;
        const double before = j > 0 ? s.row_voltage[k - 1] : (i == 0 ? 0.65 : i == 1 ? 1 : 0.74) * V;
        const double behind = j < 4 ? s.row_voltage[k + 1] : s.row_voltage[k];
        const double lost = (before - s.row_voltage[k]) / R - (s.row_voltage[k] - behind) / R;
        CHECK(s.device_current[k] == Approx(lost).epsilon(1e-6).margin(1e-9));
        const double across = s.row_voltage[k] - s.column_voltage[k];
        CHECK(s.device_current[k] == Approx(a.conductance[k] * V_0 * std::sinh(across / V_0)));
      }
  }
}

TEST_CASE("circuit: what cannot be solved says why") {
  CHECK_THROWS_WITH(Solver({2, 2, {1, 1, 1}, 0, 0}), Catch::Contains("2 x 2 devices has 3 conductances"));
  CHECK_THROWS_WITH(Solver({1, 1, {-1}, 0, 0}), Catch::Contains("negative or no number"));
  CHECK_THROWS_WITH(Solver({1, 1, {1}, -1, 0}), Catch::Contains("line resistance"));
  CHECK_THROWS_WITH(Solver({2, 1, {1, 0}, 0, 0}).solve({{1, floating}, {0}}),
                    Catch::Contains("row 1 floats, and no device connects it"));
  CHECK_THROWS_WITH(Solver({1, 1, {1}, 0, 0, 1e-3}).solve({{1}, {0}}), Catch::Contains("V_0"));
  CHECK_THROWS_AS(Solver({1, 1, {1}, 0, 0}).solve({{1, 2}, {0}}), CircuitError);
  CHECK_THROWS_WITH(Solver({2, 1, {1e300, 1e300}, 1, 1}).solve({{0.1, 0.1}, {0}}),
                    Catch::Contains("too far apart"));
  for (const double extreme : {1e-300, 5e-324}) {
    const auto s = Solver({2, 2, {extreme, 0, 0, extreme}, 1, 1}).solve({{0.1, 0.1}, {0, 0}});
    CHECK(std::isfinite(s.out_of_columns[0]));
  }
}

TEST_CASE("circuit: the chain of a read-out") {
  ReadOut chain;
  CHECK(outputs(chain, {1e-6, -2e-6}) == std::vector<double>{1e-6, -2e-6});
  chain.current_limit = 1.5e-6;
  CHECK(outputs(chain, {1e-6, -2e-6}) == std::vector<double>{1e-6, -1.5e-6});
  chain.adc = {3, 1.5e-6};  // -1.5 to 1.5 uA in steps of 0.5
  CHECK(outputs(chain, {0.7e-6, -9e-6, 0.2e-6}) == std::vector<double>{0.5e-6, -1.5e-6, 0});
  chain.pairs = true;
  CHECK(outputs(chain, {1e-6, 2e-6, 0.5e-6, 0}) ==
        std::vector<double>{-0.5e-6, 0.5e-6});  // of what the amplifiers took
  CHECK_THROWS_WITH(outputs(chain, {1, 2, 3}), Catch::Contains("3 columns make no pairs"));
  chain.pairs = false;
  chain.reference = 1;
  CHECK(outputs(chain, {1e-6, 1e-6, 0.5e-6}) == std::vector<double>{0, -0.5e-6});
  CHECK_THROWS_AS(outputs(chain, {1}), CircuitError);
  chain.dac = {8, 0.1};
  const auto v = inputs(chain, {0.1, 0, -0.1, 0.2, 0.05});
  CHECK(v[0] == Approx(0.1).epsilon(1e-15));
  CHECK(v[1] == 0);
  CHECK(v[2] == -v[0]);
  CHECK(v[3] == v[0]);
  CHECK(std::fabs(v[4] - 0.05) <= 0.1 / 127 / 2 * (1 + 1e-12));
}

TEST_CASE("circuit: 512 x 512 devices with line resistance", "[.][bench]") {
  std::mt19937 random(1);
  Crossbar a = random_array(random, 512, 512);
  a.row_resistance = a.column_resistance = 1;
  const std::clock_t begin = std::clock();
  Solver solver(a);
  const Terminals at{std::vector<double>(512, 0.1), grounds(512)};
  const auto s = solver.solve(at);
  const std::clock_t first = std::clock();
  solver.solve(at);
  const auto seconds = [](std::clock_t t) { return static_cast<double>(t) / CLOCKS_PER_SEC; };
  WARN("512 x 512 devices: " << seconds(first - begin) << " s, a further input "
                             << seconds(std::clock() - first) << " s; of column 0 "
                             << s.out_of_columns[0] / ideal(a, at.rows)[0]
                             << " of the current without line resistance");
  CHECK(seconds(first - begin) < 60);
}
