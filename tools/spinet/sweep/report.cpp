#include "sweep/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "exits.hpp"
#include "log/new_file.hpp"
#include "network/suggest.hpp"
#include "outputs.hpp"
#include "sweep/figures.hpp"
#include "sweep/groups.hpp"
#include "sweep/results.hpp"
#include "sweep/statistics.hpp"
#include "text.hpp"

namespace spinet::tool {
namespace {

std::vector<std::string> known_metrics(const Sweep& s) {
  std::vector<std::string> all = s.metrics;
  for (const auto& p : s.populations) all.push_back("rate." + p);
  all.insert(all.end(), {"spikes", "reached", "seconds"});
  return all;
}

std::string metric_for(const Sweep& s, const std::string& given) {
  const auto all = known_metrics(s);
  if (!given.empty()) {
    if (std::find(all.begin(), all.end(), given) == all.end())
      throw UserError(
          fmt::format("--metric {}: there is no such metric; {}", given, suggest(given, all, "metrics")));
    return given;
  }
  for (const auto& m : all)
    if (m == "epoch" || m.ends_with(".epoch")) return m;
  return all.front();
}

std::string figure_text(double x) {
  return std::isnan(x) ? "-" : std::fabs(x) >= 100 ? fmt::format("{:.1f}", x) : fmt::format("{:.4g}", x);
}

std::string table_text(const std::vector<std::vector<std::string>>& rows, std::size_t texts) {
  std::vector<std::size_t> widths;
  for (const auto& r : rows)
    for (std::size_t i = 0; i < r.size(); ++i) {
      widths.resize(std::max(widths.size(), i + 1));
      widths[i] = std::max(widths[i], r[i].size());
    }
  std::string s;
  for (const auto& r : rows) {
    std::string line;
    for (std::size_t i = 0; i < r.size(); ++i) {
      if (i) line += "  ";
      line += i < texts ? fmt::format("{:<{}}", r[i], widths[i]) : fmt::format("{:>{}}", r[i], widths[i]);
    }
    s += line + "\n";
  }
  return s;
}

std::string percent(std::size_t part, std::size_t whole) {
  return whole ? fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole))
               : "-";
}

void write_file(const std::filesystem::path& sweep, const std::filesystem::path& path,
                const std::string& text) {
  check_output(path, Replace::yes, {{sweep, "the sweep itself"}});
  logging::write_whole(path, text);
  fmt::print("{}  {:.0f} kB\n", path.string(), std::ceil(static_cast<double>(text.size()) / 1000));
}

/// A row for each combination.
std::vector<std::vector<std::string>> table_of(const Sweep& s, const Plan& plan,
                                               const std::vector<Group>& groups) {
  const bool any_failed =
      std::any_of(groups.begin(), groups.end(), [](const Group& g) { return g.failed > 0; });
  std::vector<std::vector<std::string>> table(1);
  for (const auto& a : plan.axes) table[0].push_back(short_name(a));
  for (const char* h : {"n", "mean", "sd", "median", "p90"}) table[0].emplace_back(h);
  if (!s.until.empty()) table[0].insert(table[0].end(), {"not converged", "mean of all"});
  if (any_failed) table[0].emplace_back("failed");
  for (std::uint64_t c = 0; c < groups.size(); ++c) {
    std::vector<std::string> row;
    const auto v = plan.values_of(c);
    for (std::size_t a = 0; a < plan.axes.size(); ++a) row.push_back(plan.axes[a].values[v[a]]);
    const Group& g = groups[c];
    const Summary m = summarise(g.converged);
    row.push_back(grouped(m.n));
    for (const double x : {m.mean, m.sd, m.median, m.p90}) row.push_back(figure_text(x));
    if (!s.until.empty()) {
      row.push_back(percent(g.all.size() - g.converged.size(), g.all.size()));
      row.push_back(figure_text(summarise(g.all).mean));
    }
    if (any_failed) row.push_back(grouped(g.failed));
    table.push_back(std::move(row));
  }
  return table;
}

