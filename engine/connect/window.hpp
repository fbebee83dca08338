// What convolutions and pools share: a window that slides over rows and columns of a shaped population.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "connect/rule.hpp"

namespace spinet::sliding {

/// "3 x 28 x 28"
std::string text(const layers::Shape& s);
/// The population that is all of these ends and has a shape; null: there is none.
const Population* shaped(const Network& n, const std::vector<GidRange>& ends);

/// "'image' (shape 3 x 28 x 28)", "'flat' (100 neurons)", "784 neurons of 'image' (shape 3 x 28 x 28)"; of
/// several populations the first, and "others".
std::string described(const Network& n, const std::vector<GidRange>& ends);

/// `rows` or `[rows, columns]` of key `name` into `to`; what is not given stays.  False after an error.
struct Pair {
  const char* name;
  std::uint32_t least;
};
bool read_pair(reading::Reader& r, const Node& map, const Pair& key, std::uint32_t (&to)[2]);

/// The window as Projection::numbers have it, and back.
void keep(const layers::Window& w, Projection& p);
layers::Window window_of(const Projection& p);

/// Along rows (0) or columns (1): places of the window in `n` rows; none if it is larger than they are.
std::uint32_t places(const layers::Window& w, std::uint32_t axis, std::uint32_t n);
/// Row `k` of the window at place `at`: which of `n` rows; nothing where it lies on the padding.
std::optional<std::uint32_t> under(const layers::Window& w, std::uint32_t axis, std::uint32_t at,
                                   std::uint32_t k, std::uint32_t n);
/// Pairs of a place among `of` and a row of the window that lie on one of `n` rows.
double covered(const layers::Window& w, std::uint32_t axis, std::uint32_t of, std::uint32_t n);

/// Why the window does not slide from the sources over to the targets, whatever their channels are.
Refusal refusal(const Ends& e, std::string_view rule);

/// Calls f(source, row * columns + column of the window) for what the window covers of channel `channel` at a
/// place of the target.
template <class F>
void each_covered(const layers::Window& w, const layers::Shape& from, std::uint32_t channel,
                  const std::uint32_t (&at)[2], F&& f) {
  for (std::uint32_t i = 0; i < w.size[0]; ++i) {
    const auto y = under(w, 0, at[0], i, from.height);
    for (std::uint32_t k = 0; y && k < w.size[1]; ++k)
      if (const auto x = under(w, 1, at[1], k, from.width))
        f((channel * from.height + *y) * from.width + *x, i * w.size[1] + k);
  }
}

}  // namespace spinet::sliding
