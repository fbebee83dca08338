// list: the connections that a network lists, in its own text or a CSV file.
#include <fmt/format.h>

#include <cmath>

#include "connect/listed.hpp"
#include "network/edge_list.hpp"

namespace spinet {
namespace {

using namespace reading;

/// What the rows of a list hold, told by the first of them.
struct Columns : ListedColumns {
  std::size_t length = 0;
};

std::optional<Columns> columns_of(const Node& row, EdgeList& to) {
  Reader& r = to.draft.r;
  const Dimension time{{0, 0, 1, 0, 0}};
  Columns c{{}, row.items.size()};
  bool third_is_delay = false;
  if (c.length == 3) {
    const auto q = r.quantity(row.items[2], "weight");
    third_is_delay =
        q && q->dimension == time && parse_unit(to.weight.unit).value_or(Unit{}).dimension != time;
  }
  c.weights = c.length == 4 || (c.length == 3 && !third_is_delay);
  c.delays = c.length == 4 || third_is_delay;
  if (auto reason = to.columns(c); !reason.empty()) {
    r.errors.error(row.mark, std::move(reason));
    return {};
  }
  return c;
}

void read_row(const Node& row, const Columns& c, EdgeList& to) {
  Reader& r = to.draft.r;
  const auto s = r.number(row.items[0], {"source"}), t = r.number(row.items[1], {"target"});
  std::optional<double> w = 0.0, ms = 0.0;
  double ticks = 0;
  if (c.weights) w = r.number(row.items[2], to.weight);
  if (c.delays) {
    const Node& d = row.items[c.length - 1];
    ms = r.number(d, {"delay", "ms"});
    if (ms) ticks = std::round(r.ticks(*r.quantity(d, "delay")));
  }
  if (!s || !t || !w || !ms) return;
  auto fault = to.add({*s, *t, *w, *ms, ticks});
  if (fault.empty()) return;
  const Node* blamed = fault.column == RowFault::no_column
                           ? &row
                           : &row.items[fault.column == 3 ? c.length - 1 : fault.column];
  r.errors.error(blamed->mark, std::move(fault.reason));
}

void read_rows(const Node& list, EdgeList& to) {
  Reader& r = to.draft.r;
  if (!r.take(list.items.size(), list.mark)) return;
  std::optional<Columns> columns;
  for (const auto& row : list.items) {
    if (!row.is_list() || row.items.size() < 2 || row.items.size() > 4) {
      r.errors.error(
          row.mark,
          "a row of a list is [source, target], [source, target, weight] or [source, target, weight, delay]");
      continue;
    }
    if (!columns) columns = columns_of(row, to);
    if (!columns) return;
    if (row.items.size() == columns->length) read_row(row, *columns, to);
    else
      r.errors.error(row.mark,
                     fmt::format("a row of {} values after rows of {}", row.items.size(), columns->length));
  }
}

/// What a file may give beside the ends, weights and delays: the variables of the synapses, by their names.
class ListedState {
 public:
  explicit ListedState(EdgeList& to) : to_(to), variables_(initials(*to.draft.p.synapse)) {}
  void name_columns(std::vector<reading::Column>& columns) const {
    for (std::size_t v = 1; v < variables_.size(); ++v)
      columns.push_back({variables_[v]->name, wanted(*variables_[v], to_.weights.unit).unit, false, true});
  }
  /// Which of them are there, from column `first_` on.  Why they must not; empty: fine.
  std::string begin(const std::vector<bool>& there) {
    Projection& p = to_.draft.p;
    for (std::size_t v = 1; v < variables_.size(); ++v) {
      if (!there[first + v - 1]) continue;
      if (gives(to_.draft, *variables_[v]))
        return fmt::format("values of '{}' are given in the list and in 'synapse', too", variables_[v]->name);
      p.listed_state.resize(variables_.size());
      listed_.push_back(v);
    }
    return {};
  }
  RowFault fault(std::span<const double> row) const {
    for (const auto v : listed_)
      if (auto reason = to_.draft.r.fault(row[first + v - 1], wanted(*variables_[v], to_.weights.unit));
          !reason.empty())
        return {reason, first + v - 1};
    return {};
  }
  void take(std::span<const double> row) {
    for (const auto v : listed_) to_.draft.p.listed_state[v].push_back(row[first + v - 1]);
  }

 private:
  static constexpr std::size_t first = 4;  ///< column of variable 1
  EdgeList& to_;
  const std::vector<const Field*> variables_;
  std::vector<std::size_t> listed_;
};

void read_file(const Node& name, EdgeList& to) {
  Reader& r = to.draft.r;
  const auto path = r.data_file(name);
  if (!path || !to.known) return;
  std::vector<reading::Column> columns{{"source", "1", true},
                                       {"target", "1", true},
                                       {"weight", to.weights.unit, false},
                                       {"delay", "ms", false}};
  ListedState state(to);
  state.name_columns(columns);
  const auto begin = [&](const std::vector<bool>& there) {
    auto reason = to.columns({.weights = there[2], .delays = there[3]});
    return reason.empty() ? state.begin(there) : reason;
  };
  const auto row = [&](std::span<const double> v) -> RowFault {
    if (to.draft.p.listed_weights)
      if (auto fault = r.fault(v[2], to.weight); !fault.empty()) return {fault, 2};
    if (auto fault = state.fault(v); !fault.empty()) return fault;
    auto fault = to.add({v[0], v[1], v[2], v[3], std::round(r.ticks({v[3], -3, {}}))});
    if (fault.empty()) state.take(v);
    return fault;
  };
  read_csv(r, {*path, name.mark}, columns, begin, row);
}

class List final : public ListedRule {
 public:
  List() : ListedRule({"list", "edges", "a CSV file, or rows [source, target, weight, delay]", false}) {}
  void read_edges(const Node& n, const Node&, EdgeList& to) const override {
    if (n.is_list()) return read_rows(n, to);
    if (n.is_scalar()) return read_file(n, to);
    to.draft.r.errors.error(n.mark,
                            "'list' must be a CSV file or rows [source, target], not " + kind_name(n));
  }
};

}  // namespace

const ConnectionRule& list_rule() {
  static const List rule;
  return rule;
}

}  // namespace spinet