/// Compares two groups of combinations, and returns which these are; all, if none are asked for.
std::vector<std::uint64_t> compare(const ReportOptions& o, const Plan& plan,
                                   const std::vector<Group>& groups) {
  const auto group = conditions(plan, "--group", o.group), against = conditions(plan, "--against", o.against);
  std::vector<std::uint64_t> chosen;
  if (group.empty()) {
    for (std::uint64_t c = 0; c < groups.size(); ++c) chosen.push_back(c);
    return chosen;
  }
  Group a, b;
  for (std::uint64_t c = 0; c < groups.size(); ++c) {
    const auto v = plan.values_of(c);
    const bool in_a = holds(group, v), in_b = holds(against, v);
    if (in_a && in_b) throw UserError(fmt::format("--group and --against: both hold for {}", plan.text(c)));
    if (!in_a && !in_b) continue;
    chosen.push_back(c);
    auto& into = (in_a ? a : b).converged;
    into.insert(into.end(), groups[c].converged.begin(), groups[c].converged.end());
  }
  const Summary x = summarise(a.converged), y = summarise(b.converged);
  const auto say = [](const std::vector<std::string>& all, const Summary& m) {
    std::string t;
    for (const auto& one : all) t += (t.empty() ? "" : ", ") + one;
    fmt::print("{}: {} +- {} (n = {})\n", t, figure_text(m.mean), figure_text(m.sd), m.n);
  };
  fmt::print("\n");
  say(o.group, x);
  say(o.against, y);
  const Welch w = welch(x, y);
  if (std::isnan(w.p)) fmt::print("Welch's t-test needs two runs in each group, and a spread\n");
  else fmt::print("Welch's t-test: t = {:.4f}, df = {:.2f}, two-sided p = {:.4g}\n", w.t, w.df, w.p);
  return chosen;
}

void draw_figures(const ReportOptions& o, const Sweep& s, const std::string& metric,
                  const std::vector<std::uint64_t>& chosen) {
  auto figure = o.figure.empty() ? std::filesystem::path(o.file).replace_extension(".svg")
                                 : std::filesystem::path(o.figure);
  if (figure == std::filesystem::path(o.file))
    throw UserError(fmt::format("-o {}: that is the sweep itself; name an SVG file", o.figure));
  if (const auto svg = figure_of_means(s, metric); !svg.empty()) write_file(o.file, figure, svg);
  auto second = figure;
  second.replace_filename(figure.stem().string() + "_curves" + figure.extension().string());
  if (chosen.size() > most_curves)
    fmt::print("curves of {} combinations are too many for one figure; choose with --group and --against\n",
               chosen.size());
  else if (const auto svg = figure_of_curves(s, chosen); !svg.empty()) write_file(o.file, second, svg);
}

}  // namespace

int report_on(const ReportOptions& o) {
  const Sweep s = read_sweep(o.file);
  const Plan plan = s.plan();
  const std::string metric = metric_for(s, o.metric);
  for (const auto* given : {&o.group, &o.against})
    conditions(plan, given == &o.group ? "--group" : "--against", *given);
  if (s.rows.empty()) throw UserError(fmt::format("{}: holds no runs yet", o.file));
  fmt::print("{}: {} of {} runs, {} trial{} each, seeds from {}; {}{}\n\n", s.network_name,
             grouped(s.rows.size()), grouped(plan.runs()), grouped(s.trials), s.trials == 1 ? "" : "s",
             s.seed, metric, s.until.empty() ? "" : " of the runs that reached " + s.until);
  const auto groups = by_combination(s, metric);
  fmt::print("{}", table_text(table_of(s, plan, groups), plan.axes.size()));
  if (!s.until.empty())
    fmt::print(
        "\nA run that ends without reaching {} has not converged: it counts in `mean of all` only, with its "
        "last value.\n",
        s.until);
  const auto chosen = compare(o, plan, groups);
  fmt::print("\n");
  draw_figures(o, s, metric, chosen);
  std::fflush(stdout);
  return fine;
}

}  // namespace spinet::tool
