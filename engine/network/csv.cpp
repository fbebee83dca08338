#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>

#include "network/expression.hpp"
#include "network/parts.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

constexpr int most_errors = 20;  // of one file

struct Cell {
  std::string_view text;
  std::size_t column;  // from 0
};

bool blank(char c) { return c == ' ' || c == '\t'; }

/// The cells of a line, without blanks around them and without quotes.
std::vector<Cell> cells(std::string_view line) {
  std::vector<Cell> out;
  std::size_t at = 0;
  while (true) {
    std::size_t b = at;
    while (b < line.size() && blank(line[b])) ++b;
    const bool quoted = b < line.size() && line[b] == '"';
    const auto closed = quoted ? line.find('"', b + 1) : std::string_view::npos;
    const auto end = std::min(line.find(',', closed == std::string_view::npos ? at : closed), line.size());
    std::size_t e = end;
    b = std::min(b, e);
    while (e > b && blank(line[e - 1])) --e;
    if (closed != std::string_view::npos && closed + 1 == e) ++b, --e;
    out.push_back({line.substr(b, e - b), b});
    if (end == line.size()) return out;
    at = end + 1;
  }
}

/// The lines of a file; they end with LF, CR LF or, in files of old programs, CR.
class Lines {
 public:
  explicit Lines(std::istream& in) : in_(in) {}
  bool next(std::string& line) {
    if (at_ >= read_.size()) {
      if (!std::getline(in_, read_)) return false;
      if (read_.ends_with('\r')) read_.pop_back();
      at_ = 0;
    }
    const auto end = std::min(read_.find('\r', at_), read_.size());
    line.assign(read_, at_, end - at_);
    at_ = end + 1;
    return true;
  }

 private:
  std::istream& in_;
  std::string read_;
  std::size_t at_ = 0;
};

std::optional<double> plain_number(std::string_view s) {
  if (s.size() > 1 && s[0] == '+' && s[1] != '-') s.remove_prefix(1);
  double x = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), x);
  if (error != std::errc{} || end != s.data() + s.size() || !std::isfinite(x)) return std::nullopt;
  return x;
}

/// The first line names at least one column, or almost.
bool looks_like_header(const std::vector<Cell>& cells, const std::vector<std::string>& known) {
  return std::any_of(cells.begin(), cells.end(), [&](const Cell& c) {
    auto name = c.text.substr(0, c.text.find('['));
    while (name.ends_with(' ')) name.remove_suffix(1);
    return std::find(known.begin(), known.end(), name) != known.end() || !nearest(name, known).empty();
  });
}

}  // namespace

std::string without_name(const std::filesystem::path& file, std::string_view reason) {
  for (const auto& name : {file.string() + ": ", file.filename().string() + ": "})
    if (reason.starts_with(name)) reason.remove_prefix(name.size());
  return std::string(reason);
}

