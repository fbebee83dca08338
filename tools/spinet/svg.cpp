#include "svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "network/printable.hpp"

namespace spinet::tool {
namespace {

std::string escaped(const std::string& s) {
  std::string out;
  for (const char c : printable(s))
    out += c == '<'   ? "&lt;"
           : c == '>' ? "&gt;"
           : c == '&' ? "&amp;"
           : c == '"' ? "&quot;"
                      : std::string(1, c);
  return out;
}

/// 1, 2 or 5 times a power of ten, about a fifth of the range.
double round_step(double range) {
  const double power = std::pow(10, std::floor(std::log10(range / 5))), lead = range / 5 / power;
  return power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
}

/// Multiples of a step.
std::vector<double> multiples(double low, double high, double step) {
  constexpr int most = 100;  // where the range is about the last digit of its ends, a step may lead nowhere
  std::vector<double> all;
  const double first = std::ceil(low / step);
  for (int k = 0; k < most && (first + k) * step <= high + step * 1e-9; ++k)
    all.push_back((first + k) * step + 0.0);
  return all;
}

std::vector<double> marks(double low, double high, bool logarithmic) {
  if (!logarithmic) return multiples(low, high, round_step(high - low));
  std::vector<double> all;
  const bool few = std::log10(high / low) < 2.5;
  for (int k = static_cast<int>(std::floor(std::log10(low))); std::pow(10, k) <= high; ++k)
    for (const double lead : {1.0, 2.0, 5.0})
      if (const double v = lead * std::pow(10, k); (few || lead == 1) && v >= low && v <= high)
        all.push_back(v);
  return all.size() < 2 ? marks(low, high, false) : all;  // a part of a decade
}

/// As many digits as tell one mark from the next, six at least.
std::string mark_text(double v, const std::vector<double>& all) {
  double size = 0;
  for (const double m : all) size = std::max(size, std::abs(m));
  const double step = all.size() > 1 ? all[1] - all[0] : size;
  const double digits = size > 0 && step > 0 ? std::ceil(std::log10(size / step)) + 1 : 0;
  return fmt::format("{:.{}g}", v, static_cast<int>(std::clamp(digits, 6.0, 17.0)));
}

/// The file around what `body` draws, `width` by `height`.
std::string document(const std::string& title, double left, double width, double height,
                     const std::string& body) {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0f} {:.0f}\" font-family=\"sans-serif\" "
      "font-size=\"13\">"
      "<style>.s{{font-size:10px;fill:#555}}</style><rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
      "<text x=\"{}\" y=\"20\">{}</text>\n{}</svg>\n",
      width, height, left, escaped(title), body);
}

