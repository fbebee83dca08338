#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>

#include "network/csv_lines.hpp"
#include "network/expression.hpp"
#include "network/parts.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

constexpr int most_errors = 20;  // of one file

using Cell = CsvCell;

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

std::vector<Column> csv_header(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  CsvLines lines(in);
  std::string line;
  if (lines.next(line)) {
    std::vector<Column> all;
    for (const Cell& c : csv_cells(line)) {
      const auto bracket = c.text.ends_with(']') ? c.text.find('[') : std::string_view::npos;
      auto name = c.text.substr(0, bracket);
      while (name.ends_with(' ')) name.remove_suffix(1);
      std::string unit = "1";
      if (bracket != std::string_view::npos) unit = c.text.substr(bracket + 1, c.text.size() - bracket - 2);
      all.push_back({std::string(name), parse_unit(unit) ? unit : "1", true});
    }
    return all;
  }
  return {};
}

std::string without_name(const std::filesystem::path& file, std::string_view reason) {
  for (const auto& name : {file.string() + ": ", file.filename().string() + ": "})
    if (reason.starts_with(name)) reason.remove_prefix(name.size());
  return std::string(reason);
}

namespace {

/// One file on its way in.  Whatever is wrong is said; most functions then return false, and no more is read.
class CsvFile {
 public:
  CsvFile(Reader& r, const DataFile& file, std::span<const Column> columns)
      : r_(r), file_(file.path), where_(file.named_at), columns_(columns), values_(columns.size()) {
    for (const auto& c : columns) known_.push_back(c.name);
  }
  void read(const std::function<std::string(const std::vector<bool>&)>& begin,
            const std::function<RowFault(std::span<const double>)>& row);

 private:
  bool complain(std::size_t column, std::size_t length, std::string reason, std::string help = {}) {
    const auto text = r_.texts.add(file_.string(), line_, number_);
    const auto width = static_cast<std::uint32_t>(std::max<std::size_t>(1, length));
    r_.errors.error(Mark{text, number_, static_cast<std::uint32_t>(column + 1), width}, std::move(reason),
                    std::move(help));
    return ++errors_ < most_errors;
  }
  bool refuse(const Cell& c, std::string reason, std::string help = {}) {
    complain(c.column, c.text.size(), std::move(reason), std::move(help));
    return false;
  }
  bool refuse_line(std::string reason, std::string help = {}) {
    complain(0, line_.size(), std::move(reason), std::move(help));
    return false;
  }
  bool readable() const;
  bool first_line(const std::vector<Cell>& cs, bool header, std::vector<bool>& there);
  bool name_column(const Cell& cell, std::vector<bool>& there);
  bool take_row(const std::vector<Cell>& cs);
  void means(std::size_t column, Unit unit) {
    meaning_.push_back(column);
    units_.emplace_back(unit, *parse_unit(columns_[column].unit));
  }

