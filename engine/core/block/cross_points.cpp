// A stimulus at the crossings of some rows and columns of a crossbar, and what it is for the others: each
// device hears of it once, with the voltage that it feels.
#include <algorithm>

#include "core/block/controls.hpp"
#include "network/lookup.hpp"

namespace spinet {
namespace {

/// The stimulus as a device feels it.
Control felt_by(const Control& c, const Stimulus& s, Scheme scheme, Lines lines) {
  Control here = c;
  for (std::uint32_t i = 0; i < s.count; ++i)
    if (lies_across(s, i)) here.value[i] = felt(scheme, lines, c.value[i]);
  return here;
}

}  // namespace

void Controls::to_cross_points(const Sent& sent, std::uint32_t store, const CrossPoints& at) {
  choose_lines(at);
  for (auto& some : felt_) some.clear();
  if (at.rows.empty()) {
    for (const Controlled& c : of_store_[store]) split(c.slice, RowIs::chosen, at.scheme);
  } else if (feels(at.scheme, Lines::neither) || (feels(at.scheme, Lines::one) && at.columns.empty())) {
    // All devices.
    std::size_t row = 0;
    for (const Controlled& c : of_store_[store]) {  // ascending, too
      while (row < row_slices_.size() && row_slices_[row].second <= c.slice) ++row;
      const bool chosen = row < row_slices_.size() && row_slices_[row].first <= c.slice;
      split(c.slice, chosen ? RowIs::chosen : RowIs::other, at.scheme);
    }
  } else {
    for (const auto& [begin, end] : row_slices_)
      for (std::uint32_t i = begin; i < end; ++i)
        if (synapses_.slice(i).store == store) split(i, RowIs::chosen, at.scheme);
    if (feels(at.scheme, Lines::one)) rest_of_columns(store);
  }
  for (const Lines lines : {Lines::both, Lines::one, Lines::neither}) {
    const auto& some = felt_[static_cast<std::size_t>(lines)];
    if (some.empty()) continue;
    to_pieces(store, some,
              {sent.tick, sent.stimulus, felt_by(sent.control, sent.stimulus, at.scheme, lines)});
  }
}

void Controls::choose_lines(const CrossPoints& at) {
  const Projection& p = network_.projections[at.projection];
  column_chosen_.assign(members_.size(), at.columns.empty());
  columns_.clear();
  for (const std::uint32_t column : at.columns) {
    const Gid target = gid_at(p.targets, column);
    const std::uint32_t j = members_.index_of(target);
    if (j == members_.size() || members_.gids()[j] != target) continue;
    column_chosen_[j] = 1;
    columns_.push_back(j);
  }
  row_slices_.clear();
  for (const std::uint32_t row : at.rows) {
    const Gid source = gid_at(p.sources, row);
    row_slices_.emplace_back(synapses_.slices_begin(source), synapses_.slices_end(source));
  }
  std::sort(row_slices_.begin(), row_slices_.end());
}

/// Adds the pieces of a slice that feel the same.
void Controls::split(std::uint32_t slice, RowIs row, Scheme scheme) {
  const bool row_chosen = row == RowIs::chosen;
  const SliceEntry& s = synapses_.slice(slice);
  const std::uint16_t* const targets = synapses_.stores()[s.store].targets.data() + s.begin;
  for (std::uint32_t i = 0; i < s.count;) {
    const std::uint32_t first = i;
    const bool chosen = column_chosen_[targets[i]];
    while (i < s.count && (column_chosen_[targets[i]] != 0) == chosen) ++i;
    const Lines lines = chosen && row_chosen   ? Lines::both
                        : chosen || row_chosen ? Lines::one
                                               : Lines::neither;
    if (feels(scheme, lines)) felt_[static_cast<std::size_t>(lines)].push_back({slice, first, i - first});
  }
}

/// Adds what lies in chosen columns and in no chosen row.
void Controls::rest_of_columns(std::uint32_t store) {
  const auto in_chosen_row = [&](std::uint32_t slice) {
    const auto after = std::upper_bound(row_slices_.begin(), row_slices_.end(), slice,
                                        [](std::uint32_t s, const auto& range) { return s < range.first; });
    return after != row_slices_.begin() && slice < (after - 1)->second;
  };
  auto& some = felt_[static_cast<std::size_t>(Lines::one)];
  for (const std::uint32_t j : columns_) {
    const ByTarget& index = by_target(store);
    for (std::uint32_t k = index.first[j]; k < index.first[j + 1]; ++k)
      if (!in_chosen_row(index.spots[k].slice))
        some.push_back({index.spots[k].slice, index.spots[k].index, 1});
  }
}

}  // namespace spinet