/// Letters, not bytes.
double letters(const std::string& text) {
  return static_cast<double>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// A text in lines of at most `most` letters.
std::vector<std::string> lines_of(const std::string& text, double most) {
  std::vector<std::string> lines(1);
  double in_line = 0;
  for (const char c : text) {
    const bool begins = (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    if (begins && in_line >= most) lines.emplace_back(), in_line = 0;
    lines.back() += c;
    if (begins) ++in_line;
  }
  return lines;
}

constexpr double beside_letter = 6.6;  ///< of a text beside an axis

/// A number as an axis shows it, beside others that are `step` away.
std::string number(double v, double step) {
  const double size = std::abs(v);
  if (v != 0 && (size >= 1e7 || size < 1e-5)) return fmt::format("{:.4g}", v);
  const int decimals = std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 12);
  return fmt::format("{:.{}f}", v, decimals);
}

struct Flow {
  double x = 0, y = 0;
  std::string out;
};

/// One entry of a key, at the next place in rows of `width`.
void add_entry(Flow& at, const KeyEntry& e, double left, double width) {
  constexpr double letter = 6.2, line = 16, bar = 70;
  const double ends =
      e.from.empty() ? (e.dashes.empty() ? 16 : 28) : (letters(e.from) + letters(e.to)) * letter + bar + 14;
  const auto lines = lines_of(e.text, std::max(10.0, std::floor((width - ends) / letter)));
  const double wide = ends + letters(lines.front()) * letter + 16;
  if (at.x > 0 && at.x + wide > width) at.x = 0, at.y += line;
  double x = left + at.x;
  if (!e.dashes.empty() && e.from.empty()) {
    at.out += fmt::format(
        "<path class=\"key\" d=\"M{:.1f} {:.1f}h22\" stroke=\"{}\" stroke-width=\"2.4\" "
        "stroke-dasharray=\"{}\"/>",
        x, at.y - 4, e.colour, e.dashes);
    x += 27;
  } else if (e.from.empty()) {
    at.out +=
        fmt::format("<rect class=\"key\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"10\" height=\"10\" fill=\"{}\"/>",
                    x, at.y - 9, e.colour);
    x += 15;
  } else {
    at.out += fmt::format("<text class=\"s\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", x, at.y, escaped(e.from));
    x += letters(e.from) * letter + 4;
    for (int k = 0; k < Shades::levels; ++k)
      at.out += fmt::format(
          "<rect class=\"scale\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"10\" fill=\"{}\" "
          "fill-opacity=\"{:.2f}\"/>",
          x + k * bar / Shades::levels, at.y - 9, bar / Shades::levels, e.colour, Shades::opacity(k));
    at.out += fmt::format("<text class=\"s\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", x + bar + 4, at.y,
                          escaped(e.to));
    x += bar + letters(e.to) * letter + 10;
  }
  for (std::size_t k = 0; k < lines.size(); ++k) {
    if (k) at.y += line;
    at.out +=
        fmt::format("<text class=\"s\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", x, at.y, escaped(lines[k]));
  }
  at.x = lines.size() > 1 ? width : at.x + wide;
}

/// Where numbers stand on an axis, in its own units, and what stands there.
std::vector<std::pair<double, std::string>> numbers_of(const Axis& a) {
  std::vector<std::pair<double, std::string>> all;
  if (a.logarithmic) {
    for (const double v : marks(std::pow(10, a.from), std::pow(10, a.to), true))
      all.emplace_back(std::log10(v), fmt::format("{:g}", v * a.scale));
  } else {
    const double step = std::max(round_step((a.to - a.from) * a.scale), a.least);
    for (const double v : multiples(a.from * a.scale, a.to * a.scale, step))
      all.emplace_back(v / a.scale, number(v, step));
  }
  return all;
}

}  // namespace

double width_of(const std::string& text) { return letters(text) * beside_letter; }

std::vector<std::string> wrapped(const std::string& text, double width) {
  return lines_of(text, std::max(1.0, std::floor(width / beside_letter)));
}

Plot::Plot(std::string title, Axis x, Axis y, const std::vector<KeyEntry>& key, Area area)
    : title_(std::move(title)), x_(std::move(x)), y_(std::move(y)), left_(area.left), height_(area.height) {
  if (!(x_.to > x_.from)) x_.to = x_.from + 1;
  if (!(y_.to > y_.from)) y_.to = y_.from + 1;
  if (y_.numbers)  // room for the label beside the widest number
    for (const auto& [v, text] : numbers_of(y_)) left_ = std::max(left_, letters(text) * 6.2 + 36);
  Flow at{0, 40, {}};
  for (const auto& e : key) add_entry(at, e, left_, width);
  top_ = key.empty() ? 34 : at.y + 12, bottom_ = top_ + height_;
  around_ = at.out;
  for (const auto& [v, text] : numbers_of(x_))
    around_ += fmt::format(
        "<path d=\"M{:.1f} {:.1f}V{:.1f}\" stroke=\"#ddd\"/><text x=\"{:.1f}\" y=\"{:.1f}\" "
        "text-anchor=\"middle\" class=\"s\">{}</text>\n",
        this->x(v), top_, bottom_, this->x(v), bottom_ + 14, text);
  if (y_.numbers)
    for (const auto& [v, text] : numbers_of(y_))
      around_ += fmt::format(
          "<path d=\"M{:.1f} {:.1f}h{}\" stroke=\"#ddd\"/><text x=\"{:.1f}\" y=\"{:.1f}\" "
          "text-anchor=\"end\" class=\"s\">{}</text>\n",
          left_, this->y(v), width, left_ - 6, this->y(v) + 3.5, text);
  around_ += fmt::format(
      "<text class=\"label\" x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"middle\">{}</text>\n"
      "<text class=\"label\" transform=\"translate(16 {:.0f}) rotate(-90)\" "
      "text-anchor=\"middle\">{}</text>\n",
      left_ + width / 2, bottom_ + 34, escaped(x_.label), top_ + height_ / 2, escaped(y_.label));
}