  Reader& r_;
  const std::filesystem::path& file_;
  Mark where_;
  std::span<const Column> columns_;
  std::vector<std::string> known_;
  std::string line_;
  std::uint32_t number_ = 0;  ///< of the line
  int errors_ = 0;
  std::vector<std::size_t> meaning_;          ///< of each cell: index in `columns_`
  std::vector<std::pair<Unit, Unit>> units_;  ///< of each cell: of the file, of the column
  std::vector<double> values_;                ///< of the present row, by column
};

bool CsvFile::readable() const {
  std::error_code code;
  if (const auto size = std::filesystem::file_size(file_, code); !code && size > r_.memory_limit / 2) {
    r_.errors.error(
        where_, fmt::format("{} has {} bytes; memory would not hold it", in_quotes(file_.string()), size));
    return false;
  }
  if (std::ifstream(file_, std::ios::binary)) return true;
  r_.errors.error(where_, fmt::format("{} cannot be read", in_quotes(file_.string())),
                  "check its permissions");
  return false;
}

/// A cell of the header: "name" or "name [unit]".
bool CsvFile::name_column(const Cell& cell, std::vector<bool>& there) {
  auto name = cell.text;
  std::string_view written;
  if (const auto bracket = name.find('['); bracket != std::string_view::npos && name.ends_with(']')) {
    written = name.substr(bracket + 1, name.size() - bracket - 2);
    name = name.substr(0, bracket);
    while (name.ends_with(' ')) name.remove_suffix(1);
  }
  const auto m = static_cast<std::size_t>(std::find(known_.begin(), known_.end(), name) - known_.begin());
  if (m == known_.size())
    return refuse(cell, fmt::format("unknown column {}", in_quotes(name)), suggest(name, known_, "columns"));
  if (there[m]) return refuse(cell, fmt::format("column {} is there twice", in_quotes(name)));
  there[m] = true;
  Unit unit = *parse_unit(columns_[m].unit);
  if (!written.empty()) {
    const auto u = parse_unit(written);
    if (!u || u->dimension != unit.dimension)
      return refuse(cell, fmt::format("{} is no unit for column {}", in_quotes(written), in_quotes(name)),
                    fmt::format("expected unit: {}", columns_[m].unit));
    unit = *u;
  }
  means(m, unit);
  return true;
}

/// Finds out which column each cell is.
bool CsvFile::first_line(const std::vector<Cell>& cs, bool header, std::vector<bool>& there) {
  if (header && !looks_like_header(cs, known_)) {
    // Nothing of it is shown: it may be any file that somebody's network names.
    r_.errors.error(
        where_,
        fmt::format("{} is not a CSV file with these columns: {}", in_quotes(file_.string()), joined(known_)),
        "its first line is neither numbers nor the names of columns");
    return false;
  }
  const auto in_order = static_cast<std::size_t>(
      std::find_if(columns_.begin(), columns_.end(), [](const Column& c) { return c.by_name; }) -
      columns_.begin());
  if (!header && cs.size() > in_order)
    return refuse_line(fmt::format("{} columns; at most {} are expected{}", cs.size(), in_order,
                                   in_order < columns_.size() ? " without a first line that names them" : ""),
                       "columns: " + joined(known_));
  for (std::size_t i = 0; i < cs.size(); ++i) {
    if (header) {
      if (!name_column(cs[i], there)) return false;
    } else {
      there[i] = true;
      means(i, *parse_unit(columns_[i].unit));
    }
  }
  for (std::size_t c = 0; c < columns_.size(); ++c)
    if (columns_[c].required && !there[c])
      return refuse_line(fmt::format("there is no column '{}'", columns_[c].name),
                         "columns: " + joined(known_));
  return true;
}

/// Puts the numbers of a line into `values_`.
bool CsvFile::take_row(const std::vector<Cell>& cs) {
  if (cs.size() != meaning_.size())
    return refuse_line(fmt::format("{} values; the lines above have {}", cs.size(), meaning_.size()));
  std::fill(values_.begin(), values_.end(), std::nan(""));
  for (std::size_t i = 0; i < cs.size(); ++i) {
    const auto x = plain_number(cs[i].text);
    if (!x) {
      const bool small = too_small(cs[i].text);
      const char* const what = small ? "too small for a floating-point number" : "not a finite number";
      return refuse(cs[i], fmt::format("{} is {}", in_quotes(cs[i].text), what), small ? "write 0" : "");
    }
    const auto& [from, to] = units_[i];
    values_[meaning_[i]] = Quantity{*x * from.factor, from.decade, from.dimension}.in(to);
  }
  return true;
}

void CsvFile::read(const std::function<std::string(const std::vector<bool>&)>& begin,
                   const std::function<RowFault(std::span<const double>)>& row) {
  if (!readable()) return;
  std::ifstream in(file_, std::ios::binary);
  CsvLines lines(in);
  bool started = false;
  while (errors_ < most_errors && lines.next(line_)) {
    number_ = lines.number();
    if (line_.find('\0') != std::string::npos) {
      r_.errors.error(where_, fmt::format("{} is not a text file", in_quotes(file_.string())),
                      "a CSV file is expected: numbers separated by commas");
      return;
    }
    const auto cs = csv_cells(line_);
    if (!std::exchange(started, true)) {
      std::vector<bool> there(columns_.size());
      const bool header = !plain_number(cs[0].text);
      if (!first_line(cs, header, there)) return;
      if (auto reason = begin(there); !reason.empty()) {
        refuse_line(std::move(reason));
        return;
      }
      if (header) continue;
    }
    if (!take_row(cs)) continue;
    if (auto fault = row(values_); !fault.empty()) {
      const auto at = static_cast<std::size_t>(std::find(meaning_.begin(), meaning_.end(), fault.column) -
                                               meaning_.begin());
      refuse(at < cs.size() ? cs[at] : Cell{line_, 0}, std::move(fault.reason));
    }
  }
  if (in.bad()) r_.errors.error(where_, fmt::format("reading {} failed", in_quotes(file_.string())));
}

}  // namespace

void read_csv(Reader& r, const DataFile& file, std::span<const Column> columns,
              const std::function<std::string(const std::vector<bool>&)>& begin,
              const std::function<RowFault(std::span<const double>)>& row) {
  CsvFile(r, file, columns).read(begin, row);
}

}  // namespace spinet::reading
