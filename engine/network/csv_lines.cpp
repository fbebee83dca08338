#include "network/csv_lines.hpp"

#include <algorithm>

namespace spinet {
namespace {

bool blank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

std::vector<CsvCell> csv_cells(std::string_view line) {
  std::vector<CsvCell> out;
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

bool CsvLines::any(std::string& line) {
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

bool CsvLines::next(std::string& line) {
  while (any(line)) {
    ++number_;
    if (number_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    if (!line.empty() && line[0] != '#' && !std::all_of(line.begin(), line.end(), blank)) return true;
  }
  return false;
}

}  // namespace spinet
