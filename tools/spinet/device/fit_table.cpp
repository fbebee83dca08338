// The measured table of --fit.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "commands.hpp"
#include "device/fit.hpp"
#include "inputs.hpp"
#include "network/csv_lines.hpp"
#include "network/suggest.hpp"
#include "network/units.hpp"

namespace spinet::tool {
namespace {

constexpr std::size_t most_rows = 1'000'000;

/// One column of the table: which variable, and what its numbers are times.
struct Header {
  bool is_reading = false;
  std::uint32_t variable = 0;
  double factor = 1;
};
Header header_of(const std::string& text, const SynapseTable& t, const std::string& where) {
  const auto open = text.find_first_of("[(");
  std::string name = text.substr(0, open);
  while (name.ends_with(' ')) name.pop_back();
  Header h;
  if (name == "reading") {
    if (open != std::string::npos)
      throw UserError(
          fmt::format("{}: {}: the number of a reading (0, 1, ...) has no unit", where, in_quotes(text)));
    h.is_reading = true;
    return h;
  }
  std::vector<std::string> known{"reading"};
  for (std::uint32_t v = 0; v < t.model.variables.count; ++v)
    known.emplace_back(t.model.variables.data[v].name);
  while (h.variable < t.model.variables.count && name != t.model.variables.data[h.variable].name)
    ++h.variable;
  if (h.variable == t.model.variables.count)
    throw UserError(fmt::format("{}: {} is no variable of model {}; {}", where, in_quotes(name), t.model.name,
                                suggest(name, known, "columns")));
  if (open == std::string::npos) return h;
  const Field& f = t.model.variables.data[h.variable];
  const auto close = text.find_last_of("])");
  const std::string unit = text.substr(open + 1, close == std::string::npos ? close : close - open - 1);
  const auto u = parse_unit(unit), own = parse_unit(f.flags & port_unit ? "1" : f.unit);
  if (!u || u->dimension != own->dimension)
    throw UserError(fmt::format("{}: {} is in {}; a unit of {} is wanted, for example {}", where,
                                in_quotes(name), in_quotes(unit), dimension_name(own->dimension), f.unit));
  h.factor = Quantity{u->factor, u->decade, u->dimension}.in(*own);
  return h;
}

/// Throws UserError where two columns are the same.
void check_doubled(const std::vector<Header>& headers, const SynapseTable& t, const std::string& where) {
  for (std::size_t k = 0; k < headers.size(); ++k)
    for (std::size_t j = 0; j < k; ++j)
      if (headers[j].is_reading == headers[k].is_reading && headers[j].variable == headers[k].variable)
        throw UserError(fmt::format(
            "{}: two columns are {}", where,
            in_quotes(headers[k].is_reading ? "reading" : t.model.variables.data[headers[k].variable].name)));
}

double number_of(const std::string& cell, const std::string& where) {
  char* end = nullptr;
  const double x = std::strtod(cell.c_str(), &end);
  if (cell.find_first_of("xX") != std::string::npos && end != cell.c_str() && !*end)
    throw UserError(fmt::format("{}: {} is no decimal number", where, in_quotes(cell)));
  if (end == cell.c_str() || *end || !std::isfinite(x))
    throw UserError(fmt::format("{}: {} is no number", where, in_quotes(cell)));
  return x;
}

}  // namespace

Measured read_measured(const std::string& file, const SynapseTable& t, const View& view) {
  std::istringstream in(text_of_file(file, std::size_t{256} << 20, "--fit"));
  CsvLines lines(in);
  std::string line;
  const auto where = [&] { return fmt::format("{}:{}", file, std::max(lines.number(), 1u)); };
  std::vector<Header> headers;
  if (lines.next(line))
    for (const auto& cell : csv_cells(line)) headers.push_back(header_of(std::string(cell.text), t, where()));
  check_doubled(headers, t, where());
  Measured m;
  for (const auto& h : headers)
    if (!h.is_reading) m.columns.push_back({h.variable, false, {}});
  if (m.columns.empty())
    throw UserError(
        fmt::format("{}: no column is a variable of model {}; the first line names them, for "
                    "example: reading,{}",
                    where(), t.model.name, t.model.variables.data[0].name));
  while (lines.next(line)) {
    const auto cells = csv_cells(line);
    if (cells.size() != headers.size())
      throw UserError(
          fmt::format("{}: {} values where the header has {}", where(), cells.size(), headers.size()));
    if (m.readings.size() == most_rows)
      throw UserError(fmt::format("{}: more than {} rows", where(), most_rows));
    std::size_t reading = m.readings.size(), column = 0;
    for (std::size_t k = 0; k < cells.size(); ++k) {
      const double x = number_of(std::string(cells[k].text), where());
      if (!headers[k].is_reading) m.columns[column++].values.push_back(x * headers[k].factor);
      else if (x >= 0 && x < 1e9 && x == std::floor(x)) reading = static_cast<std::size_t>(x);
      else
        throw UserError(fmt::format("{}: {} is no number of a reading (0, 1, ...)", where(), cells[k].text));
    }
    m.readings.push_back(reading);
  }
  if (m.readings.empty()) throw UserError(fmt::format("{}: there are no measured values", file));
  for (auto& c : m.columns) {
    const std::string name = t.model.variables.data[c.variable].name;
    c.logarithmic = is_logarithmic(view, name, c.values);
    if (c.logarithmic && !(*std::min_element(c.values.begin(), c.values.end()) > 0))
      throw UserError(fmt::format("--fit: {}: {} has values that are not above 0, and --axis {}=log", file,
                                  in_quotes(name), name));
  }
  return m;
}

}  // namespace spinet::tool
