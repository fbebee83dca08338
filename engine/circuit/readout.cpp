#include "circuit/readout.hpp"

#include <algorithm>
#include <string>

#include "circuit/crossbar.hpp"

namespace spinet::circuit {

std::vector<double> inputs(const ReadOut& chain, const std::vector<double>& voltages) {
  std::vector<double> all;
  for (const double V : voltages) all.push_back(chain.dac(V));
  return all;
}

std::vector<double> outputs(const ReadOut& chain, const std::vector<double>& currents) {
  std::vector<double> taken;
  for (const double I : currents) taken.push_back(std::clamp(I, -chain.current_limit, chain.current_limit));
  const std::size_t n = taken.size();
  if (chain.pairs && n % 2 != 0)
    throw CircuitError(std::to_string(n) + " columns make no pairs: their number must be even");
  if (chain.reference && *chain.reference >= n)
    throw CircuitError("there is no column " + std::to_string(*chain.reference) +
                       " to refer to; the crossbar has " + std::to_string(n) + ", counted from 0");
  if (chain.pairs && chain.reference)
    throw CircuitError("weights are differences of pairs or from a reference column, not both");
  std::vector<double> all;
  for (std::size_t j = 0; j < n; j += chain.pairs ? 2 : 1) {
    if (chain.reference && j == *chain.reference) continue;
    const double less = chain.pairs ? taken[j + 1] : chain.reference ? taken[*chain.reference] : 0;
    all.push_back(chain.adc(taken[j] - less));
  }
  return all;
}

}  // namespace spinet::circuit
