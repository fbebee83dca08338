#include "network/reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdlib>

#include "network/expression.hpp"
#include "network/numbers.hpp"
#include "network/printable.hpp"
#include "network/spellings.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

constexpr std::size_t most_taken = 10'000'000;
constexpr double most_ticks = 0x1p60;  // so that sums of times never overflow
constexpr double most_whole = 0x1p53;  // beyond it not every whole number has a double

/// "a time in ms is expected, at least 0 ms"
std::string expectation(const Wanted& w, const Dimension& d) {
  if (w.unit == any_unit) return "a number and its unit are expected";
  if (w.flags & Flag::integer) return fmt::format("{} is expected", range_text(w));
  const bool bounded = std::isfinite(w.low) || std::isfinite(w.high);
  return fmt::format(
      "{} is expected{}",
      w.unit == "1" ? std::string("a plain number") : fmt::format("{} in {}", dimension_name(d), w.unit),
      bounded ? ", " + range_text(w) : "");
}

/// The dimension of a value that is written with its unit, the first of a map or list; none if it does not
/// say.
std::optional<Dimension> dimension_of(const Node& n) {
  if (!n.is_scalar()) {
    for (const auto& i : n.items)
      if (const auto d = dimension_of(i)) return d;
    return {};
  }
  try {
    const auto d = parse_quantity(n.text).dimension;
    return d.none() ? std::nullopt : std::optional(d);
  } catch (const ExpressionError&) {
    return {};
  }
}

/// A scalar that is, or may be, a number: also one whose unit is misspelt.
bool is_quantity(const Node& n) {
  const std::string_view s = n.text;
  return !s.empty() && (std::isdigit(static_cast<unsigned char>(s[0])) ||
                        std::string_view("+-.$=").find(s[0]) != std::string_view::npos);
}
}  // namespace

Wanted wanted(const Field& f, std::string_view unit_of_port) {
  const bool of_port = (f.flags & port_unit) && !unit_of_port.empty();
  return {f.name,  of_port ? std::string(unit_of_port) : std::string(f.unit),
          f.low,   f.high,
          f.flags, f.type == Type::f32};
}

namespace {
/// A number of `unit` and the unit; a time in a unit in which it can be read.  No bound is rounded past
/// itself.
std::string bound_text(double x, const std::string& unit) {
  if (unit == "ms" && x != 0 && std::fabs(x) < 1e-3) return exact_time_text(x * 1e-3);
  if (unit == "ms" && std::fabs(x) >= 1e3) return exact_text(x / 1e3) + " s";
  const double largest = static_cast<double>(FLT_MAX);
  const std::string number = std::fabs(x) == largest ? (x < 0 ? "-3.4028e+38" : "3.4028e+38") : exact_text(x);
  return unit.empty() ? number : number + " " + unit;
}
}  // namespace

std::string with_unit(double value, std::string_view unit) {
  if (unit == "ms" && std::isfinite(value) && value != 0 &&
      (std::fabs(value) < 1e-3 || std::fabs(value) >= 1e3))
    return exact_time_text(value * 1e-3);
  return unit == "1" || unit.empty() ? number_text(value) : number_text(value) + " " + std::string(unit);
}

std::string range_text(const Wanted& w) {
  const bool whole = w.flags & Flag::integer;
  const std::string unit = w.unit == "1" ? "" : w.unit;
  const auto number = [&](double x) { return whole ? fmt::format("{:.0f}", x) : bound_text(x, unit); };
  const bool low = std::isfinite(w.low), high = std::isfinite(w.high);
  const bool low_open_end = w.flags & low_open, high_open_end = w.flags & high_open;
  std::string s;
  if (low && high && !low_open_end && !high_open_end) {
    const std::string first = number(w.low), last = number(w.high), end = fmt::format(" {}", unit);
    // One unit for both, where they have one.
    const bool one = !whole && !unit.empty() && first.ends_with(end) && last.ends_with(end);
    s = fmt::format("from {} to {}", std::string_view(first).substr(0, first.size() - (one ? end.size() : 0)),
                    last);
  } else {
    if (low) s = fmt::format("{} {}", low_open_end ? "above" : "at least", number(w.low));
    if (high)
      s += fmt::format("{}{} {}", low ? " and " : "", high_open_end ? "below" : "at most", number(w.high));
  }
  if (whole) return s.empty() ? "a whole number" : "a whole number " + s;
  return s.empty() ? "finite" : s;
}

