// Places in a text, and messages that show them.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace spinet {

/// A place in one of the texts of a network (its file, a --set option, a CSV file).
struct Mark {
  std::uint32_t text = 0;    ///< index in Texts
  std::uint32_t line = 0;    ///< from 1; 0: the text as a whole
  std::uint32_t column = 0;  ///< from 1, in bytes
  std::uint32_t length = 1;  ///< bytes the caret underlines, at least 1
};

/// One thing wrong with a network, complete for a person: where, what, and what would be right.
struct Diagnostic {
  std::string file;
  std::uint32_t line = 0;    ///< from 1; 0: the file as a whole
  std::uint32_t column = 0;  ///< from 1, in characters
  std::string reason;
  std::string help;  ///< suggestion, allowed values; may be empty
  /// The line, tabs and control characters as spaces, cut around the place if it is long.
  std::string source_line;
  std::uint32_t caret = 0;   ///< characters before the caret in `source_line`
  std::uint32_t length = 1;  ///< characters underlined
};

/// `file:line:column: error: reason`, the line, the caret and the help, each on a line of its own.
std::string render(const Diagnostic& d);

/// The texts that marks point into.
class Texts {
 public:
  /// Keeps the text, whose first line has number `first_line`; the result is its index.
  std::uint32_t add(std::string name, std::string text, std::uint32_t first_line = 1);
  const std::string& text(std::uint32_t i) const { return texts_[i].text; }
  const std::string& name(std::uint32_t i) const { return texts_[i].name; }
  /// Number of the last line that is not empty.
  std::uint32_t last_line(std::uint32_t i) const;
  /// Line `number` (from 1) without its end, empty past the last one.
  std::string_view line(std::uint32_t i, std::uint32_t number) const;

 private:
  struct Text {
    std::string name, text;
    std::uint32_t first_line;
    std::vector<std::size_t> begin;  ///< of each line
  };
  std::vector<Text> texts_;
};

/// Collects every error of one pass.  The same error at the same place is kept once.
class Diagnostics {
 public:
  /// Thrown by error() when there are more than people read, so that a hostile file cannot buy time with
  /// mistakes.
  struct TooMany {};
  static constexpr std::size_t most = 200;

  explicit Diagnostics(const Texts& texts) : texts_(texts) {}
  void error(Mark where, std::string reason, std::string help = {});
  /// Calls of error(), repetitions included: whether a step went well is seen by this number.
  std::size_t count() const { return calls_; }
  bool empty() const { return entries_.empty(); }
  /// In the order of the texts and their lines.
  std::vector<Diagnostic> sorted() const;

 private:
  struct Entry {
    Mark where;
    std::string reason, help;
  };
  const Texts& texts_;
  std::vector<Entry> entries_;
  std::size_t calls_ = 0;
};

}  // namespace spinet
