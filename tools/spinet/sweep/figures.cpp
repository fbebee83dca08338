#include "sweep/figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "exits.hpp"
#include "log/new_file.hpp"
#include "network/suggest.hpp"
#include "outputs.hpp"
#include "sweep/statistics.hpp"
#include "text.hpp"

namespace spinet::tool {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double left = 66, top = 34, width = 620, height = 320, foot = 46;
const char* const colours[] = {"#1f5fa8", "#c0392b", "#2e8b57", "#8e5ea2",
                               "#b8860b", "#16808f", "#7a4a2b", "#555555"};
const char* colour(std::size_t i) { return colours[i % std::size(colours)]; }

std::string escaped(const std::string& s) {
  std::string out;
  for (const char c : s)
    out += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
  return out;
}

/// "rate" of "parameters.rate"; of several paths the last part, if they share it.
std::string short_name(const SweepAxis& a) {
  std::string name;
  for (const auto& p : a.paths) {
    const auto last = p.substr(p.rfind('.') == std::string::npos ? 0 : p.rfind('.') + 1);
    if (!name.empty() && name != last) return a.name();
    name = last;
  }
  return name;
}

// --- axes of a figure
// --------------------------------------------------------------------------------------------

/// A round step that divides `span` into about `n`.
double round_step(double span, int n) {
  const double raw = span / n, decade = std::pow(10, std::floor(std::log10(raw)));
  for (const double m : {1., 2., 5.})
    if (raw <= m * decade * 1.001) return m * decade;
  return 10 * decade;
}

struct Frame {
  double x0, x1, y0, y1;
  double x(double v) const { return left + (v - x0) / (x1 - x0) * width; }
  double y(double v) const { return top + height - (std::clamp(v, y0, y1) - y0) / (y1 - y0) * height; }
};

std::string begin_svg(const std::string& title) {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" "
      "font-size=\"13\">"
      "<style>.s{{font-size:11px;fill:#555}}</style><rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
      "<text x=\"{}\" y=\"20\">{}</text>\n",
      left + width + 20, top + height + foot, left, escaped(title));
}

std::string grid(const Frame& f, const std::string& x_label, const std::string& y_label,
                 const std::vector<std::string>& x_texts) {
  std::string s;
  const double dy = round_step(f.y1 - f.y0, 6);
  for (double v = std::ceil(f.y0 / dy - 1e-9) * dy; v <= f.y1 + 1e-9 * dy; v += dy)
    s += fmt::format(
        "<path d=\"M{:.1f} {:.1f}h{}\" stroke=\"#e4e4e4\"/><text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\" "
        "class=\"s\">{:.6g}</text>\n",
        left, f.y(v), width, left - 6, f.y(v) + 4, std::fabs(v) < 1e-9 * dy ? 0 : v);
  const auto mark = [&](double v, const std::string& text) {
    s += fmt::format(
        "<path d=\"M{:.1f} {}v5\" stroke=\"#888\"/><text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\" "
        "class=\"s\">{}</text>\n",
        f.x(v), top + height, f.x(v), top + height + 18, escaped(text));
  };
  if (!x_texts.empty()) {
    for (std::size_t i = 0; i < x_texts.size(); ++i) mark(static_cast<double>(i), x_texts[i]);
  } else {
    const double dx = round_step(f.x1 - f.x0, 8);
    for (double v = std::ceil(f.x0 / dx - 1e-9) * dx; v <= f.x1 + 1e-9 * dx; v += dx)
      mark(v, fmt::format("{:.6g}", std::fabs(v) < 1e-9 * dx ? 0 : v));
  }
  s += fmt::format("<path d=\"M{} {}v{}h{}\" fill=\"none\" stroke=\"#888\"/>\n", left, top, height, width);
  s += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", left + width / 2,
                   top + height + 38, escaped(x_label));
  s += fmt::format("<text transform=\"translate(16 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
                   top + height / 2, escaped(y_label));
  return s;
}