std::string unit_of(const Fields& fields, const std::string& name) {
  for (std::uint32_t i = 0; i < fields.count; ++i)
    if (const Field& f = field(fields, i); name == f.name)
      return f.choices ? "" : f.flags & port_unit ? std::string(any_unit) : f.unit;
  return {};
}

std::string written(const Node& n) {
  constexpr std::size_t longest = 60;
  std::string s;
  if (n.is_scalar()) {
    const bool plain = !n.text.empty() && n.text.find_first_of(",[]{}#'\"\n\t\\") == std::string::npos &&
                       n.text.find(": ") == std::string::npos &&
                       std::string_view("&*!|>%@`?- ").find(n.text[0]) == std::string_view::npos;
    const bool number =
        !n.text.empty() && (n.text[0] == '-') && n.text.find_first_of(",[]{}#'\":") == std::string::npos;
    s = plain || number                                         ? n.text
        : n.text.find_first_of("\"\\\n\t") == std::string::npos ? '"' + n.text + '"'
                                                                : "...";
  } else if (n.is_list()) {
    for (const auto& i : n.items) {
      s += (s.empty() ? "" : ", ") + written(i);
      if (s.size() > longest) break;
    }
    s = "[" + s + "]";
  }
  return s.empty() || s.size() > longest || printable_line(s) != s ? "..." : s;
}

const Field& field(const Fields& fields, std::uint32_t i) {
  return *reinterpret_cast<const Field*>(reinterpret_cast<const char*>(fields.data) +
                                         std::size_t{i} * fields.stride);
}

std::vector<std::string> names(std::span<const Key> keys) {
  std::vector<std::string> n;
  for (const auto& k : keys) n.emplace_back(k.name);
  return n;
}

std::vector<std::string> names(const Fields& fields, std::uint32_t flags) {
  std::vector<std::string> n;
  for (std::uint32_t i = 0; i < fields.count; ++i)
    if ((field(fields, i).flags & flags) == flags) n.emplace_back(field(fields, i).name);
  return n;
}

Mark Reader::inside(const Node& scalar, std::size_t position, std::size_t length) const {
  Mark m = scalar.mark;
  // Only where the scalar stands in its line as it is can a part of it be pointed at.
  if (m.line > 0 && m.length == scalar.text.size() && position < scalar.text.size() &&
      texts.line(m.text, m.line)
          .substr(std::min<std::size_t>(m.column - 1, texts.line(m.text, m.line).size()))
          .starts_with(scalar.text)) {
    m.column += static_cast<std::uint32_t>(position);
    m.length =
        static_cast<std::uint32_t>(std::max<std::size_t>(1, std::min(length, scalar.text.size() - position)));
  }
  return m;
}

// --- scalars
// -----------------------------------------------------------------------------------------------------

std::optional<Quantity> Reader::quantity(const Node& n, std::string_view what, const Dimension& hint,
                                         const std::string& otherwise) {
  if (!n.is_scalar()) {
    errors.error(n.mark, fmt::format("'{}' must be a number, not {}", what, kind_name(n)), otherwise);
    return std::nullopt;
  }
  try {
    return evaluate_scalar(n, hint);
  } catch (const AlreadyReported&) {
  } catch (const ExpressionError& e) {
    errors.error(inside(n, e.position, e.length), fmt::format("'{}': {}", what, e.what()),
                 e.help.empty() ? otherwise : e.help);
  }
  return std::nullopt;
}

Wanted Reader::limited(Wanted w) const {
  const auto within = [&](double low, double high) {
    if (low > w.low) w.low = low, w.flags &= ~std::uint32_t{low_open};
    if (high < w.high) w.high = high, w.flags &= ~std::uint32_t{high_open};
  };
  if (w.single) within(-FLT_MAX, FLT_MAX);
  if (w.flags & Flag::integer) within(-most_whole, most_whole);
  if (w.flags & in_ticks) {
    const double a_tick = tick.in(parse_unit(w.unit).value_or(Unit{}));
    const bool positive = w.low == 0 && (w.flags & low_open);
    within(positive ? a_tick : w.low, most_ticks * a_tick);
  }
  return w;
}

