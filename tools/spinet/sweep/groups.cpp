#include "sweep/groups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string_view>

#include "exits.hpp"
#include "network/suggest.hpp"
#include "text.hpp"

namespace spinet::tool {
namespace {

/// The axis that `name` means.  Throws UserError, which begins with `given`.
std::size_t axis_named(const Plan& plan, const std::string& name, const std::string& given) {
  std::vector<std::string> names;
  std::size_t axis = plan.axes.size();
  for (std::size_t a = 0; a < plan.axes.size(); ++a) {
    names.push_back(plan.axes[a].name());
    const auto& paths = plan.axes[a].paths;
    if (name == names.back() || name == short_name(plan.axes[a]) ||
        std::find(paths.begin(), paths.end(), name) != paths.end())
      axis = a;
  }
  if (axis < plan.axes.size()) return axis;
  throw UserError(fmt::format("{}: {} was not varied{}", given, in_quotes(name),
                              names.empty() ? "" : "; " + suggest(name, names, "varied")));
}

/// The number of a value of an axis, written as it was or as a number in another way.
std::size_t value_named(const SweepAxis& a, const std::string& value, const std::string& given) {
  const auto same = [&](std::size_t i) {
    if (a.values[i] == value) return true;
    if (!a.numbers) return false;
    char* end = nullptr;
    const double x = std::strtod(value.c_str(), &end);
    std::string unit(end);
    unit.erase(std::remove(unit.begin(), unit.end(), ' '), unit.end());
    return end != value.c_str() && (unit.empty() || unit == a.unit) &&
           std::fabs(x - a.number(i)) <= 1e-9 * std::fabs(x);
  };
  for (std::size_t v = 0; v < a.values.size(); ++v)
    if (same(v)) return v;
  throw UserError(fmt::format("{}: {} was not among the values; {}", given, in_quotes(value),
                              suggest(value, a.values, "values")));
}

bool converged(const Sweep& s, const Row& r) { return !r.failed && (s.until.empty() || r.until_met); }

void add(Group& g, const Sweep& s, const Row& r, const std::string& metric) {
  if (r.failed) {
    ++g.failed;
    return;
  }
  const double x = metric_of(r, metric);
  if (std::isnan(x)) return;
  g.all.push_back(x);
  if (converged(s, r)) g.converged.push_back(x);
}

}  // namespace

double metric_of(const Row& r, const std::string& name) {
  if (r.failed) return std::numeric_limits<double>::quiet_NaN();
  for (const auto& [n, x] : r.metrics)
    if (n == name) return x;
  if (name.starts_with("rate."))
    for (const auto& [n, x] : r.rates)
      if (n == std::string_view(name).substr(5)) return x;
  return name == "spikes"    ? r.spikes
         : name == "reached" ? r.reached
         : name == "seconds" ? r.seconds
                             : std::numeric_limits<double>::quiet_NaN();
}

std::string short_name(const SweepAxis& a) {
  std::string name;
  for (const auto& p : a.paths) {
    const auto last = p.substr(p.rfind('.') == std::string::npos ? 0 : p.rfind('.') + 1);
    if (!name.empty() && name != last) return a.name();
    name = last;
  }
  return name;
}

std::vector<Group> by_combination(const Sweep& s, const std::string& metric) {
  std::vector<Group> groups(s.plan().combinations());
  for (const auto& [i, r] : s.rows) add(groups[i / s.trials], s, r, metric);
  return groups;
}

std::vector<Condition> conditions(const Plan& plan, const std::string& option,
                                  const std::vector<std::string>& given) {
  std::vector<Condition> all;
  for (const auto& g : given) {
    const auto equals = g.find('=');
    if (equals == std::string::npos)
      throw UserError(
          fmt::format("{} {}: runs are chosen by PATH=VALUE, for example parameters.rule=linear", option, g));
    const std::string as_given = option + " " + g;
    const std::size_t axis = axis_named(plan, g.substr(0, equals), as_given);
    all.push_back({axis, value_named(plan.axes[axis], g.substr(equals + 1), as_given)});
  }
  return all;
}

bool holds(const std::vector<Condition>& all, const std::vector<std::size_t>& values) {
  return std::all_of(all.begin(), all.end(), [&](const Condition& c) { return values[c.axis] == c.value; });
}

}  // namespace spinet::tool
