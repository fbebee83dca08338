// The parts of `spinet sweep`: --vary, statistics against known values, thinned curves, journals.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "exits.hpp"
#include "sweep/axis.hpp"
#include "sweep/curve.hpp"
#include "sweep/statistics.hpp"
#include "sweep/store.hpp"

using namespace spinet::tool;

TEST_CASE("sweep: ranges include their end, lists keep their order") {
  const auto rate = parse_axis("parameters.rate=0.40:1.25:0.05");
  REQUIRE(rate.values.size() == 18);
  CHECK(rate.values.front() == "0.4");
  CHECK(rate.values[1] == "0.45");
  CHECK(rate.values.back() == "1.25");
  CHECK(rate.numbers);
  CHECK(rate.number(1) == 0.45);
  for (const int n : {3, 7, 10, 33, 1000})  // steps that are no binary fractions
    CHECK(parse_axis("p=0:1:" + std::to_string(1.0L / n)).values.size() >= static_cast<std::size_t>(n));
  CHECK(parse_axis("p=0:1:0.1").values.size() == 11);
  CHECK(parse_axis("p=0:1:0.3").values.size() == 4);
  CHECK(parse_axis("p=3:1:-1").values == std::vector<std::string>{"3", "2", "1"});
  CHECK(parse_axis("p=-0.2:0.2:0.1").values == std::vector<std::string>{"-0.2", "-0.1", "0", "0.1", "0.2"});
  CHECK(parse_axis("p=2:2:1").values == std::vector<std::string>{"2"});
  const auto weight = parse_axis("parameters.J=0.1mV:0.3mV:0.05mV");
  CHECK(weight.values == std::vector<std::string>{"0.1 mV", "0.15 mV", "0.2 mV", "0.25 mV", "0.3 mV"});
  CHECK(weight.unit == "mV");
  CHECK(weight.number(4) == 0.3);
  const auto rule = parse_axis("a.update, b.update = [linear, power]");
  CHECK(rule.paths == std::vector<std::string>{"a.update", "b.update"});
  CHECK(rule.values == std::vector<std::string>{"linear", "power"});
  CHECK(rule.name() == "a.update,b.update");
  CHECK_FALSE(rule.numbers);
  CHECK(parse_axis("p=[[1, 2], {a: 1, b: 2}]").values == std::vector<std::string>{"[1, 2]", "{a: 1, b: 2}"});
  CHECK_FALSE(parse_axis("p=[1 ms, 1 mV]").numbers);
}