std::string Reader::fault(double value, const Wanted& given) const {
  const Wanted w = limited(given);
  const bool low = w.flags & low_open ? value > w.low : value >= w.low;
  const bool high = w.flags & high_open ? value < w.high : value <= w.high;
  const bool whole = !(w.flags & Flag::integer) || value == std::floor(value);
  if (low && high && whole && std::isfinite(value)) return {};
  const auto range = range_text(w);
  return fmt::format("'{}' must be {}{}; it is {}", w.what,
                     std::isfinite(value) || range == "finite" ? "" : "finite, ", range,
                     with_unit(value, w.unit));
}

bool Reader::in_range(double value, const Wanted& w, Mark where) {
  auto reason = fault(value, w);
  const bool good = reason.empty();
  if (!good) errors.error(where, std::move(reason));
  return good;
}

std::optional<double> Reader::convert(const Quantity& q, const Node& n, const Wanted& w) {
  if (w.unit == any_unit) return q.si();
  const Unit u = parse_unit(w.unit).value_or(Unit{});
  if (q.dimension == u.dimension) return q.in(u);
  if (q.dimension.none() && q.number == 0) return 0.0;  // zero is zero in every unit
  if (q.dimension.none()) {
    errors.error(n.mark, fmt::format("'{}' needs a unit: {} has none", w.what, in_quotes(n.text)),
                 fmt::format("{} is expected, for example {}", dimension_name(u.dimension),
                             with_unit(q.si(), w.unit)));
  } else {
    errors.error(n.mark,
                 fmt::format("'{}' must be {}; {} is {}", w.what, dimension_name(u.dimension),
                             in_quotes(n.text), dimension_name(q.dimension)),
                 w.unit == "1" ? std::string("remove the unit") : fmt::format("expected unit: {}", w.unit));
  }
  return std::nullopt;
}

std::optional<double> Reader::number(const Node& n, const Wanted& w) {
  if (w.flags & derived)
    if (const Node& word = resolved(n); word.is_scalar() && word.text == "auto") return automatic;
  if (n.is_map() || n.is_list()) {
    errors.error(n.mark, fmt::format("'{}' must be one number, not {}", w.what, kind_name(n)));
    return std::nullopt;
  }
  const Dimension dimension = parse_unit(w.unit).value_or(Unit{}).dimension;
  if (n.kind == Node::Kind::null) {
    errors.error(n.mark, fmt::format("'{}' has no value", w.what), expectation(limited(w), dimension));
    return std::nullopt;
  }
  const auto q = quantity(n, w.what, dimension, expectation(limited(w), dimension));
  if (!q) return std::nullopt;
  const auto x = convert(*q, n, w);
  if (!x || !in_range(*x, w, n.mark)) return std::nullopt;
  return *x;
}

std::optional<std::uint64_t> Reader::integer(const Node& n, std::string_view what, std::uint64_t low,
                                             std::uint64_t high) {
  const Wanted w{std::string(what), "1", static_cast<double>(low), static_cast<double>(high), Flag::integer};
  const std::string range = range_text(w) + " is expected";
  if (n.kind == Node::Kind::null) {
    errors.error(n.mark, fmt::format("'{}' has no value", what), range);
    return std::nullopt;
  }
  const auto q = quantity(n, what, {}, range);
  if (!q) return std::nullopt;
  const auto x = convert(*q, n, w);
  if (!x) return std::nullopt;
  // Products such as 0.1 * 20 may miss the whole number by some roundings; a number that is written may not.
  const bool computed = n.text.starts_with('=') || n.text.starts_with('$');
  const double whole = std::round(*x);
  if (std::isfinite(*x) && std::fabs(*x - whole) > (computed ? 1e-12 * std::max(1.0, std::fabs(whole)) : 0)) {
    errors.error(n.mark, fault(*x, w),
                 n.text.starts_with('=') ? fmt::format("write =round({})", n.text.substr(1)) : std::string{});
    return std::nullopt;
  }
  if (!in_range(whole, w, n.mark)) return std::nullopt;
  return static_cast<std::uint64_t>(whole);
}

