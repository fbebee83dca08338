// Weights on devices: written, read, converted; devices side by side against devices alone.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "comm/serial.hpp"
#include "layers/trainer.hpp"
#include "mapping/device_model.hpp"
#include "network/catalogue.hpp"
#include "support/layered.hpp"

namespace {

using namespace spinet::test;
using spinet::Control;
using spinet::Devices;
using spinet::SerialTransport;
using spinet::SynapseTable;
using spinet::WriteVerify;
using spinet::mapping::Mapped;
using spinet::mapping::Pulses;
using spinet::mapping::Range;
using spinet::mapping::Scheme;

const SynapseTable& table_of_device(const char* name) {
  static const auto catalogue = [] {
    spinet::Catalogue c;
    spinet::add_builtin(c);
    return c;
  }();
  return *reinterpret_cast<const SynapseTable*>(catalogue.find(spinet::Kind::synapse, name));
}
Devices::Make made_of(const SynapseTable& t, const std::vector<std::pair<std::string, double>>& given = {}) {
  Devices::Make m;
  const auto take = [&](const spinet::Fields& fields, std::vector<double>& to) {
    for (std::uint32_t i = 0; i < fields.count; ++i) {
      to.push_back(fields.data[i].preset);
      for (const auto& [name, value] : given)
        if (name == fields.data[i].name) to.back() = value;
    }
  };
  take(t.model.params, m.params);
  take(t.model.variables, m.initial);
  return m;
}
Control volts(double V, double seconds) {
  Control c;
  c.value[0] = V, c.value[1] = seconds;
  return c;
}
std::uint32_t index_in(const spinet::Fields& fields, const std::string& name) {
  for (std::uint32_t i = 0; i < fields.count; ++i)
    if (name == fields.data[i].name) return i;
  FAIL("no " << name);
  return 0;
}
std::vector<float> waves(std::size_t n) {
  std::vector<float> w;
  for (std::size_t i = 0; i < n; ++i) w.push_back(static_cast<float>(0.3 * std::sin(double(i * i + 1))));
  return w;
}
/// Pulses up and down of each device that weights can be written to.
struct Kind {
  const char* device;
  Pulses pulses;
};
const Kind kinds[] = {{"pcm", {volts(2, 1e-3), volts(-2, 1e-3)}},
                      {"spin_valve", {volts(2.5, 2e-3), volts(-2.35, 2e-3)}},
                      {"pvdf", {volts(-1.3, 5e-3), volts(1.5, 5e-3)}},
                      {"glassy", {volts(2, 5e-3), volts(-2.2, 1e-3)}}};
Pulses pulses_of(const char* device) {
  return std::find_if(std::begin(kinds), std::end(kinds),
                      [&](const Kind& k) { return std::string(k.device) == device; })
      ->pulses;
}
Mapped written(const SynapseTable& t, Devices::Make make, const Scheme& scheme, const std::vector<float>& w) {
  make.count = Mapped::devices_of(w.size(), scheme);
  Mapped on(t, std::move(make), scheme, w);
  on.write();
  return on;
}

}  // namespace

TEST_CASE("mapping: write and verify") {
  const WriteVerify rule{0.5, 2, 1, -3, 4, 0.25, 3};
  CHECK(rule(9.5, 10, 0).reached);  // the tolerance itself is within
  CHECK(rule(10.5, 10, 0).finished);
  const auto up = rule(9.4, 10, 2), down = rule(10.6, 10, 2), given_up = rule(0, 10, 3);
  CHECK(!up.finished);
  CHECK(up.amplitude == 2.5);
  CHECK(up.width == 1);
  CHECK(down.amplitude == -3.5);
  CHECK(down.width == 4);
  CHECK(given_up.finished);
  CHECK(!given_up.reached);
}