void Plot::path(const std::string& d, const Stroke& s, const std::string& fill) {
  marks_ += fmt::format(
      "<path d=\"{}\" fill=\"{}\" stroke=\"{}\" stroke-width=\"{:g}\" opacity=\"{:.2f}\"{}{}/>\n", d, fill,
      s.colour, s.width, s.opacity, s.dashes.empty() ? "" : fmt::format(" stroke-dasharray=\"{}\"", s.dashes),
      s.name.empty() ? "" : fmt::format(" data-name=\"{}\"", escaped(s.name)));
}

void Plot::steps(const std::vector<double>& edges, const std::vector<double>& values, const Stroke& stroke) {
  if (values.empty()) return;
  std::string d;
  for (std::size_t i = 0; i < values.size(); ++i)
    d += fmt::format("{}{:.1f} {:.1f}H{:.1f}", i ? "L" : "M", x(edges[i]), y(values[i]), x(edges[i + 1]));
  path(d, stroke);
}

void Plot::beside(double at, const std::string& text, const std::string& colour) {
  around_ += fmt::format(
      "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\" font-size=\"11\" fill=\"{}\">{}</text>\n",
      left_ - 6, at, colour, escaped(text));
}

std::string Plot::svg() const {
  return document(
      title_, left_, left_ + width + 24, bottom_ + 44,
      fmt::format("{}<clipPath id=\"inside\"><rect x=\"{}\" y=\"{}\" width=\"{}\" "
                  "height=\"{}\"/></clipPath><g clip-path=\"url(#inside)\">\n{}</g>"
                  "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#888\"/>\n",
                  around_, left_, top_, width, height_, marks_, left_, top_, width, height_));
}

namespace {

/// Numbers along one direction of a chart, on the place that is theirs.
struct ChartScale {
  double from = 0, to = 1;  ///< what is marked
  bool logarithmic = false;
  double low = 0, range = 1;  ///< of what is drawn, in logarithms where they are

  static ChartScale of(const std::vector<const std::vector<double>*>& all, bool logarithmic, bool with_zero) {
    ChartScale s;
    s.logarithmic = logarithmic;
    s.from = INFINITY, s.to = -INFINITY;
    for (const auto* values : all)
      for (const double v : *values)
        if (std::isfinite(v) && (!logarithmic || v > 0))
          s.from = std::min(s.from, v), s.to = std::max(s.to, v);
    if (!(s.from <= s.to)) s.from = s.to = 1;
    if (with_zero) s.from = std::min(s.from, 0.0), s.to = std::max(s.to, 0.0);
    if (!(s.to > s.from)) {  // all alike: a little around it
      const double some = s.from != 0 ? std::abs(s.from) / 2 : 1;
      s.from -= some, s.to += some;
    }
    s.low = s.scaled(s.from), s.range = s.scaled(s.to) - s.low;
    if (!(s.range > 0) || !std::isfinite(s.range)) s.range = 1;
    return s;
  }
  void pad(double part) { low -= part * range, range *= 1 + 2 * part; }
  double scaled(double v) const { return logarithmic ? std::log(v) : v; }
  /// 0 at one end, 1 at the other.
  double part(double v) const { return (scaled(v) - low) / range; }
  bool shows(double v) const { return std::isfinite(v) && (!logarithmic || v > 0); }
};

constexpr double chart_left = 80, chart_width = 640;

/// One panel, `height` tall at `top`.
class PanelDrawing {
 public:
  PanelDrawing(const Panel& p, const ChartAxis& x, const ChartScale& across, double top, double height)
      : p_(p),
        x_(x),
        across_(across),
        top_(top),
        height_(height),
        scale_(ChartScale::of({&p.y, &p.lower, &p.upper}, p.logarithmic, p.sticks)) {
    scale_.pad(0.04);
  }
  std::string svg() const {
    std::string body;
    const auto all = marks(scale_.from, scale_.to, p_.logarithmic);
    for (const double v : all)
      body += fmt::format(
          "<path d=\"M{} {:.1f}h{}\" stroke=\"#ddd\"/><text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\" "
          "class=\"s\">{}</text>\n",
          chart_left, y(v), chart_width, chart_left - 6, y(v) + 3.5, mark_text(v, all));
    if (!p_.lower.empty()) body += band();
    body += fmt::format(
        "<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.4\" "
        "stroke-linejoin=\"round\"/>\n",
        line(), p_.colour);
    return body + fmt::format(
                      "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#888\"/>"
                      "<text transform=\"translate(16 {:.0f}) rotate(-90)\" "
                      "text-anchor=\"middle\">{}</text>\n",
                      chart_left, top_, chart_width, height_, top_ + height_ / 2, escaped(p_.label));
  }

