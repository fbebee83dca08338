// The lines and cells of a CSV file, alike for all that read one.
#pragma once
#include <cstdint>
#include <istream>
#include <string>
#include <string_view>
#include <vector>

namespace spinet {

struct CsvCell {
  std::string_view text;
  std::size_t column;  ///< from 0
};

/// The cells of a line, without blanks around them and without quotes.
std::vector<CsvCell> csv_cells(std::string_view line);

/// The lines of a file that hold something: no empty ones, none that begin with '#', and no byte order mark.
/// They end with LF, CR LF or, in files of old programs, CR.
class CsvLines {
 public:
  explicit CsvLines(std::istream& in) : in_(in) {}
  bool next(std::string& line);
  std::uint32_t number() const { return number_; }  ///< of the last line, from 1

 private:
  bool any(std::string& line);
  std::istream& in_;
  std::string read_;
  std::size_t at_ = 0;
  std::uint32_t number_ = 0;
};

}  // namespace spinet