std::string legend(const std::vector<std::string>& names) {
  std::string s;
  double y = top + 12;
  for (std::size_t i = 0; i < names.size(); ++i, y += 17)
    if (!names[i].empty())
      s += fmt::format(
          "<path d=\"M{} {}h18\" stroke=\"{}\" stroke-width=\"2.5\"/><text x=\"{}\" y=\"{}\" "
          "text-anchor=\"end\">{}</text>\n",
          left + width - 22, y - 4, colour(i), left + width - 28, y, escaped(names[i]));
  return s;
}

// --- what is reported
// --------------------------------------------------------------------------------------------

bool converged(const Sweep& s, const Row& r) { return !r.failed && (s.until.empty() || r.until_met); }

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

struct Condition {
  std::size_t axis, value;
};

std::vector<Condition> conditions(const Plan& plan, const std::string& option,
                                  const std::vector<std::string>& given) {
  std::vector<Condition> all;
  for (const auto& g : given) {
    const auto equals = g.find('=');
    if (equals == std::string::npos)
      throw UserError(
          fmt::format("{} {}: runs are chosen by PATH=VALUE, for example parameters.rule=linear", option, g));
    const std::string name = g.substr(0, equals), value = g.substr(equals + 1);
    std::vector<std::string> names;
    std::size_t axis = plan.axes.size();
    for (std::size_t a = 0; a < plan.axes.size(); ++a) {
      names.push_back(plan.axes[a].name());
      const auto& paths = plan.axes[a].paths;
      if (name == names.back() || name == short_name(plan.axes[a]) ||
          std::find(paths.begin(), paths.end(), name) != paths.end())
        axis = a;
    }
    if (axis == plan.axes.size())
      throw UserError(fmt::format("{} {}: {} was not varied{}", option, g, in_quotes(name),
                                  names.empty() ? "" : "; " + suggest(name, names, "varied")));
    const SweepAxis& a = plan.axes[axis];
    std::size_t v = 0;
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
    while (v < a.values.size() && !same(v)) ++v;
    if (v == a.values.size())
      throw UserError(fmt::format("{} {}: {} was not among the values; {}", option, g, in_quotes(value),
                                  suggest(value, a.values, "values")));
    all.push_back({axis, v});
  }
  return all;
}

bool holds(const std::vector<Condition>& all, const std::vector<std::size_t>& values) {
  return std::all_of(all.begin(), all.end(), [&](const Condition& c) { return values[c.axis] == c.value; });
}

struct Group {
  std::vector<double> converged, all;  ///< the metric of runs that converged, of all that did not fail
  std::uint64_t failed = 0;
};

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

std::vector<Group> by_combination(const Sweep& s, const std::string& metric) {
  std::vector<Group> groups(s.plan().combinations());
  for (const auto& [i, r] : s.rows) add(groups[i / s.trials], s, r, metric);
  return groups;
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
  check_output(path, true, {{sweep, "the sweep itself"}});
  logging::write_whole(path, text);
  fmt::print("{}  {:.0f} kB\n", path.string(), std::ceil(static_cast<double>(text.size()) / 1000));
}

}  // namespace

double metric_of(const Row& r, const std::string& name) {
  if (r.failed) return nan;
  for (const auto& [n, x] : r.metrics)
    if (n == name) return x;
  if (name.starts_with("rate."))
    for (const auto& [n, x] : r.rates)
      if (n == std::string_view(name).substr(5)) return x;
  return name == "spikes" ? r.spikes : name == "reached" ? r.reached : name == "seconds" ? r.seconds : nan;
}