 private:
  double x(std::size_t i) const { return chart_left + across_.part(x_.values[i]) * chart_width; }
  double y(double v) const { return top_ + height_ * (1 - scale_.part(v)); }
  bool shows(std::size_t i, double v) const { return across_.shows(x_.values[i]) && scale_.shows(v); }
  std::string line() const {
    std::string d;
    bool on = false;
    for (std::size_t i = 0; i < p_.y.size(); ++i) {
      const bool here = shows(i, p_.y[i]);
      if (here && p_.sticks) d += fmt::format("M{:.1f} {:.1f}V{:.1f}", x(i), y(0), y(p_.y[i]));
      else if (here) d += fmt::format("{}{:.1f} {:.1f}", on ? "L" : "M", x(i), y(p_.y[i]));
      on = here;
    }
    return d;
  }
  std::string band() const {
    std::string there, back;
    for (std::size_t i = 0; i < p_.lower.size(); ++i) {
      if (!shows(i, p_.lower[i]) || !shows(i, p_.upper[i])) continue;
      there += fmt::format("{}{:.1f} {:.1f}", there.empty() ? "M" : "L", x(i), y(p_.upper[i]));
      back = fmt::format("L{:.1f} {:.1f}", x(i), y(p_.lower[i])) + back;
    }
    return fmt::format("<path class=\"band\" d=\"{}{}Z\" fill=\"{}\" fill-opacity=\"0.18\"/>\n", there, back,
                       p_.colour);
  }

  const Panel& p_;
  const ChartAxis& x_;
  const ChartScale& across_;
  double top_, height_;
  ChartScale scale_;
};

}  // namespace

std::string svg_chart(const std::string& title, const ChartAxis& x, const std::vector<Panel>& panels) {
  constexpr double tall = 260, other = 180, low = 90, gap = 18;
  const ChartScale across = ChartScale::of({&x.values}, x.logarithmic, false);
  double top = 34;
  std::string body;
  for (std::size_t k = 0; k < panels.size(); ++k) {
    const double height = k == 0 ? tall : panels[k].sticks ? low : other;
    body += PanelDrawing(panels[k], x, across, top, height).svg();
    top += height + gap;
  }
  const auto all = marks(across.from, across.to, x.logarithmic);
  for (const double v : all)
    body += fmt::format("<text x=\"{:.1f}\" y=\"{:.0f}\" text-anchor=\"middle\" class=\"s\">{}</text>\n",
                        chart_left + across.part(v) * chart_width, top - gap + 14, mark_text(v, all));
  body += fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"middle\">{}</text>\n",
                      chart_left + chart_width / 2, top + 16, escaped(x.label));
  return document(title, chart_left, chart_left + chart_width + 24, top + 26, body);
}

}  // namespace spinet::tool
