#include "device/protocol.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>

#include "commands.hpp"
#include "network/lookup.hpp"
#include "network/mapping.hpp"
#include "network/printable.hpp"
#include "network/suggest.hpp"
#include "network/units.hpp"
#include "spinet/device.hpp"

namespace spinet::tool {
namespace {

constexpr std::uint64_t most_steps = 10'000'000;
constexpr double shortest_period = 10e-3;  // s
constexpr double longest = 9e9;            // s: ticks of 1 ns are counted in 63 bits
constexpr int deepest = 32;                // of groups in groups

struct Token {
  enum class Kind { number, word, dots, open, close, separator, end } kind;
  std::size_t at, length;
  double number = 0;
  std::string text{};
};

class ProtocolReader {
 public:
  ProtocolReader(const std::string& text, const SynapseTable& t, const std::string& source)
      : text_(text), t_(t), source_(source) {
    split();
  }
  Protocol read() {
    group(0);
    if (next().kind == Token::Kind::close) fail(next(), "this ')' closes nothing");
    if (out_.steps.empty()) fail(tokens_.front(), "nothing is done: there is no element");
    return std::move(out_);
  }

 private:
  [[noreturn]] void fail(const Token& where, const std::string& reason, const std::string& help = "") const {
    const std::size_t at = std::min(where.at, text_.size());
    const std::size_t begin = at == 0 ? 0 : text_.rfind('\n', at - 1) + 1;
    const std::size_t end = std::min(text_.find('\n', at), text_.size());
    constexpr std::size_t before = 60, most = 100;  // characters of a line that are shown
    const std::size_t from = at - begin > before ? at - before : begin, to = std::min(end, from + most);
    const std::string lead = from > begin ? "..." : "", more = to < end ? "..." : "";
    const auto line = 1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    throw UserError(fmt::format("{}:{}:{}: {}\n  | {}{}{}\n  | {}^{}{}", source_, line, at - begin + 1,
                                reason, lead, printable(text_.substr(from, to - from)), more,
                                std::string(lead.size() + at - from, ' '),
                                std::string(std::min(where.length, std::max(to, at + 1) - at) - 1, '~'),
                                help.empty() ? "" : "\n" + help));
  }

  void split() {
    std::size_t i = 0;
    const auto add = [&](Token::Kind k, std::size_t length) {
      tokens_.push_back({k, i, length});
      i += length;
    };
    while (i < text_.size()) {
      const char c = text_[i];
      if (c == '\n' || c == ',') add(Token::Kind::separator, 1);
      else if (std::isspace(static_cast<unsigned char>(c))) ++i;
      else if (c == '#') i = std::min(text_.find('\n', i), text_.size());
      else if (c == '(') add(Token::Kind::open, 1);
      else if (c == ')') add(Token::Kind::close, 1);
      else if (text_.compare(i, 2, "..") == 0) add(Token::Kind::dots, 2);
      else if (std::isdigit(static_cast<unsigned char>(c)) || c == '-' || c == '+' || c == '.') number(i);
      else word(i);
    }
    tokens_.push_back({Token::Kind::end, text_.size(), 1});
  }
  void number(std::size_t& i) {
    std::size_t end = i + (text_[i] == '-' || text_[i] == '+');
    const auto digits = [&] {
      const std::size_t from = end;
      while (end < text_.size() && std::isdigit(static_cast<unsigned char>(text_[end]))) ++end;
      return end - from;
    };
    std::size_t count = digits();
    if (end < text_.size() && text_[end] == '.' && text_.compare(end, 2, "..") != 0) ++end, count += digits();
    if (count && end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      const std::size_t mantissa = end++;
      if (end < text_.size() && (text_[end] == '-' || text_[end] == '+')) ++end;
      if (digits() == 0) end = mantissa;
    }
    Token t{Token::Kind::number, i, std::max<std::size_t>(end - i, 1)};
    if (count == 0) fail(t, fmt::format("{} is no number", in_quotes(text_.substr(i, t.length))));
    t.text = text_.substr(i, t.length);
    t.number = std::strtod(t.text.c_str(), nullptr);
    if (!std::isfinite(t.number)) fail(t, fmt::format("{} is too large", in_quotes(t.text)));
    tokens_.push_back(t);
    i = end;
  }
  void word(std::size_t& i) {
    const std::size_t from = i;
    while (i < text_.size() && !std::isspace(static_cast<unsigned char>(text_[i])) &&
           !std::strchr(",()#", text_[i]) && text_.compare(i, 2, "..") != 0)
      ++i;
    tokens_.push_back({Token::Kind::word, from, i - from, 0, text_.substr(from, i - from)});
  }