std::string figure_of_means(const Sweep& s, const std::string& metric) {
  const Plan plan = s.plan();
  if (plan.axes.empty()) return {};
  const auto groups = by_combination(s, metric);
  // Along the first axis of several numbers, wherever it was named; a line for each combination of the
  // others.
  std::size_t along = 0;
  while (along < plan.axes.size() && (!plan.axes[along].numbers || plan.axes[along].values.size() < 3))
    ++along;
  if (along == plan.axes.size()) along = 0;
  const SweepAxis& axis = plan.axes[along];
  const std::size_t steps = axis.values.size(), series = groups.size() / steps;
  std::vector<std::vector<std::uint64_t>> lines;  // [series][step]: combination
  std::map<std::vector<std::size_t>, std::size_t> line_of;
  for (std::uint64_t c = 0; c < groups.size(); ++c) {
    auto v = plan.values_of(c);
    const std::size_t step = std::exchange(v[along], 0),
                      k = line_of.try_emplace(v, lines.size()).first->second;
    if (k == lines.size()) lines.emplace_back(steps);
    lines[k][step] = c;
  }
  std::vector<Summary> means;
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const auto& g : groups) {
    means.push_back(summarise(g.all));
    if (g.all.empty()) continue;
    const double sd = std::isnan(means.back().sd) ? 0 : means.back().sd;
    low = std::min(low, means.back().mean - sd);
    high = std::max(high, means.back().mean + sd);
  }
  if (!(low <= high)) return {};
  if (low > 0 && low < 0.5 * high) low = 0;
  if (low == high) low -= 1, high += 1;
  // Categories stand side by side; numbers where they are.
  const auto at = [&](std::size_t i) { return axis.numbers ? axis.number(i) : static_cast<double>(i); };
  Frame f{at(0), at(steps - 1), low, high};
  if (f.x0 > f.x1) std::swap(f.x0, f.x1);
  const double margin = axis.numbers && steps > 1 ? 0.03 * (f.x1 - f.x0) : 0.5;
  f.x0 -= margin, f.x1 += margin;
  f.y0 -= low == 0 ? 0 : 0.04 * (high - low);
  f.y1 += 0.04 * (high - low);
  std::string out = begin_svg(
      fmt::format("{}: {}, mean and standard deviation of {} trials", s.network_name, metric, s.trials));
  out += grid(f, short_name(axis) + (axis.unit.empty() ? "" : " [" + axis.unit + "]"),
              metric + (s.until.empty() ? "" : fmt::format(" at {}, or at the end", s.until)),
              axis.numbers ? std::vector<std::string>{} : axis.values);
  std::vector<std::string> names;
  for (std::size_t k = 0; k < series; ++k) {
    std::string line, upper, lower, marks;
    for (std::size_t i = 0; i < steps; ++i) {
      const Summary& m = means[lines[k][i]];
      if (m.n == 0) continue;
      const double sd = std::isnan(m.sd) ? 0 : m.sd;
      // Categories of several series are drawn a little apart.
      const double x =
          f.x(at(i)) +
          (axis.numbers ? 0 : (static_cast<double>(k) - 0.5 * static_cast<double>(series - 1)) * 12);
      line += fmt::format("{}{:.1f} {:.1f}", line.empty() ? "M" : "L", x, f.y(m.mean));
      upper += fmt::format("{}{:.1f} {:.1f}", upper.empty() ? "M" : "L", x, f.y(m.mean + sd));
      lower = fmt::format("L{:.1f} {:.1f}", x, f.y(m.mean - sd)) + lower;
      marks +=
          fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>", x, f.y(m.mean), colour(k));
      if (!axis.numbers)
        marks += fmt::format("<path d=\"M{:.1f} {:.1f}V{:.1f}\" stroke=\"{}\"/>", x, f.y(m.mean - sd),
                             f.y(m.mean + sd), colour(k));
    }
    if (axis.numbers && !line.empty())
      out += fmt::format(
          "<path d=\"{}{}Z\" fill=\"{}\" opacity=\"0.15\"/><path d=\"{}\" fill=\"none\" stroke=\"{}\" "
          "stroke-width=\"2\"/>\n",
          upper, lower, colour(k), line, colour(k));
    out += marks + "\n";
    const auto v = plan.values_of(lines[k][0]);
    std::string name;
    for (std::size_t a = 0; a < plan.axes.size(); ++a)
      if (a != along)
        name += fmt::format("{}{} {}", name.empty() ? "" : ", ", short_name(plan.axes[a]),
                            plan.axes[a].values[v[a]]);
    names.push_back(name);
  }
  if (names.size() <= 12) out += legend(names);
  return out + "</svg>\n";
}