void read_csv(Reader& r, const std::filesystem::path& file, Mark where, std::span<const Column> columns,
              const std::function<std::string(const std::vector<bool>&)>& begin,
              const std::function<RowFault(std::span<const double>)>& row) {
  std::error_code code;
  if (const auto size = std::filesystem::file_size(file, code); !code && size > r.memory_limit / 2) {
    r.errors.error(where, fmt::format("{} has {} bytes; memory would not hold it", in_quotes(file.string()), size));
    return;
  }
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    r.errors.error(where, fmt::format("{} cannot be read", in_quotes(file.string())), "check its permissions");
    return;
  }
  std::string line;
  std::uint32_t number = 0;
  int errors = 0;
  const auto complain = [&](std::size_t column, std::size_t length, std::string reason, std::string help = {}) {
    const auto text = r.texts.add(file.string(), line, number);
    r.errors.error(Mark{text, number, static_cast<std::uint32_t>(column + 1), static_cast<std::uint32_t>(std::max<std::size_t>(1, length))},
                   std::move(reason), std::move(help));
    return ++errors < most_errors;
  };
  std::vector<std::string> known;
  for (const auto& c : columns) known.push_back(c.name);
  std::vector<std::size_t> meaning;       // of each cell: index in `columns`
  std::vector<std::pair<Unit, Unit>> units;  // of each cell: of the file, of the column
  std::vector<double> values(columns.size());
  bool started = false;

  Lines lines(in);
  while (lines.next(line)) {
    ++number;
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);  // a byte order mark
    if (line.empty() || line[0] == '#') continue;
    if (line.find('\0') != std::string::npos) {
      r.errors.error(where, fmt::format("{} is not a text file", in_quotes(file.string())),
                     "a CSV file is expected: numbers separated by commas");
      return;
    }
    const auto cs = cells(line);
    if (!started) {
      started = true;
      std::vector<bool> there(columns.size());
      const bool header = !plain_number(cs[0].text);
      if (header && !looks_like_header(cs, known)) {
        // Nothing of it is shown: it may be any file that somebody's network names.
        r.errors.error(where, fmt::format("{} is not a CSV file with these columns: {}", in_quotes(file.string()), joined(known)),
                       "its first line is neither numbers nor the names of columns");
        return;
      }
      if (!header && cs.size() > columns.size()) {
        complain(0, line.size(), fmt::format("{} columns; at most {} are expected", cs.size(), columns.size()), "columns: " + joined(known));
        return;
      }
      for (std::size_t i = 0; i < cs.size(); ++i) {
        std::size_t m = i;
        Unit unit = *parse_unit(columns[std::min(i, columns.size() - 1)].unit);
        Unit own = unit;
        if (header) {
          auto name = cs[i].text;
          std::string_view written;
          if (const auto bracket = name.find('['); bracket != std::string_view::npos && name.ends_with(']')) {
            written = name.substr(bracket + 1, name.size() - bracket - 2);
            name = name.substr(0, bracket);
            while (name.ends_with(' ')) name.remove_suffix(1);
          }
          m = static_cast<std::size_t>(std::find(known.begin(), known.end(), name) - known.begin());
          if (m == known.size()) {
            complain(cs[i].column, cs[i].text.size(), fmt::format("unknown column {}", in_quotes(name)), suggest(name, known, "columns"));
            return;
          }
          if (there[m]) {
            complain(cs[i].column, cs[i].text.size(), fmt::format("column {} is there twice", in_quotes(name)));
            return;
          }
          own = *parse_unit(columns[m].unit);
          unit = own;
          if (!written.empty()) {
            const auto u = parse_unit(written);
            if (!u || u->dimension != own.dimension) {
              complain(cs[i].column, cs[i].text.size(), fmt::format("{} is no unit for column {}", in_quotes(written), in_quotes(name)),
                       fmt::format("expected unit: {}", columns[m].unit));
              return;
            }
            unit = *u;
          }
        }
        there[m] = true;
        meaning.push_back(m);
        units.emplace_back(unit, own);
      }
      for (std::size_t c = 0; c < columns.size(); ++c)
        if (columns[c].required && !there[c]) {
          complain(0, line.size(), fmt::format("there is no column '{}'", columns[c].name), "columns: " + joined(known));
          return;
        }
      if (auto reason = begin(there); !reason.empty()) {
        complain(0, line.size(), std::move(reason));
        return;
      }
      if (header) continue;
    }
    if (cs.size() != meaning.size()) {
      if (!complain(0, line.size(), fmt::format("{} values; the lines above have {}", cs.size(), meaning.size()))) return;
      continue;
    }
    std::fill(values.begin(), values.end(), std::nan(""));
    bool good = true;
    for (std::size_t i = 0; i < cs.size(); ++i) {
      const auto x = plain_number(cs[i].text);
      if (!x) {
        const bool small = too_small(cs[i].text);
        if (!complain(cs[i].column, cs[i].text.size(),
                      fmt::format("{} is {}", in_quotes(cs[i].text),
                                  small ? "too small for a floating-point number" : "not a finite number"),
                      small ? "write 0" : ""))
          return;
        good = false;
        break;
      }
      const auto& [from, to] = units[i];
      values[meaning[i]] = Quantity{*x * from.factor, from.decade, from.dimension}.in(to);
    }
    if (!good) continue;
    if (auto fault = row(values); !fault.empty()) {
      const auto at =
          static_cast<std::size_t>(std::find(meaning.begin(), meaning.end(), fault.column) - meaning.begin());
      const Cell blamed = at < cs.size() ? cs[at] : Cell{line, 0};
      if (!complain(blamed.column, blamed.text.size(), std::move(fault.reason))) return;
    }
  }
  if (in.bad()) r.errors.error(where, fmt::format("reading {} failed", in_quotes(file.string())));
}

}  // namespace spinet::reading