std::optional<std::string> Reader::text(const Node& given, std::string_view what) {
  const Node& n = resolved(given);
  if (n.is_scalar() && n.text.starts_with('$')) {
    if (quantity(n, what))  // reports an unknown parameter
      errors.error(n.mark, fmt::format("'{}' must be a text; {} is a number", what, in_quotes(n.text)));
    return std::nullopt;
  }
  if (!n.is_scalar() || n.text.empty()) {
    errors.error(n.mark, fmt::format("'{}' must be a text, not {}", what,
                                     n.is_scalar() ? "an empty one" : kind_name(n)));
    return std::nullopt;
  }
  return n.text;
}

std::optional<double> Reader::choice(const Node& given, const Field& f) {
  const auto name = text(given, f.name);
  if (!name) return {};
  std::vector<std::string> known;
  for (std::string_view rest(f.choices); !rest.empty();) {
    const auto space = std::min(rest.find(' '), rest.size());
    known.emplace_back(rest.substr(0, space));
    rest.remove_prefix(std::min(space + 1, rest.size()));
  }
  const auto at = std::find(known.begin(), known.end(), *name);
  if (at != known.end()) return static_cast<double>(at - known.begin());
  errors.error(given.mark, fmt::format("'{}' cannot be {}", f.name, in_quotes(*name)),
               suggest(*name, known, "choices"));
  return {};
}

std::optional<bool> Reader::boolean(const Node& given, std::string_view what) {
  const Node& n = resolved(given);
  if (n.is_scalar() && n.text == "true") return true;
  if (n.is_scalar() && n.text == "false") return false;
  errors.error(n.mark, fmt::format("'{}' must be true or false, not {}", what, kind_name(n)));
  return std::nullopt;
}

double Reader::ticks(const Quantity& time) const {
  return scaled(time.number, time.decade - tick.decade) / tick.number;
}

std::string Reader::time_text(double t) const {
  const double x = t * tick.number;  // in units of the tick's decade; then to the unit with one rounding
  const auto text = [&](const char* unit, int decade) {
    const double number = scaled(x, tick.decade - decade);
    for (int digits = 1; digits < 17; ++digits) {  // the fewest that mean the same tick
      const double shorter = std::strtod(fmt::format("{:.{}g}", number, digits).c_str(), nullptr);
      if (std::round(ticks({shorter, decade, {}})) == t) return exact_text(shorter) + " " + unit;
    }
    return exact_text(number) + " " + unit;
  };
  if (scaled(x, tick.decade) >= 10) return text("s", 0);
  for (const auto& [unit, decade] :
       {std::pair("ms", -3), std::pair("us", -6), std::pair("ns", -9), std::pair("ps", -12)})
    if (scaled(x, tick.decade - decade) >= 0.01) return text(unit, decade);
  return text("fs", -15);
}

std::optional<Tick> Reader::time(const Node& n, std::string_view what, Tick low) {
  const auto ms = number(n, {std::string(what), "ms"});  // dimension and finiteness
  if (!ms) return std::nullopt;
  const auto q = quantity(n, what);
  const double t = std::round(ticks(*q));
  if (t < static_cast<double>(low)) {
    errors.error(n.mark, low == 0
                             ? fmt::format("'{}' must not be negative; it is {}", what, with_unit(*ms, "ms"))
                             : fmt::format("'{}' must be at least {}; it is {}", what,
                                           time_text(static_cast<double>(low)), with_unit(*ms, "ms")));
    return std::nullopt;
  }
  if (t > most_ticks) {
    errors.error(n.mark,
                 fmt::format("'{}' must be at most {} (2^60 ticks of {}); it is {}", what,
                             time_text(most_ticks), time_text(1), with_unit(*ms, "ms")),
                 "a longer `time_resolution` allows longer times");
    return std::nullopt;
  }
  return static_cast<Tick>(t);
}

// --- maps and files
// ----------------------------------------------------------------------------------------------

bool Reader::map(const Node& n, std::span<const Key> keys, std::string_view what, Mark where) {
  const auto allowed = names(keys);
  if (!n.is_map()) {
    errors.error(n.mark, fmt::format("{} must be a map, not {}", what, kind_name(n)),
                 "keys: " + joined(allowed));
    return false;
  }
  for (const auto& k : n.keys)
    if (k.meant.empty() && std::find(allowed.begin(), allowed.end(), k.name) == allowed.end())
      unknown_key(n, k, {allowed, "keys"}, fmt::format("unknown key {} of {}", in_quotes(k.name), what));
  bool complete = true;
  for (const auto& k : keys)
    if (k.required && !n.find(k.name)) {
      if (!misspelt(n, k.name))
        errors.error(where, fmt::format("{} lacks '{}'", what, k.name), fmt::format("{}: {}", k.name, k.doc));
      complete = false;
    }
  return complete;
}