std::string figure_of_curves(const Sweep& s, const std::vector<std::uint64_t>& combinations) {
  const Plan plan = s.plan();
  if (s.y_name.empty()) return {};
  std::map<std::uint64_t, std::vector<const Row*>> rows;
  float low = std::numeric_limits<float>::infinity(), high = -low, x1 = 0;
  std::vector<double> ends;
  std::size_t total = 0;
  for (const auto& [i, r] : s.rows) {
    if (r.x.empty() ||
        std::find(combinations.begin(), combinations.end(), i / s.trials) == combinations.end())
      continue;
    rows[i / s.trials].push_back(&r);
    ++total;
    ends.push_back(r.x.back());
    for (const float y : r.y) low = std::min(low, y), high = std::max(high, y);
  }
  if (total == 0) return {};
  // A few trials that never converge must not press the others to the left.
  std::sort(ends.begin(), ends.end());
  x1 = static_cast<float>(std::min(ends.back(), 1.5 * quantile(ends, 0.9)));
  if (low > 0 && low < 0.5f * high) low = 0;
  if (low == high) low -= 1, high += 1;
  if (!(x1 > 0)) x1 = 1;
  const Frame f{0, x1, low, high + 0.02 * (high - low)};
  std::string out = begin_svg(fmt::format("{}: {} of {} trials", s.network_name, s.y_name, total)) +
                    grid(f, s.x_name, s.y_name, {});
  // All trials, with few enough points that the file stays small.
  const std::size_t most = std::clamp<std::size_t>(36'000 / total, 12, 150);
  std::vector<std::string> names;
  std::string thick;
  for (std::size_t k = 0; k < combinations.size(); ++k) {
    const auto& group = rows[combinations[k]];
    std::string d;
    for (const Row* r : group) {
      std::vector<std::pair<long, long>> points;
      const std::size_t n = r->x.size(), stride = (n + most - 1) / most;
      for (std::size_t i = 0; i < n && r->x[i] <= x1; i += i + stride < n || i + 1 == n ? stride : n - 1 - i)
        points.emplace_back(std::lround(f.x(r->x[i])), std::lround(f.y(r->y[i])));
      long px = 0, py = 0;
      for (std::size_t i = 0; i < points.size(); ++i) {
        const auto [x, y] = points[i];
        if (i == 0) d += fmt::format("M{} {}l", x, y);
        else d += fmt::format("{}{}{}{}", i > 1 && x >= px ? " " : "", x - px, y >= py ? " " : "", y - py);
        px = x, py = y;
      }
      if (points.size() == 1) d += "0 0";
    }
    out += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"0.5\" opacity=\"0.25\"/>\n",
                       d, colour(k));
    // The mean; trials that have ended count with their last value.
    std::vector<std::size_t> at(group.size());
    std::string mean;
    for (int g = 0; g <= 200 && !group.empty(); ++g) {
      const double x = x1 * g / 200.0;
      double sum = 0;
      std::size_t n = 0;
      for (std::size_t i = 0; i < group.size(); ++i) {
        const auto& r = *group[i];
        while (at[i] + 1 < r.x.size() && r.x[at[i] + 1] <= x) ++at[i];
        if (r.x[at[i]] <= x) sum += r.y[at[i]], ++n;
      }
      if (n == group.size())
        mean += fmt::format("{}{:.1f} {:.1f}", mean.empty() ? "M" : "L", f.x(x),
                            f.y(sum / static_cast<double>(n)));
    }
    if (!mean.empty())
      thick += fmt::format(
          "<path d=\"{0}\" fill=\"none\" stroke=\"white\" stroke-width=\"4.5\" opacity=\"0.7\"/><path "
          "d=\"{0}\" fill=\"none\" stroke=\"{1}\" stroke-width=\"2.5\"/>\n",
          mean, colour(k));
    std::string name;
    const auto v = plan.values_of(combinations[k]);
    for (std::size_t a = 0; a < plan.axes.size(); ++a)
      if (combinations.size() > 1 || plan.axes.size() == 1)
        name += fmt::format("{}{} {}", name.empty() ? "" : ", ", short_name(plan.axes[a]),
                            plan.axes[a].values[v[a]]);
    names.push_back(name);
  }
  return out + thick +
         (names.size() <= 12
              ? fmt::format("<g transform=\"translate(0 {})\">{}</g>\n",
                            height - 17.0 * static_cast<double>(names.size()) - 16, legend(names))
              : "") +
         "</svg>\n";
}

namespace {

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
  if (chosen.size() > std::size(colours))
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
