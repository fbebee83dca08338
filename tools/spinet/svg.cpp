#include "svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace spinet::tool {
namespace {

std::string escaped(const std::string& s) {
  std::string out;
  for (const char c : s) out += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
  return out;
}

/// 1, 2 or 5 times a power of ten, about a fifth of the range.
double round_step(double range) {
  const double power = std::pow(10, std::floor(std::log10(range / 5))), lead = range / 5 / power;
  return power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
}

std::vector<double> marks(double low, double high, bool logarithmic) {
  std::vector<double> all;
  if (logarithmic) {
    const bool few = std::log10(high / low) < 2.5;
    for (int k = static_cast<int>(std::floor(std::log10(low))); std::pow(10, k) <= high; ++k)
      for (const double lead : {1.0, 2.0, 5.0})
        if (const double v = lead * std::pow(10, k); (few || lead == 1) && v >= low && v <= high) all.push_back(v);
  } else {
    const double step = round_step(high - low);
    for (double v = std::ceil(low / step) * step; v <= high + step * 1e-9; v += step) all.push_back(std::abs(v) < step * 1e-9 ? 0 : v);
  }
  return all;
}

}  // namespace

std::string svg_chart(const std::string& title, const std::string& x_label, const std::vector<double>& x, const std::vector<Panel>& panels) {
  constexpr double left = 80, width = 640, tall = 260, low = 90, gap = 18;
  const double begin = x.front(), end = std::max(x.back(), begin + 1e-12);
  const auto across = [&](double v) { return left + (v - begin) / (end - begin) * width; };
  double top = 34;
  std::string body;
  for (std::size_t k = 0; k < panels.size(); ++k) {
    const Panel& p = panels[k];
    const double height = k == 0 ? tall : low;
    auto [from, to] = [&] {
      const auto [a, b] = std::minmax_element(p.y.begin(), p.y.end());
      return std::pair{*a, *b};
    }();
    if (p.sticks) from = std::min(from, 0.0), to = std::max(to, 0.0);
    if (to <= from) from -= p.logarithmic ? from / 2 : 1, to += p.logarithmic ? to / 2 : 1;
    const auto scale = [&](double v) { return p.logarithmic ? std::log(v) : v; };
    const double pad = (scale(to) - scale(from)) * 0.04;
    const double bottom = scale(from) - pad, range = scale(to) + pad - bottom;
    const auto up = [&](double v) { return top + height - (scale(v) - bottom) / range * height; };
    for (const double v : marks(from, to, p.logarithmic))
      body += fmt::format("<path d=\"M{} {:.1f}h{}\" stroke=\"#ddd\"/><text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\" class=\"s\">{:g}</text>\n", left, up(v), width,
                          left - 6, up(v) + 3.5, v);
    std::string path;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (p.sticks) path += fmt::format("M{:.1f} {:.1f}V{:.1f}", across(x[i]), up(0), up(p.y[i]));
      else path += fmt::format("{}{:.1f} {:.1f}", i ? "L" : "M", across(x[i]), up(p.y[i]));
    }
    body += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.4\"/>\n", path, p.colour);
    body += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#888\"/>"
                        "<text transform=\"translate(16 {:.0f}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
                        left, top, width, height, top + height / 2, escaped(p.label));
    top += height + gap;
  }
  for (const double v : marks(begin, end, false))
    body += fmt::format("<text x=\"{:.1f}\" y=\"{:.0f}\" text-anchor=\"middle\" class=\"s\">{:g}</text>\n", across(v), top - gap + 14, v);
  body += fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"middle\">{}</text>\n", left + width / 2, top + 16, escaped(x_label));
  return fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0f} {:.0f}\" font-family=\"sans-serif\" font-size=\"13\">"
                     "<style>.s{{font-size:10px;fill:#555}}</style><rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
                     "<text x=\"{}\" y=\"20\">{}</text>\n{}</svg>\n",
                     left + width + 24, top + 26, left, escaped(title), body);
}

}  // namespace spinet::tool