  const Token& next(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  bool word_is(const char* w, std::size_t ahead = 0) const {
    return next(ahead).kind == Token::Kind::word && next(ahead).text == w;
  }
  bool take(const char* w) {
    if (!word_is(w)) return false;
    ++at_;
    return true;
  }

  void group(int depth) {
    for (;;) {
      while (next().kind == Token::Kind::separator) ++at_;
      if (next().kind == Token::Kind::end || next().kind == Token::Kind::close) return;
      element(depth);
      const auto k = next().kind;
      if (k != Token::Kind::separator && k != Token::Kind::end && k != Token::Kind::close)
        fail(next(), "here the element should end", "elements are separated by commas: " + example());
    }
  }
  std::string example() const { return "50 x 2.5 V 5 ms, pause 10 s, 0 V..3 V 5 ms in 30"; }

  void element(int depth) {
    const Token first = next();
    std::uint64_t times = 1;
    if (next().kind == Token::Kind::number && word_is("x", 1)) {
      times = whole(next(), "times");
      at_ += 2;
    }
    const std::size_t steps = out_.steps.size(), elements = out_.elements.size();
    if (next().kind == Token::Kind::open) {
      const Token open = next();
      if (depth >= deepest) fail(open, fmt::format("more than {} groups in one another", deepest));
      ++at_;
      group(depth + 1);
      if (next().kind != Token::Kind::close) fail(open, "this '(' is not closed");
      ++at_;
      repeat_group(first, times, steps, elements);
    } else {
      single(first, times);
    }
  }
  std::uint64_t whole(const Token& t, const char* what) const {
    if (!(t.number >= 1 && t.number <= most_steps && t.number == std::floor(t.number)))
      fail(t, fmt::format("the number of {} is a whole number, 1 to 10,000,000", what));
    return static_cast<std::uint64_t>(t.number);
  }
  void repeat_group(const Token& first, std::uint64_t times, std::size_t steps, std::size_t elements) {
    const std::size_t n = out_.steps.size() - steps, m = out_.elements.size() - elements;
    room(first, static_cast<double>(n) * static_cast<double>(times));
    for (std::uint64_t k = 1; k < times; ++k) {
      for (std::size_t i = 0; i < n; ++i) out_.steps.push_back(Step(out_.steps[steps + i]));
      for (std::size_t i = 0; i < m; ++i) {
        Element e = out_.elements[elements + i];
        e.first += k * n;
        out_.elements.push_back(std::move(e));
      }
    }
  }
  void room(const Token& first, double more) const {
    if (static_cast<double>(out_.steps.size()) + more > static_cast<double>(most_steps))
      fail(first, "1 to 10,000,000 steps can be given, in all");
  }

  /// The values of one place, a ramp if there are several.
  struct Ramp {
    std::uint32_t place = 0;
    std::vector<double> ends;
  };
  /// "in N", "in N log", "every ..."
  struct Spacing {
    std::uint64_t legs = 0;    ///< parts of each stretch of a ramp, or of a pause
    bool logarithmic = false;  ///< each a factor more than the one before it
    bool apart = false;        ///< the time between the begins of pulses is given
  };
  /// What an element says, before it becomes steps.
  struct Draft {
    Step step;
    Ramp ramp;
    Token ramp_token{Token::Kind::end, 0, 1}, lasts_token{Token::Kind::end, 0, 1};
    double lasts = 0;  ///< s, of a stimulus that lasts
    Spacing spacing;
  };

  void single(const Token& first, std::uint64_t times) {
    Draft d;
    if (take("pause")) pause(d);
    else if (take("set")) parameter(d);
    else stimulus(first, d);
    auto& [legs, logarithmic, apart] = d.spacing;
    for (;;) {
      const Token key = next();
      if (take("in")) {
        if (next().kind != Token::Kind::number) fail(next(), "after 'in' comes a number of steps");
        legs = whole(next(), "steps");
        ++at_;
        logarithmic = take("log");
      } else if (take("every")) {
        const Token value = next();
        d.step.period = quantity("s", "the time after 'every'");
        if (!(d.step.period >= 0)) fail(value, "the time after 'every' must not be below 0 s");
        apart = true;
        if (d.step.kind == Step::Kind::pause) fail(key, "a pause has its own time, and no 'every'");
      } else {
        break;
      }
    }
    if (d.step.kind == Step::Kind::pause) return pauses(first, d, times);
    if (d.ramp.ends.size() > 1 && legs == 0)
      fail(d.ramp_token, "a ramp needs a number of steps", "for example 0 V..3 V 5 ms in 30");
    if (d.ramp.ends.size() <= 1 && legs > 0)
      fail(first, "'in' divides a ramp into steps, and there is none", "for example 0 V..3 V 5 ms in 30");
    if (!apart && d.step.kind == Step::Kind::stimulus) d.step.period = std::max(shortest_period, 2 * d.lasts);
    steps(first, d, times);
  }

  void steps(const Token& first, const Draft& d, std::uint64_t times) {
    const std::vector<double> values = ramp_values(d);
    const bool apart = d.spacing.apart;
    room(first, static_cast<double>(values.size()) * static_cast<double>(times));
    Element e{written(first), out_.steps.size(), 0, values.size() > 1, d.ramp.place};
    const Field* lasting_field = nullptr;
    if (d.step.kind == Step::Kind::stimulus) {
      const Stimulus& s = t_.model.stimuli[d.step.what];
      if (values.size() > 1 && s.fields[d.ramp.place].flags & lasting)
        lasting_field = &s.fields[d.ramp.place];
    }
    for (std::uint64_t k = 0; k < times; ++k)
      for (const double v : values) {
        Step step = d.step;
        if (values.size() > 1) step.value[d.ramp.place] = v;
        const double width = lasting_field ? v : d.lasts;
        if (lasting_field && !apart) step.period = std::max(shortest_period, 2 * v);
        if (apart && step.period < width) fail(first, "pulses overlap: they last longer than they are apart");
        out_.steps.push_back(step);
      }
    e.count = out_.steps.size() - e.first;
    out_.elements.push_back(std::move(e));
  }
  std::vector<double> ramp_values(const Draft& d) const {
    const auto& ends = d.ramp.ends;
    const std::uint64_t legs = d.spacing.legs;
    const bool logarithmic = d.spacing.logarithmic;
    if (ends.size() <= 1) return {0};
    room(d.ramp_token, static_cast<double>(legs) * static_cast<double>(ends.size() - 1));
    std::vector<double> all{ends[0]};
    for (std::size_t k = 1; k < ends.size(); ++k) {
      const double a = ends[k - 1], b = ends[k];
      if (logarithmic && !(a * b > 0))
        fail(d.ramp_token, "a logarithmic ramp runs between values of one sign, neither of them 0");
      for (std::uint64_t i = 1; i <= legs; ++i) {
        const double part = static_cast<double>(i) / static_cast<double>(legs);
        all.push_back(i == legs ? b : logarithmic ? a * std::pow(b / a, part) : a + (b - a) * part);
      }
    }
    return all;
  }
  /// Times at which a pause is read: its end alone, or N of them, evenly spaced or each a factor later.
  void pauses(const Token& first, const Draft& d, std::uint64_t times) {
    const double whole_time = d.step.period;
    const std::uint64_t count = std::max<std::uint64_t>(1, d.spacing.legs);
    const bool logarithmic = d.spacing.logarithmic;
    room(first, static_cast<double>(count) * static_cast<double>(times));
    Element e{written(first), out_.steps.size(), count * times, count > 1, 0};
    constexpr double decades = 4;  // a logarithmic pause is first read after 1e-4 of it
    for (std::uint64_t k = 0; k < times; ++k) {
      double before = 0;
      for (std::uint64_t i = 1; i <= count; ++i) {
        const double part = static_cast<double>(i) / static_cast<double>(count);
        const double at =
            i == count ? whole_time
            : logarithmic
                ? whole_time *
                      std::pow(10,
                               decades * (static_cast<double>(i - 1) / static_cast<double>(count - 1) - 1))
                : whole_time * part;
        Step s = d.step;
        s.period = at - before;
        before = at;
        out_.steps.push_back(s);
      }
    }
    out_.elements.push_back(std::move(e));
  }
  std::string written(const Token& first) const {
    const Token& last = tokens_[at_ - 1];
    return text_.substr(first.at, last.at + last.length - first.at);
  }

  void pause(Draft& d) {
    d.step.kind = Step::Kind::pause;
    const Token value = next();
    d.step.period = quantity("s", "the time of a pause");
    if (!(d.step.period > 0)) fail(value, "the time of a pause must be above 0 s");
  }
  void parameter(Draft& d) {
    const Fields& f = t_.model.params;
    std::vector<std::string> known;
    for (std::uint32_t i = 0; i < f.count; ++i)
      if (f.data[i].flags & scheduled) known.emplace_back(f.data[i].name);
    const Token name = next();
    if (name.kind != Token::Kind::word) fail(name, "after 'set' comes the name of a parameter");
    d.step.kind = Step::Kind::set;
    while (d.step.what < f.count && name.text != f.data[d.step.what].name) ++d.step.what;
    if (d.step.what == f.count || !(f.data[d.step.what].flags & scheduled))
      fail(name,
           d.step.what == f.count
               ? fmt::format("model {} has no parameter {}", t_.model.name, in_quotes(name.text))
               : fmt::format("parameter {} of model {} cannot be changed during a run", in_quotes(name.text),
                             t_.model.name),
           known.empty() ? fmt::format("model {} has none that can", t_.model.name)
                         : suggest(name.text, known, "parameters that can"));
    ++at_;
    value_of(d, f.data[d.step.what], 0);
  }
  void stimulus(const Token& first, Draft& d) {
    const Model& m = t_.model;
    if (next().kind == Token::Kind::word) {
      std::vector<std::string> known{"pause", "set"};
      for (std::uint32_t i = 0; i < m.stimulus_count; ++i) known.emplace_back(m.stimuli[i].name);
      const Token name = next();
      while (d.step.what < m.stimulus_count && name.text != m.stimuli[d.step.what].name) ++d.step.what;
      if (d.step.what == m.stimulus_count)
        fail(name, fmt::format("model {} does not answer {}", m.name, in_quotes(name.text)),
             suggest(name.text, known, "what can be done"));
      ++at_;
    } else if (next().kind == Token::Kind::number) {
      d.step.what = plain_stimulus(m);
    } else {
      fail(next(), "here something should be done: it is no series of pulses, stimulus, pause or group",
           "for example " + example());
    }
    values(first, d, m.stimuli[d.step.what]);
  }
  void values(const Token& first, Draft& d, const Stimulus& s) {
    std::uint32_t given = 0;  // bits
    std::uint32_t place = 0;
    for (;;) {
      if (next().kind == Token::Kind::number) {
        while (place < s.count && s.fields[place].choices) ++place;
        if (place >= s.count) fail(next(), fmt::format("'{}' takes no further number", s.name));
        value_of(d, s.fields[place], place);
        given |= 1u << place++;
      } else if (next().kind == Token::Kind::word && !word_is("in") && !word_is("every")) {
        given |= 1u << choice(d, s);
      } else {
        break;
      }
    }
    for (std::uint32_t i = 0; i < s.count; ++i)
      if (s.fields[i].flags & required && !(given & 1u << i))
        fail(first,
             fmt::format("{} is no series of pulses: the {} is missing", in_quotes(written(first)),
                         s.fields[i].name),
             "write amplitude and width, for example \"50 x 2.5 V 5 ms\" or \"-4 V 1 s\", elements separated "
             "by commas");
    if (s.count > 0 && given == 0) fail(first, fmt::format("'{}' needs a value", s.name));
  }
  std::uint32_t choice(Draft& d, const Stimulus& s) {
    const Token word = next();
    std::vector<std::string> known;
    for (std::uint32_t i = 0; i < s.count; ++i) {
      if (!s.fields[i].choices) continue;
      std::string_view rest(s.fields[i].choices);
      for (double k = 0; !rest.empty(); ++k) {
        const auto space = std::min(rest.find(' '), rest.size());
        known.emplace_back(rest.substr(0, space));
        if (known.back() == word.text) {
          d.step.value[i] = k;
          ++at_;
          return i;
        }
        rest.remove_prefix(std::min(space + 1, rest.size()));
      }
    }
    fail(word, fmt::format("{} is no value of '{}'", in_quotes(word.text), s.name),
         known.empty() ? "" : suggest(word.text, known, "states"));
  }
  /// One value or the ends of a ramp, for the field at `place`.
  void value_of(Draft& d, const Field& f, std::uint32_t place) {
    const Token from = next();
    const std::string what = fmt::format("the {}", f.name);
    std::vector<double> ends{in_range(f, what)};
    while (next().kind == Token::Kind::dots) {
      ++at_;
      ends.push_back(in_range(f, what));
    }
    if (ends.size() > 1) {
      if (d.ramp.ends.size() > 1) fail(from, "an element has one ramp, and this is its second");
      d.ramp = {place, ends};
      d.ramp_token = from;
    }
    d.step.value[place] = ends[0];
    if (f.flags & lasting) d.lasts = *std::max_element(ends.begin(), ends.end()), d.lasts_token = from;
  }
  double in_range(const Field& f, const std::string& what) {
    const Token at = next();
    const double x = quantity(f.unit, what);
    const bool low = f.flags & low_open ? x > f.low : x >= f.low,
               high = f.flags & high_open ? x < f.high : x <= f.high;
    const std::string unit = std::string_view(f.unit) == "1" ? "" : std::string(" ") + f.unit;
    if (!low)
      fail(at,
           fmt::format("{} must be {} {:g}{}", what, f.flags & low_open ? "above" : "at least", f.low, unit));
    if (!high)
      fail(at, fmt::format("{} must be {} {:g}{}", what, f.flags & high_open ? "below" : "at most", f.high,
                           unit));
    if (f.flags & lasting && x > longest) fail(at, fmt::format("{} must be at most {:g} s", what, longest));
    if (f.flags & integer && x != std::floor(x)) fail(at, fmt::format("{} must be a whole number", what));
    return x;
  }
  /// A number with a unit of the dimension of `base`, in `base`.
  double quantity(const char* base, const std::string& what) {
    const Token number = next();
    if (number.kind != Token::Kind::number) fail(number, fmt::format("here {} is wanted", what));
    ++at_;
    const auto wanted = parse_unit(base);
    std::string symbol;
    if (next().kind == Token::Kind::word && !word_is("in") && !word_is("every") && !word_is("log") &&
        !(wanted->dimension.none() && !parse_unit(next().text)))
      symbol = next().text;
    const auto u = parse_unit(symbol);
    if (!u) fail(next(), fmt::format("unknown unit {} of {}", in_quotes(symbol), what));
    if (!symbol.empty()) ++at_;
    const bool bare_zero = symbol.empty() && number.number == 0;
    if (!bare_zero && u->dimension != wanted->dimension)
      fail(number, fmt::format("{} must be {}; '{}{}{}' is {}", what, dimension_name(wanted->dimension),
                               number.text, symbol.empty() ? "" : " ", symbol, dimension_name(u->dimension)));
    if (bare_zero) return 0;
    const double x = Quantity{number.number * u->factor, u->decade, u->dimension}.in(*wanted);
    if (!std::isfinite(x)) fail(number, fmt::format("{} is too large", what));
    if (std::string_view(base) == "s" && x > longest)
      fail(number, fmt::format("{} must be at most {:g} s", what, longest));
    return x;
  }

  const std::string& text_;
  const SynapseTable& t_;
  const std::string& source_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  Protocol out_;
};

}  // namespace

Protocol read_protocol(const std::string& text, const SynapseTable& t, const std::string& source) {
  Protocol p = ProtocolReader(text, t, source).read();
  double all = 0;
  for (const auto& s : p.steps) all += s.period;
  if (all > longest)
    throw UserError(fmt::format("{}: the protocol takes {:.{}g} s; at most {:g} s can be", source, all,
                                all > 1.01 * longest ? 3 : 15, longest));
  return p;
}

}  // namespace spinet::tool
