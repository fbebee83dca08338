#include "sweep/figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "sweep/groups.hpp"
#include "sweep/statistics.hpp"

namespace spinet::tool {
namespace {

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
static_assert(std::size(colours) == most_curves);

// --- axes of a figure ---

/// A round step that divides `span` into about `n`.
double round_step(double span, int n) {
  const double raw = span / n, decade = std::pow(10, std::floor(std::log10(raw)));
  for (const double m : {1., 2., 5.})
    if (raw <= m * decade * 1.001) return m * decade;
  return 10 * decade;
}

/// Where values lie on the page.
struct Plot {
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

std::string grid(const Plot& f, const std::string& x_label, const std::string& y_label,
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

/// The values of a combination in words, those of one axis left out; `plan.axes.size()`: of none.
std::string name_of(const Plan& plan, std::uint64_t combination, std::size_t without) {
  std::string name;
  const auto v = plan.values_of(combination);
  for (std::size_t a = 0; a < plan.axes.size(); ++a)
    if (a != without)
      name += fmt::format("{}{} {}", name.empty() ? "" : ", ", short_name(plan.axes[a]),
                          plan.axes[a].values[v[a]]);
  return name;
}

/// From 0 where that is near; never of no height.
void round_range(double& low, double& high) {
  if (low > 0 && low < 0.5 * high) low = 0;
  if (low == high) low -= 1, high += 1;
}

// --- means ---

/// A metric along one axis: a line for each combination of the others.
class Means {
 public:
  Means(const Sweep& s, const std::string& metric);
  /// Empty where there is nothing to draw.
  std::string draw() const;

 private:
  void lay_out(std::size_t combinations);
  void find_range();
  double at(std::size_t step) const {
    return axis().numbers ? axis().number(step) : static_cast<double>(step);  // categories: side by side
  }
  const SweepAxis& axis() const { return plan_.axes[along_]; }
  std::string line(std::size_t k) const;

  const Sweep& sweep_;
  std::string metric_;
  Plan plan_;
  std::size_t along_ = 0;                          ///< number of the axis
  std::vector<std::vector<std::uint64_t>> lines_;  ///< [line][step]: combination; none: nothing to draw
  std::vector<Summary> means_;                     ///< by combination
  Plot plot_{};
};

Means::Means(const Sweep& s, const std::string& metric) : sweep_(s), metric_(metric), plan_(s.plan()) {
  if (plan_.axes.empty()) return;
  for (const auto& g : by_combination(s, metric)) means_.push_back(summarise(g.all));
  lay_out(means_.size());
  find_range();
}

/// Along the first axis of several numbers, wherever it was named.
void Means::lay_out(std::size_t combinations) {
  const auto& axes = plan_.axes;
  while (along_ < axes.size() && (!axes[along_].numbers || axes[along_].values.size() < 3)) ++along_;
  if (along_ == axes.size()) along_ = 0;
  std::map<std::vector<std::size_t>, std::size_t> line_of;
  for (std::uint64_t c = 0; c < combinations; ++c) {
    auto v = plan_.values_of(c);
    const std::size_t step = std::exchange(v[along_], 0),
                      k = line_of.try_emplace(v, lines_.size()).first->second;
    if (k == lines_.size()) lines_.emplace_back(axis().values.size());
    lines_[k][step] = c;
  }
}

double spread(const Summary& m) { return std::isnan(m.sd) ? 0 : m.sd; }

void Means::find_range() {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const Summary& m : means_) {
    if (m.n == 0) continue;
    low = std::min(low, m.mean - spread(m));
    high = std::max(high, m.mean + spread(m));
  }
  if (!(low <= high)) return lines_.clear();
  round_range(low, high);
  const std::size_t steps = axis().values.size();
  plot_ = {std::min(at(0), at(steps - 1)), std::max(at(0), at(steps - 1)), low, high};
  const double margin = axis().numbers && steps > 1 ? 0.03 * (plot_.x1 - plot_.x0) : 0.5;
  plot_.x0 -= margin, plot_.x1 += margin;
  plot_.y0 -= low == 0 ? 0 : 0.04 * (high - low);
  plot_.y1 += 0.04 * (high - low);
}

/// Marks, and of numbers a line through them with a band of one standard deviation.
std::string Means::line(std::size_t k) const {
  std::string line, upper, lower, marks;
  const Plot& f = plot_;
  for (std::size_t i = 0; i < lines_[k].size(); ++i) {
    const Summary& m = means_[lines_[k][i]];
    if (m.n == 0) continue;
    const double sd = spread(m);
    // Categories of several lines are drawn a little apart.
    const double aside = static_cast<double>(k) - 0.5 * static_cast<double>(lines_.size() - 1);
    const double x = f.x(at(i)) + (axis().numbers ? 0 : aside * 12);
    line += fmt::format("{}{:.1f} {:.1f}", line.empty() ? "M" : "L", x, f.y(m.mean));
    upper += fmt::format("{}{:.1f} {:.1f}", upper.empty() ? "M" : "L", x, f.y(m.mean + sd));
    lower = fmt::format("L{:.1f} {:.1f}", x, f.y(m.mean - sd)) + lower;
    marks +=
        fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>", x, f.y(m.mean), colour(k));
    if (!axis().numbers)
      marks += fmt::format("<path d=\"M{:.1f} {:.1f}V{:.1f}\" stroke=\"{}\"/>", x, f.y(m.mean - sd),
                           f.y(m.mean + sd), colour(k));
  }
  if (!axis().numbers || line.empty()) return marks + "\n";
  return fmt::format(
             "<path d=\"{}{}Z\" fill=\"{}\" opacity=\"0.15\"/><path d=\"{}\" fill=\"none\" stroke=\"{}\" "
             "stroke-width=\"2\"/>\n",
             upper, lower, colour(k), line, colour(k)) +
         marks + "\n";
}

std::string Means::draw() const {
  if (lines_.empty()) return {};
  std::string out = begin_svg(fmt::format("{}: {}, mean and standard deviation of {} trials",
                                          sweep_.network_name, metric_, sweep_.trials));
  out += grid(plot_, short_name(axis()) + (axis().unit.empty() ? "" : " [" + axis().unit + "]"),
              metric_ + (sweep_.until.empty() ? "" : fmt::format(" at {}, or at the end", sweep_.until)),
              axis().numbers ? std::vector<std::string>{} : axis().values);
  std::vector<std::string> names;
  for (std::size_t k = 0; k < lines_.size(); ++k) {
    out += line(k);
    names.push_back(name_of(plan_, lines_[k][0], along_));
  }
  if (names.size() <= 12) out += legend(names);
  return out + "</svg>\n";
}

// --- curves ---

using Rows = std::vector<const Row*>;

/// All trials of a combination, with few enough points that the file stays small.
std::string thin_lines(const Rows& rows, const Plot& f, std::size_t most) {
  std::string d;
  for (const Row* r : rows) {
    std::vector<std::pair<long, long>> points;
    const std::size_t n = r->x.size(), stride = (n + most - 1) / most;
    for (std::size_t i = 0; i < n && r->x[i] <= f.x1; i += i + stride < n || i + 1 == n ? stride : n - 1 - i)
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
  return d;
}

/// The mean of all trials; those that have ended count with their last value.
std::string mean_line(const Rows& rows, const Plot& f) {
  std::vector<std::size_t> at(rows.size());
  std::string mean;
  for (int g = 0; g <= 200 && !rows.empty(); ++g) {
    const double x = f.x1 * g / 200.0;
    double sum = 0;
    std::size_t n = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto& r = *rows[i];
      while (at[i] + 1 < r.x.size() && r.x[at[i] + 1] <= x) ++at[i];
      if (r.x[at[i]] <= x) sum += r.y[at[i]], ++n;
    }
    if (n == rows.size())
      mean +=
          fmt::format("{}{:.1f} {:.1f}", mean.empty() ? "M" : "L", f.x(x), f.y(sum / static_cast<double>(n)));
  }
  return mean;
}

/// As far as most trials go: a few that never converge must not press the others to the left.
Plot plot_of(const std::map<std::uint64_t, Rows>& rows) {
  float low = std::numeric_limits<float>::infinity(), high = -low;
  std::vector<double> ends;
  for (const auto& [combination, some] : rows)
    for (const Row* r : some) {
      ends.push_back(r->x.back());
      for (const float y : r->y) low = std::min(low, y), high = std::max(high, y);
    }
  std::sort(ends.begin(), ends.end());
  double x1 = static_cast<double>(static_cast<float>(std::min(ends.back(), 1.5 * quantile(ends, 0.9))));
  if (!(x1 > 0)) x1 = 1;
  double y0 = low, y1 = high;
  round_range(y0, y1);
  return {0, x1, y0, y1 + 0.02 * (y1 - y0)};
}

}  // namespace

std::string figure_of_means(const Sweep& s, const std::string& metric) { return Means(s, metric).draw(); }

std::string figure_of_curves(const Sweep& s, const std::vector<std::uint64_t>& combinations) {
  if (s.y_name.empty()) return {};
  std::map<std::uint64_t, Rows> rows;
  std::size_t total = 0;
  for (const auto& [i, r] : s.rows) {
    const bool chosen =
        std::find(combinations.begin(), combinations.end(), i / s.trials) != combinations.end();
    if (r.x.empty() || !chosen) continue;
    rows[i / s.trials].push_back(&r);
    ++total;
  }
  if (total == 0) return {};
  const Plot f = plot_of(rows);
  const Plan plan = s.plan();
  std::string out = begin_svg(fmt::format("{}: {} of {} trials", s.network_name, s.y_name, total)) +
                    grid(f, s.x_name, s.y_name, {});
  const std::size_t most_points = std::clamp<std::size_t>(36'000 / total, 12, 150);
  std::vector<std::string> names;
  std::string thick;
  for (std::size_t k = 0; k < combinations.size(); ++k) {
    const Rows& some = rows[combinations[k]];
    out += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"0.5\" opacity=\"0.25\"/>\n",
                       thin_lines(some, f, most_points), colour(k));
    if (const std::string mean = mean_line(some, f); !mean.empty())
      thick += fmt::format(
          "<path d=\"{0}\" fill=\"none\" stroke=\"white\" stroke-width=\"4.5\" opacity=\"0.7\"/><path "
          "d=\"{0}\" fill=\"none\" stroke=\"{1}\" stroke-width=\"2.5\"/>\n",
          mean, colour(k));
    const bool named = combinations.size() > 1 || plan.axes.size() == 1;
    names.push_back(named ? name_of(plan, combinations[k], plan.axes.size()) : "");
  }
  out += thick;
  if (names.size() <= 12)
    out += fmt::format("<g transform=\"translate(0 {})\">{}</g>\n",
                       height - 17.0 * static_cast<double>(names.size()) - 16, legend(names));
  return out + "</svg>\n";
}

}  // namespace spinet::tool