void Reader::unknown_key(const Node& n, const Node::Key& k, const Allowed& allowed, std::string reason) {
  const Node& value = resolved(n.items[static_cast<std::size_t>(&k - n.keys.data())]);
  if (const Spelling* s = spelling(Spelling::Of::key, k.name, allowed.names)) {
    k.meant = right_key(k.name, allowed.names);
    // Where a quantity is meant, a text is somebody's equation.
    const bool quantity = !k.meant.empty() && allowed.unit && allowed.unit(k.meant) != "";
    const bool fits = !quantity || !value.is_scalar() || is_quantity(value);
    // Other simulators have units of their own: what has none is nobody's value here.
    const bool bare = quantity && allowed.unit(k.meant) != "1" && value.is_scalar() && !dimension_of(value) &&
                      !value.text.starts_with('=') && !value.text.starts_with('$');
    const bool twice = s->keeps_value() && n.find(k.meant);
    errors.error(k.mark, std::move(reason),
                 twice ? fmt::format("'{}' is given already, and means the same: leave {} out", k.meant,
                                     in_quotes(k.name))
                       : answer(*s, fits && !bare ? written(value) : std::string()));
    if (s->keeps_value() && fits && !n.find(k.meant)) k.taken = true;
    return;
  }
  const auto best = guessed(value, k.name, allowed);
  errors.error(
      k.mark, std::move(reason),
      allowed.names.empty() ? std::string(allowed.kind) : suggest_one(best, allowed.names, allowed.kind));
  if (!best.empty() && !n.find(best)) {
    k.meant = best;
    k.taken = true;
  }
}

/// The name that may be meant.  One edit of a short name is no evidence: there the dimension of the value
/// must be right.
std::string Reader::guessed(const Node& value, std::string_view given, const Allowed& allowed) const {
  const auto best = nearest(given, allowed.names);
  if (best.empty() || !allowed.unit || 4 * edit_distance(given, best) <= given.size()) return best;
  const auto dimension = dimension_of(value);
  if (!dimension) return best;
  std::vector<std::string> likely;
  for (const auto& name : allowed.names) {
    const auto unit = allowed.unit(name);
    if (unit == any_unit || (unit != "" && parse_unit(unit).value_or(Unit{}).dimension == *dimension))
      likely.push_back(name);
  }
  return nearest(given, likely);
}

bool Reader::take(std::size_t values, Mark where) {
  taken_ += values;
  if (taken_ <= most_taken) return true;
  errors.error(where, fmt::format("lists unfold to more than {} values", most_taken),
               "put large data into a CSV file");
  return false;
}

bool misspelt(const Node& n, std::string_view name) {
  return n.incomplete ||
         std::any_of(n.keys.begin(), n.keys.end(), [&](const Node::Key& k) { return k.meant == name; });
}

std::optional<std::filesystem::path> Reader::data_file(const Node& n) {
  const auto name = text(n, "file");
  if (!name) return std::nullopt;
  std::filesystem::path p = *name;
  if (p.is_relative()) p = folder / p;
  std::error_code ignored;
  const auto status = std::filesystem::status(p, ignored);
  if (!std::filesystem::exists(status)) {
    errors.error(n.mark, fmt::format("there is no file {}", in_quotes(p.string())),
                 fmt::format("files are relative to {}", folder.empty() ? std::string("the present folder")
                                                                        : in_quotes(folder.string())));
    return std::nullopt;
  }
  if (!std::filesystem::is_regular_file(status)) {
    errors.error(n.mark, fmt::format("{} is {}", in_quotes(p.string()),
                                     std::filesystem::is_directory(status) ? "a folder, not a file"
                                                                           : "not a regular file"));
    return std::nullopt;
  }
  if (options.data_file) options.data_file(*name, p);
  return p;
}

}  // namespace spinet::reading