TEST_CASE("mapping: devices side by side are what each is alone") {
  for (const Kind& k : kinds) {
    CAPTURE(k.device);
    const SynapseTable& t = table_of_device(k.device);
    auto make = made_of(t, {{"read_noise", 0.1}, {"cycle_noise", 0.2}, {"stuck", 0.3}, {"endurance", 5}});
    const std::string name = k.device;
    const std::uint32_t differs = index_in(t.model.params, name == "pvdf"     ? "k_neg"
                                                           : name == "glassy" ? "V_up"
                                                                              : "V_th");
    const bool drawn = t.model.params.data[differs].flags & spinet::Flag::spread &&
                       !spinet::is_auto(t.model.params.data[differs].preset);
    make.count = 4099;  // more than a slice
    make.first = 17;
    if (drawn) {
      make.own.push_back({true, differs, {}});
      for (std::uint32_t i = 0; i < make.count; ++i)
        make.own[0].values.push_back(make.params[differs] * (1 + 0.01 * (i % 7)));
    }
    Devices all(t, make);
    for (int n = 0; n < 3; ++n) all.apply(0.1 * n, n == 1 ? k.pulses.down : k.pulses.up);
    all.apply(0.3, k.pulses.up, 4097);
    std::vector<double> found(make.count);
    all.transmit(0.5, found);
    for (const std::uint32_t i : {0u, 1u, 4095u, 4096u, 4097u}) {
      auto own = make;
      own.count = 1, own.first = make.first + i;
      if (drawn) own.own[0].values = {make.own[0].values[i]};
      Devices one(t, own);
      for (int n = 0; n < 3; ++n) one.apply(0.1 * n, n == 1 ? k.pulses.down : k.pulses.up);
      if (i == 4097) one.apply(0.3, k.pulses.up, 0);
      CHECK(one.transmit(0.5, 0) == found[i]);
    }
    CHECK(std::set(found.begin(), found.end()).size() > 100);  // noise differs from device to device
  }
}

TEST_CASE("mapping: weights come back within the tolerance") {
  const auto w = waves(60);
  const double greatest =
      *std::max_element(w.begin(), w.end(), [](float a, float b) { return std::fabs(a) < std::fabs(b); });
  for (const Kind& k : kinds)
    for (const bool pairs : {true, false}) {
      if (std::string(k.device) == "glassy") continue;  // it creeps from what it was written to
      CAPTURE(k.device, pairs);
      const SynapseTable& t = table_of_device(k.device);
      // Devices that keep what they are given, so that only writing is seen.
      const auto make = made_of(t, {{"noise_1f", 0}, {"drift", 0}, {"programming_noise", 0.2}});
      const Range range = spinet::mapping::range_of(t, make, k.pulses, 500);
      REQUIRE(range.span() > 0);
      const double tolerance = std::string(k.device) == "pcm" ? 0.06 : 0.04;
      Scheme scheme = spinet::mapping::scheme_of(k.pulses, range, tolerance, 500);
      scheme.pairs = pairs;
      auto own = make;
      own.count = Mapped::devices_of(w.size(), scheme);
      Mapped on(t, own, scheme, w);
      const auto done = on.write();
      CHECK(done.devices == own.count);
      CHECK(done.reached == own.count);
      CHECK(done.error <= tolerance);
      std::vector<float> back(w.size());
      on.read(0, Mapped::Reading::plain, back);
      for (std::size_t i = 0; i < w.size(); ++i) {
        CAPTURE(i);
        CHECK(std::fabs(back[i] - w[i]) <= (2 * tolerance + 1e-6) * std::fabs(greatest));
      }
    }
}

TEST_CASE("mapping: devices that are stuck, and weights that are all 0") {
  const SynapseTable& t = table_of_device("spin_valve");
  const Pulses pulses = pulses_of("spin_valve");
  const Range range = spinet::mapping::range_of(t, made_of(t), pulses, 200);
  const Scheme scheme = spinet::mapping::scheme_of(pulses, range, 0.05, 20);
  std::vector<float> w = waves(40), back(w.size());
  written(t, made_of(t, {{"stuck", 1}, {"stuck_at", 0.5}}), scheme, w).read(1, Mapped::Reading::plain, back);
  CHECK(std::all_of(back.begin(), back.end(), [](float x) { return x == 0; }));  // pairs that are alike
  w.assign(w.size(), 0);
  written(t, made_of(t, {{"u", 1}}), scheme, w).read(1, Mapped::Reading::plain, back);
  CHECK(std::all_of(back.begin(), back.end(), [](float x) { return x == 0; }));
}

TEST_CASE("mapping: a range is told from drift and the noise of programming") {
  const SynapseTable& t = table_of_device("pcm");
  const auto found = [&](double step, double noise, double nu_sd) {
    const auto make =
        made_of(t, {{"step", step}, {"programming_noise", noise}, {"nu_sd", nu_sd}, {"noise_1f", 0}});
    return spinet::mapping::range_of(t, make, pulses_of("pcm"), 100);
  };
  // Nothing but drift, the same of all devices: it looks like a range.
  const auto drift = found(0, 0.2, 0);
  CHECK(drift.span() > 0);
  CHECK(drift.rise < 0);
  for (const double noise : {0.0, 0.2, 1.0}) {
    const auto none = found(0, noise, 0.02), some = found(0.02, noise, 0.02);
    CHECK(none.rise <= 5 * none.error);
    CHECK(some.rise > 20 * some.error);
    CHECK(some.rise > 0.5 * some.span());
  }
}

