#include "network/device_curves.hpp"

#include <string_view>

#include "spinet/device.hpp"

namespace spinet {

std::optional<std::uint32_t> stimulus_named(const Model& m, const char* name) {
  for (std::uint32_t k = 0; k < m.stimulus_count; ++k)
    if (std::string_view(m.stimuli[k].name) == name) return k;
  return {};
}

std::vector<std::vector<double>> curves_on_device(const SynapseTable& table, const CurvesOnDevice& what) {
  constexpr double gauss = 1e-4, before = -2e3;  // T, G
  std::uint32_t conductance = 0;
  while (std::string_view(table.model.variables.data[conductance].name) != "G") ++conductance;
  const auto field = stimulus_named(table.model, device::field.name);
  std::vector<std::vector<double>> all;
  for (const double H : what.fields) {
    Devices one(table, what.make);
    for (const double B : {before, H})
      if (field) one.apply(0, {*field, 0, {B * gauss, device::unchanged}});
    double now = 0;
    const auto series = [&](const Control& pulse) {
      std::vector<double> R{1 / one.read(now, 0, conductance)};
      for (std::uint32_t n = 0; n < what.pulses; ++n) {
        one.apply(now, pulse, 0);
        now += what.period;
        R.push_back(1 / one.read(now, 0, conductance));
      }
      return R;
    };
    series(what.depression);
    all.push_back(series(what.potentiation));
    all.push_back(series(what.depression));
  }
  return all;
}

}  // namespace spinet
