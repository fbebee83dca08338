// The synapse model of a projection that asks for more memory than the model's `State`: parameters that
// differ from device to device, and parts (spinet::Extras).  To the engine it is a model like any other, with
// a larger state and more variables.
#pragma once
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "spinet/synapse.hpp"

namespace spinet {

class ExtendedTable {
 public:
  /// `drawn`: which parameters are drawn, as indices in the model's table; `params`: one per field, of these
  /// the middle of what is drawn.
  ExtendedTable(const SynapseTable& model, std::span<const double> params,
                std::span<const std::uint32_t> drawn);
  ExtendedTable(const ExtendedTable&) = delete;
  ExtendedTable& operator=(const ExtendedTable&) = delete;
  const SynapseTable& table() const { return table_; }
  /// Do synapses have more than their `State`?
  bool extends() const { return extras_.record != 0; }

 private:
  void place_parts(std::uint32_t wanted);
  void name_drawn(std::span<const double> params, std::span<const std::uint32_t> drawn);
  SynapseTable table_;
  Extras extras_{};
  std::vector<Field> variables_;
  std::deque<std::string> names_;
  std::vector<std::uint32_t> drawn_, parts_;
};

/// The same, or null where the projection needs no more than its model's `State`.
std::shared_ptr<const ExtendedTable> extended(const SynapseTable& model, std::span<const double> params,
                                              std::span<const std::uint32_t> drawn = {});

/// What a projection has of a parameter that differs between its devices, of which `typical` is one value:
/// its model sees of 0 that some devices may have more.
double middle_of(double typical);

/// What tells the draws of a variable apart from those of others: for what a network initialises its place
/// among these, for drawn parameters which of the model's it is and of which device, so that no draw depends
/// on what else is drawn.
std::uint32_t draw_number(const SynapseTable& t, std::uint32_t variable);

/// Is `f`, a variable of `t`, a drawn parameter?
bool is_drawn_parameter(const SynapseTable& t, const Field& f);

}  // namespace spinet