TEST_CASE("sweep: what --vary refuses") {
  const auto message = [](const std::string& given) {
    try {
      parse_axis(given);
    } catch (const UserError& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  const auto says = [&](const std::string& given, const std::string& what) {
    INFO(given << ": " << message(given));
    CHECK(message(given).find(what) != std::string::npos);
    CHECK(message(given).starts_with("--vary " + given));
  };
  says("rate", "PATH=VALUES");
  says("=1:2:1", "PATH=VALUES");
  says("rate=", "no values");
  says("rate=1:2:0", "the step is 0");
  says("rate=1:2:-0.1", "do not lead from 1 to 2");
  says("rate=2:1:0.1", "do not lead from 2 to 1");
  says("rate=[]", "the list is empty");
  says("rate=[1, ]", "a value of the list is empty");
  says("rate=[1, 2, 1]", "'1' is there twice");
  says("rate=[1, 2", "not closed");
  says("rate=5", "--set");
  says("rate=1:2", "neither a range");
  says("rate=1:x:1", "'x' is no number");
  says("rate=1:inf:1", "no number");
  says("rate=1mV:2mV:1", "in one unit");
  says("rate=1mV:2V:1mV", "in one unit");
  says("rate=0:1:1e-9", "values");
  says("a,,b=[1,2]", "a path is empty");
  CHECK_NOTHROW(parse_axis("w=0:2mV:1mV"));  // zero is zero in every unit

  const auto together = [](std::vector<std::string> all) {
    std::vector<SweepAxis> axes;
    for (const auto& a : all) axes.push_back(parse_axis(a));
    try {
      check_axes(axes);
    } catch (const UserError& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  CHECK(together({"a.b=1:2:1", "a.b=[3]"}).find("'a.b' is varied twice") != std::string::npos);
  CHECK(together({"a,a=[1, 2]"}).find("varied twice") != std::string::npos);
  CHECK(together({"a.b=1:2:1", "a=[3]"}).find("a part of") != std::string::npos);
  CHECK(together({"seed=1:2:1"}).find("--trials") != std::string::npos);
  CHECK(together({"a.b=1:2:1", "a.bc=[3]"}) == "no error");
}

TEST_CASE("sweep: runs are numbered with the first axis slowest") {
  Plan p;
  p.axes = {parse_axis("a=[1, 2, 3]"), parse_axis("b,c=[x, y]")};
  p.trials = 5;
  CHECK(p.combinations() == 6);
  CHECK(p.runs() == 30);
  CHECK(p.values_of(3) == std::vector<std::size_t>{1, 1});
  CHECK(p.overrides(3) ==
        std::vector<std::pair<std::string, std::string>>{{"a", "2"}, {"b", "y"}, {"c", "y"}});
  CHECK(p.text(4) == "a=3, b,c=x");
  CHECK(seed_of(0xFFFFFFFFu, 2) == 1);
  CHECK(Plan{}.combinations() == 1);
}

TEST_CASE("sweep: the incomplete beta function") {
  // Closed forms: I_x(a, 1) = x^a, I_x(1, b) = 1 - (1 - x)^b, I_x(1/2, 1/2) = 2/pi asin(sqrt x), and the
  // binomial sum for whole a, b.
  const auto near = [](double x) { return Approx(x).epsilon(1e-12).margin(1e-300); };
  for (const double x : {1e-6, 0.01, 0.2, 0.5, 0.7, 0.99, 1 - 1e-6}) {
    INFO(x);
    for (const double a : {0.5, 1., 3.5, 40., 700.}) {
      CHECK(incomplete_beta(a, 1, x) == near(std::pow(x, a)));
      CHECK(incomplete_beta(1, a, x) == near(-std::expm1(a * std::log1p(-x))));
      CHECK(incomplete_beta(a, 0.5, x) + incomplete_beta(0.5, a, 1 - x) == near(1));
    }
    CHECK(incomplete_beta(0.5, 0.5, x) == near(2 / std::acos(-1.0) * std::asin(std::sqrt(x))));
    for (const auto& [a, b] : {std::pair(2, 3), std::pair(7, 4), std::pair(12, 30)}) {
      double sum = 0;
      for (int j = a; j < a + b; ++j)
        sum += std::exp(std::lgamma(a + b) - std::lgamma(j + 1) - std::lgamma(a + b - j)) * std::pow(x, j) *
               std::pow(1 - x, a + b - 1 - j);
      CHECK(incomplete_beta(a, b, x) == Approx(sum).epsilon(1e-10).margin(1e-300));
    }
  }
  CHECK(incomplete_beta(2, 3, 0) == 0);
  CHECK(incomplete_beta(2, 3, 1) == 1);
  CHECK(std::isnan(incomplete_beta(0, 3, 0.5)));
}

TEST_CASE("sweep: Student's t and Welch's test") {
  // One degree of freedom is Cauchy's distribution, two have a closed form; tables give 2.228 at 10 degrees
  // for 0.05.
  for (const double t : {0.1, 1., 2.5, 30.}) {
    CHECK(student_two_sided(t, 1) == Approx(1 - 2 / std::acos(-1.0) * std::atan(t)).epsilon(1e-12));
    CHECK(student_two_sided(-t, 2) == Approx(1 - t / std::sqrt(2 + t * t)).epsilon(1e-9));
  }
  CHECK(student_two_sided(2.228138852, 10) == Approx(0.05).epsilon(1e-8));
  CHECK(student_two_sided(1.9599639845, 1e9) == Approx(0.05).epsilon(1e-6));
  CHECK(student_two_sided(0, 5) == Approx(1));

  // Two groups done by hand: means 3 and 5, variances 2.5 and 10/3.
  const double a[] = {1, 2, 3, 4, 5}, b[] = {3, 4, 6, 7};
  const auto x = summarise(a), y = summarise(b);
  CHECK(x.mean == 3);
  CHECK(x.sd == Approx(std::sqrt(2.5)));
  CHECK(x.median == 3);
  CHECK(x.p90 == Approx(4.6));
  CHECK(y.median == 5);
  CHECK(y.sd == Approx(std::sqrt(10.0 / 3)));
  const auto w = welch(x, y);
  const double va = 0.5, vb = 10.0 / 12;
  CHECK(w.t == Approx(-2 / std::sqrt(va + vb)));
  CHECK(w.df == Approx((va + vb) * (va + vb) / (va * va / 4 + vb * vb / 3)));
  CHECK(w.p == Approx(student_two_sided(w.t, w.df)));
  CHECK(w.p > 0.12);
  CHECK(w.p < 0.14);
  const double one[] = {1};
  CHECK(std::isnan(welch(summarise(one), y).p));
  CHECK(std::isnan(summarise(one).sd));
  CHECK(std::isnan(summarise({}).mean));
}

TEST_CASE("sweep: curves are thinned and keep both ends") {
  for (const int n : {1, 2, 498, 499, 500, 501, 998, 999, 1000, 5000, 123'456}) {
    INFO(n);
    Curve c;
    for (int i = 0; i < n; ++i) c.add(i, 2 * i);
    c.finish();
    REQUIRE(c.x.size() == c.y.size());
    CHECK(c.x.size() <= Curve::most);
    CHECK(c.x.size() >= std::min<std::size_t>(static_cast<std::size_t>(n), Curve::most / 2));
    CHECK(c.x.front() == 0);
    CHECK(c.x.back() == static_cast<float>(n - 1));
    for (std::size_t i = 1; i < c.x.size(); ++i) {
      CHECK(c.x[i] > c.x[i - 1]);
      CHECK(c.y[i] == 2 * c.x[i]);
      if (i + 1 < c.x.size()) CHECK(c.x[i] - c.x[i - 1] == c.x[1]);
    }
  }
  Curve none;
  none.finish();
  CHECK(none.x.empty());
}

TEST_CASE("sweep: journals are read to the last whole row, wherever they are cut") {
  char name[] = "/tmp/spinet-journal-XXXXXX";
  const std::filesystem::path folder = mkdtemp(name), out = folder / "out.h5";
  std::vector<std::uintmax_t> ends;
  Row row;
  row.message = "why";
  row.metrics = {{"epoch", 3}, {"reward", 0.5}};
  row.rates = {{"a", 7}};
  row.x = {1, 2, 3};
  row.y = {4, 5, 6};
  {
    RunJournal j(out, 0, 42), other(out, 3, 42);
    CHECK(in_use(out));  // waits before it says so
    for (std::uint64_t i = 0; i < 5; ++i) {
      row.run = i;
      row.reached = static_cast<double>(i);
      ends.push_back(std::filesystem::file_size(journals(out)[0]));
      j.append(row);
    }
    row.run = 99;
    other.append(row);
    CHECK_THROWS(RunJournal(out, 0, 42));
  }
  CHECK_FALSE(in_use(out));
  ends.push_back(std::filesystem::file_size(journals(out)[0]));
  const auto all = JournalReader(out, 42).read();
  REQUIRE(all.size() == 6);
  CHECK(all[4].run == 4);
  CHECK(all[4].reached == 4);
  CHECK(all[4].metrics == row.metrics);
  CHECK(all[4].rates == row.rates);
  CHECK(all[4].x == row.x);
  CHECK(all[4].y == row.y);
  CHECK(all[4].message == "why");
  CHECK(all[5].run == 99);
  CHECK(JournalReader(out, 43).read().empty());  // another sweep's

  std::ifstream in(journals(out)[0], std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::filesystem::remove(journals(out)[1]);
  const auto write = [&](const std::string& bytes) {
    std::ofstream(journals(out)[0], std::ios::binary) << bytes;
  };
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    write(whole.substr(0, cut));
    std::size_t rows = 0;
    while (rows + 1 < ends.size() && ends[rows + 1] <= cut) ++rows;
    JournalReader r(out, 42);
    CHECK(r.read().size() == rows);
    write(whole);  // the rest arrives
    CHECK(r.read().size() == 5 - rows);
  }
  auto damaged = whole;
  damaged[ends[2] + 30] = static_cast<char>(damaged[ends[2] + 30] ^ 1);
  write(damaged);
  CHECK(JournalReader(out, 42).read().size() == 2);

  Dealer::reset(out);
  Dealer one(out), two(out);
  REQUIRE(one.works());
  for (std::uint64_t i = 0; i < 10; ++i) CHECK((i % 3 ? one : two).next() == i);
  std::filesystem::remove_all(folder);
}
