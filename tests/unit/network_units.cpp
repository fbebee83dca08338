#include <catch2/catch.hpp>
#include <cmath>

#include "network/expression.hpp"
#include "network/suggest.hpp"
#include "network/units.hpp"

using namespace spinet;

static double in(std::string_view text, std::string_view unit) {
  return parse_quantity(text).in(*parse_unit(unit));
}

TEST_CASE("a number read in its own unit is the number written") {
  for (const char* u : {"ms", "mV", "pA", "pF", "nS", "Hz", "1", "kHz", "Oe", "GOhm", "uA", "pA/ms", "mT"}) {
    CHECK(in(std::string("87.8 ") + u, u) == 87.8);
    CHECK(in(std::string("-0.1 ") + u, u) == -0.1);
    CHECK(in(std::string("1e-300 ") + u, u) == 1e-300);
  }
}

TEST_CASE("conversions round once") {
  CHECK(in("1.5 ms", "ns") == 1.5e6);
  CHECK(in("0.3 ms", "ns") == 3e5);
  CHECK(in("1 s", "ms") == 1000);
  CHECK(in("250 us", "ms") == 0.25);
  CHECK(in("20 kHz", "Hz") == 20000);
  CHECK(in("5 1/ms", "Hz") == 5000);
  CHECK(in("10 %", "1") == 0.1);
  CHECK(in("2 h", "s") == 7200);
  CHECK(in("1 min", "s") == 60);
  CHECK(in("1 d", "h") == 24);
  CHECK(in("90 Oe", "G") == 90);
  CHECK(in("1 T", "G") == 1e4);
  CHECK(in("2 nS*mV", "pA") == 2);
  CHECK(in("3 mV^2", "V^2") == Approx(3e-6).epsilon(1e-15));
  CHECK(in("1 nF*mV/ms", "nA") == 1);
  CHECK(in("1 g", "kg") == 1e-3);
  CHECK(in("1 eV", "J") == 1.602176634e-19);
  CHECK(in("5 µs", "us") == 5);  // both micro signs
  CHECK(in("5 μs", "us") == 5);
  CHECK(in("5 MΩ", "MOhm") == 5);
  CHECK(in("7ms", "ms") == 7);
}

TEST_CASE("what is no unit") {
  for (const char* u : {"x", "mmV", "m s", "mV/", "/ms", "mV^", "mV^x", "ms^12", "kk", "Pa", "mv", "k%",
                        "kmin", "ms ms", "^2"}) {
    INFO(u);
    CHECK_FALSE(parse_unit(u));
  }
  CHECK(nearest_unit("mv", parse_unit("V")->dimension) == "mV");
  CHECK(nearest_unit("PA", parse_unit("A")->dimension) == "pA");
  CHECK(nearest_unit("msec", parse_unit("s")->dimension).empty());
  CHECK(dimension_name(parse_unit("mV")->dimension) == "a voltage");
  CHECK(dimension_name(parse_unit("Ohm*F")->dimension) == "a time");
  CHECK(dimension_name(parse_unit("pA/ms")->dimension) == "a quantity in s^-1 A");
}

static Quantity names(std::string_view n) {
  if (n == "J") return {0.1, -3, parse_unit("V")->dimension};
  if (n == "g") return {5, 0, {}};
  if (n == "C") return {250, -12, parse_unit("F")->dimension};
  if (n == "tau") return {0.5, -3, parse_unit("s")->dimension};
  throw ExpressionError(0, n.size(), "unknown");
}
static double value(std::string_view text, std::string_view unit) {
  const auto q = evaluate(text, names);
  const auto u = *parse_unit(unit);
  REQUIRE(q.dimension == u.dimension);
  return q.in(u);
}

TEST_CASE("expressions keep units and the numbers of the parameters") {
  CHECK(value("-g*J", "mV") == -0.5);
  CHECK(value("J*C/tau", "pA") == 50);
  CHECK(value("-g*J*C/tau", "pA") == -250);
  CHECK(value("2 + 3*4", "1") == 14);
  CHECK(value("2*(3+4)", "1") == 14);
  CHECK(value("2^3^2", "1") == 512);
  CHECK(value("-2^2", "1") == -4);
  CHECK(value("2^-1", "1") == 0.5);
  CHECK(value("10 - 4 - 3", "1") == 3);
  CHECK(value("8/4/2", "1") == 1);
  CHECK(value("1 ms + 0.5 ms", "ms") == 1.5);
  CHECK(value("1 s + 1 ms", "ms") == 1001);
  CHECK(value("1 ms - 250 us", "ms") == 0.75);
  CHECK(value("J + 0", "mV") == 0.1);
  CHECK(value("sqrt(4 mV^2)", "mV") == 2);
  CHECK(value("sqrt(J*J)", "mV") == Approx(0.1).epsilon(1e-15));
  CHECK(value("sqrt(2)", "1") == std::sqrt(2.0));
  CHECK(value("max(1 ms, tau, 2 ms)", "ms") == 2);
  CHECK(value("min(J, 1 V)", "mV") == 0.1);
  CHECK(value("abs(-J)", "mV") == 0.1);
  CHECK(value("round(20683*0.1)", "1") == 2068);
  CHECK(value("floor(2.9) + ceil(2.1)", "1") == 5);
  CHECK(value("exp(1)", "1") == 2.718281828459045);
  CHECK(value("ln(e) + log10(100)", "1") == 3);
  CHECK(value("ln(1-0.1009)/ln(1-1/(20683*20683))", "1") ==
        Approx(std::log(1 - 0.1009) / std::log1p(-1 / (20683.0 * 20683.0))).epsilon(1e-6));
  CHECK(value("cos(pi)", "1") == -1);
  CHECK(value("pow(2, 10)", "1") == 1024);
  CHECK(value("$g * 2", "1") == 10);
  CHECK(value(" 3 ", "1") == 3);
}

TEST_CASE("expressions that mean nothing") {
  for (const char* bad :
       {"",          "1+",    "J+1",      "J+tau",  "J^0.3",    "2^J",   "exp(J)", "sqrt(-1)",
        "sqrt(J)",   "1/0",   "0^-1",     "(1",     "1)",       "1 2",   "f(1)",   "sqrt()",
        "sqrt(1,2)", "max()", "max(J,1)", "10^999", "exp(1e9)", "ln(0)", "ln(-1)", "nothing",
        "3 xyz",     "1..2",  "*2",       "$",      "J J",      "\"x\""}) {
    INFO(bad);
    CHECK_THROWS_AS(evaluate(bad, names), ExpressionError);
  }
}

TEST_CASE("did you mean") {
  CHECK(edit_distance("tau_m", "tau_n") == 1);
  CHECK(edit_distance("ab", "ba") == 1);
  CHECK(edit_distance("V", "v") == 0);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(nearest("I_cd", {"I_dc", "C_m"}) == "I_dc");
  CHECK(nearest("zzz", {"I_dc", "C_m"}).empty());
  CHECK(nearest("", {"I_dc"}).empty());
}
