// What is done to a device on the bench, in a language of one line:
//
//   protocol := element {("," | newline) element}          "#" begins a comment
//   element  := [N x] what [in N [log]] [every TIME]
//             | [N x] "(" protocol ")"
//   what     := STIMULUS VALUE...     one that the model answers, its values in their order; without the name
//                                     of the stimulus it is a pulse: 2.5 V 5 ms
//             | pause TIME            nothing happens; read at its end or, with `in N`, N times
//             | set PARAMETER VALUE   of a parameter that the schedule may change
//   VALUE    := QUANTITY | WORD | QUANTITY..QUANTITY[..QUANTITY...]      a ramp, N steps to each further end
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "spinet/synapse.hpp"

namespace spinet::tool {

struct Step {
  enum class Kind : std::uint8_t { stimulus, pause, set } kind = Kind::stimulus;
  std::uint32_t what = 0;  ///< index of the stimulus or of the parameter
  double value[most_stimulus_values] = {0, 0, 0, 0};
  double period = 0;  ///< to the next step, and to its reading [s]
};
/// An element that was written, once for each time that it is carried out: steps [first, first + count).
struct Element {
  std::string text;
  std::size_t first = 0, count = 0;
  bool ramp = false;
  std::uint32_t ramped = 0;  ///< which value
};
struct Protocol {
  std::vector<Step> steps;
  std::vector<Element> elements;
};

/// Throws UserError, which shows the line and the place; `source`: the option or file that `text` is from.
Protocol read_protocol(const std::string& text, const SynapseTable& t, const std::string& source);

}  // namespace spinet::tool