TEST_CASE("mapping: drift, and what compensation leaves of it") {
  const SynapseTable& t = table_of_device("pcm");
  const double nu = 0.06, year = 3.15576e7;
  const auto make =
      made_of(t, {{"noise_1f", 0}, {"programming_noise", 0}, {"nu", nu}, {"nu_sd", 0}, {"t0", 20}});
  const Pulses pulses = pulses_of("pcm");
  const Scheme scheme =
      spinet::mapping::scheme_of(pulses, spinet::mapping::range_of(t, make, pulses, 50), 0.04, 100);
  const auto w = waves(50);
  auto on = written(t, make, scheme, w);
  std::vector<float> fresh(w.size()), old(w.size()), scaled(w.size());
  on.read(0, Mapped::Reading::plain, fresh);
  on.read(year, Mapped::Reading::plain, old);
  on.read(year, Mapped::Reading::compensated, scaled);
  // Writing takes less than 2 s, in which (1 + 2 s / 20 s)^-nu is lost at most.
  const double left = std::pow(1 + year / 20, -nu);
  for (std::size_t i = 0; i < w.size(); ++i) {
    CAPTURE(i);
    CHECK(std::fabs(old[i] - left * fresh[i]) <= 0.3 * 0.006);
    CHECK(std::fabs(scaled[i] - fresh[i]) <= 0.3 * 0.012);
  }
}

TEST_CASE("mapping: converters, and how far sums reach") {
  Made net;
  net.layer({4, 1, 1});
  net.layer({3, 1, 1}, Answer::linear, 3);
  net.join(Join::dense);
  const std::size_t count = 21;
  const Data d = some_data(net.plan, count);
  Model model{some_parameters<float>(net.plan), {}};
  const auto value = [&](const Part& p, std::size_t i) { return double(model.parameters[p.first + i]); };
  std::vector<double> sums;
  double greatest = 0;
  for (std::size_t n = 0; n < count; ++n)
    for (std::size_t j = 0; j < 3; ++j) {
      sums.push_back(value(net.plan.layers[1].bias, j));
      for (std::size_t i = 0; i < 4; ++i)
        sums.back() += value(net.plan.connections[0].weights, j * 4 + i) * double(d.images[n * 4 + i]);
      greatest = std::max(greatest, std::fabs(sums.back()));
    }
  SerialTransport alone;
  CHECK(greatest_sums(net.plan, model, d.images, alone)[1] == Approx(greatest).epsilon(1e-6));
  const double range = 0.5 * greatest, step = range / 7;  // 4 bits: 7 steps on either side, and some beyond
  spinet::mapping::add_converters(net.plan, model, d.images, {4, 0.5});
  const auto found = outputs(net.plan, model, d.images, alone);
  std::size_t cut = 0;
  for (std::size_t k = 0; k < sums.size(); ++k) {
    const double steps = sums[k] / step;
    cut += std::fabs(steps) > 7;
    if (std::fabs(std::fabs(steps - std::floor(steps)) - 0.5) < 1e-3)
      continue;  // could be rounded either way
    CHECK(double(found[k]) == Approx(std::clamp(std::round(steps), -7.0, 7.0) * step).margin(1e-6));
  }
  CHECK(cut > 0);
}

TEST_CASE("mapping: a model without devices answers as it is, however often it is read") {
  const auto net = dense_net(Answer::relu);
  const Data d = some_data(net.plan, 50);
  spinet::images::Images images;
  images.count = 50;
  images.shape = net.plan.input();
  images.numbers = d.images;
  images.labels = d.labels;
  images.classes = net.plan.classes();
  std::vector<std::uint32_t> which;
  for (std::uint32_t i = 3; i < 47; ++i) which.push_back(i);
  const Model model{some_parameters<float>(net.plan), fresh_statistics<float>(net.plan)};
  SerialTransport alone;
  const auto whole = spinet::train::examine(net.plan, model, images, which, alone);
  for (const std::uint32_t at_once : {1u, 7u, 1000u}) {
    spinet::mapping::DeviceModel on(net.plan, model);
    const auto parts = on.examine({}, {at_once, 1e-3}, images, which, {});
    CHECK(parts.right == whole.right);
    CHECK(parts.images == whole.images);
    CHECK(parts.confusion == whole.confusion);
    CHECK(parts.loss == Approx(whole.loss).epsilon(1e-9));
  }
}
