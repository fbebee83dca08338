// Model parameters as the model's own structs, filled by offset from plain numbers.  Private to
// engine/network.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "network/checked.hpp"

namespace spinet::reading {

/// The model's `Params`, filled with one number per field.
std::vector<double> fill_params(const Model& m, std::span<const double> values);

/// True for a source model whose spikes the network lists: it has no rate of its own.
bool takes_spikes(const Model& m);

/// The middle of what is drawn: the constant, the mean, of a lognormal distribution the median, within the
/// bounds; of a normal one whose mean is not above its `min`, that and half a standard deviation.
double typical(const Distribution& d);

/// The parameters of a projection, drawn ones as they are drawn.
std::vector<Distribution> params_of(const Projection& p);

/// Bytes of the model's parameter and state structs per neuron.
std::uint64_t neuron_bytes(const Model& m);

/// What the model's own check says of the parameters together.
struct CrossCheck {
  const char* reason = nullptr;  ///< null: fine
  bool drawn = false;            ///< only for some of the values that distributions may draw
  /// The parameter whose draws come to it, as an index; -1: no single one.
  int blamed = -1;
};
/// The fields that the reason of a check names, in its order.
std::vector<std::string> fields_named(const Fields& fields, std::string_view reason);
/// Lists are checked neuron by neuron; drawn parameters in the middle and, one at a time, at their ends (six
/// standard deviations where a normal or lognormal distribution has no nearer bound).
CrossCheck check_params(const Model& m, std::span<const Distribution> params);

}  // namespace spinet::reading
