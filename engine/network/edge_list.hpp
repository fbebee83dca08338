// Edges that a rule lists, on their way into a projection.  Private to engine/network and engine/connect.
#pragma once
#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "network/draft.hpp"

namespace spinet::reading {

/// A row of a list; `ticks` is its delay once more.
struct ListedRow {
  double source, target;
  double weight = 0, ms = 0, ticks = 0;
};

/// What rows have beside source and target.
struct ListedColumns {
  bool weights = false, delays = false;
};

class EdgeList {
 public:
  EdgeList(Draft& d, Weights& w);
  /// Why the rows must not have these; empty: fine.
  std::string columns(const ListedColumns& there);
  /// Why a row cannot be.
  RowFault add(const ListedRow& row);
  /// Once all have come: sorts them by target and checks them together.
  void finish(Mark where);

  Draft& draft;
  Weights& weights;
  const Wanted weight;  ///< what weights must be
  /// Are the ends known, and what weights must be?  Else rows are checked as far as that goes, and not kept.
  const bool known;

 private:
  std::string sign_fault(double w) const;
  void check_copies(Mark where);
  const double sources_, targets_;            ///< numbers of ends that are not known have no bounds
  bool positive_ = false, negative_ = false;  ///< weights so far
};

bool is_weight(const Field& f);

/// Sorts the edges, what a file gives of their variables with them.
template <class Before>
void sort_edges(Projection& p, Before&& before) {
  if (p.listed_state.empty()) {
    std::stable_sort(p.edges.begin(), p.edges.end(), before);
    return;
  }
  std::vector<std::uint32_t> order(p.edges.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return before(p.edges[a], p.edges[b]); });
  const auto in_order = [&](auto& some) {
    auto old = std::exchange(some, {});
    for (const auto i : order) some.push_back(old[i]);
  };
  in_order(p.edges);
  for (auto& values : p.listed_state)
    if (!values.empty()) in_order(values);
}

}  // namespace spinet::reading
