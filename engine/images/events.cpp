// Recorded spikes, a file for each sample, and a table of these files and their labels.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>

#include "images/parts.hpp"
#include "log/reader.hpp"

namespace spinet::images {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t most_bytes = 1u << 30;    // of a text
constexpr double ticks_per_ms = 1e6;              // in which SONATA files are read
constexpr std::uint32_t most_neurons = 1u << 28;  // of a layer
constexpr double longest = 1e9;                   // [ms]

/// Texts of two columns, separated by a comma; lines that are empty or begin with # are left out.
class TwoColumns {
 public:
  TwoColumns(const fs::path& file, std::string_view first, std::string_view second)
      : file_(file), names_{first, second} {
    std::error_code error;
    if (!fs::exists(file, error)) fail(file, "there is no such file");
    if (!fs::is_regular_file(file, error)) fail(file, "is no file");
    const auto size = fs::file_size(file, error);
    if (error || size > most_bytes) fail(file, fmt::format("has {} bytes, too many for a table", size));
    text_.resize(size);
    std::ifstream in(file, std::ios::binary);
    if (!in.read(text_.data(), static_cast<std::streamsize>(size))) fail(file, "cannot be read");
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // a byte order mark
    if (text_.find('\0') != std::string::npos)
      fail(file, fmt::format("is no text; lines of '{},{}' are read", first, second));
  }

  /// The next line's cells, in the order of the names.
  bool next() {
    std::string_view line;
    while (take_line(line)) {
      split(line);
      if (started_ || !header()) return started_ = true;
      started_ = true;
    }
    return false;
  }
  std::string_view cell(int i) const { return cells_[swapped_ ? 1 - i : i]; }
  /// Has there been any line, of names or of numbers?
  bool started() const { return started_; }
  std::uint64_t line() const { return line_; }
  /// What one of the second column's unit is in ms.
  double unit() const { return unit_; }
  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> reason, Args&&... args) const {
    fail(file_, fmt::format("line {}: {}", line_, fmt::format(reason, std::forward<Args>(args)...)));
  }
  double number(int i) const {
    const std::string_view s = cell(i);
    double x = 0;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), x);
    if (error != std::errc{} || end != s.data() + s.size() || !std::isfinite(x))
      refuse("'{}' is no number; {} is expected", s.substr(0, 40), names_[i]);
    return x;
  }

 private:
  static std::string_view trimmed(std::string_view s) {
    const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '"'; };
    while (!s.empty() && blank(s.front())) s.remove_prefix(1);
    while (!s.empty() && blank(s.back())) s.remove_suffix(1);
    return s;
  }
  bool take_line(std::string_view& line) {
    while (at_ < text_.size()) {
      const auto end = std::min(text_.find('\n', at_), text_.size());
      line = trimmed(std::string_view(text_).substr(at_, end - at_));
      at_ = end + 1, ++line_;
      if (!line.empty() && line[0] != '#') return true;
    }
    return false;
  }
  void split(std::string_view line) {
    const auto comma = line.find(',');
    if (comma == std::string_view::npos || line.find(',', comma + 1) != std::string_view::npos)
      refuse("two columns are expected, {} and {}", names_[0], names_[1]);
    cells_[0] = trimmed(line.substr(0, comma)), cells_[1] = trimmed(line.substr(comma + 1));
  }
  /// Does the first line name the columns?  "time [s],neuron", too.
  bool header() {
    for (const int first : {0, 1}) {
      std::string_view second = cells_[1 - first], unit = "ms";
      if (const auto bracket = second.find('['); bracket != std::string_view::npos && second.ends_with(']')) {
        unit = second.substr(bracket + 1, second.size() - bracket - 2);
        second = trimmed(second.substr(0, bracket));
      }
      if (cells_[first] != names_[0] || second != names_[1]) continue;
      swapped_ = first == 1;
      unit_ = unit == "s" ? 1e3 : unit == "us" ? 1e-3 : unit == "ns" ? 1e-6 : 1;
      if (unit != "ms" && unit_ == 1)
        refuse("'{}' is no unit of time; s, ms, us and ns are", unit.substr(0, 40));
      return true;
    }
    return false;
  }

  const fs::path file_;
  const std::string_view names_[2];
  std::string text_;
  std::size_t at_ = 0;
  std::uint64_t line_ = 0;
  std::string_view cells_[2];
  bool swapped_ = false, started_ = false;
  double unit_ = 1;
};

void take_text(const fs::path& file, std::vector<Event>& to) {
  TwoColumns rows(file, "neuron", "time");
  while (rows.next()) {
    const double neuron = rows.number(0), ms = rows.number(1) * rows.unit();
    if (!(neuron >= 0 && neuron < most_neurons && neuron == std::floor(neuron)))
      rows.refuse("there is no neuron {}", neuron);
    if (!(ms >= 0 && ms <= longest)) rows.refuse("a spike {} ms after the sample's begin", ms);
    to.push_back({ms, static_cast<std::uint32_t>(neuron), static_cast<std::uint32_t>(rows.line())});
  }
  if (!rows.started())
    fail(file, "is empty; a sample without spikes is a file with the line 'neuron,time' alone");
}

void take_sonata(const fs::path& file, std::vector<Event>& to) {
  try {
    for (const auto& s : read_sonata_spikes(file, "", ticks_per_ms, most_neurons))
      to.push_back({static_cast<double>(s.tick) / ticks_per_ms, s.index});
  } catch (const LogError& e) {
    throw Error(e.what());
  }
}

/// A sample's file lies in the folder of its table.
fs::path sample_file(const TwoColumns& rows, const fs::path& folder, std::string_view name) {
  const fs::path given(name);
  if (given.empty()) rows.refuse("a file is expected before the comma");
  if (given.is_absolute() ||
      std::any_of(given.begin(), given.end(), [](const fs::path& p) { return p == ".."; }))
    rows.refuse("'{}' leaves the folder of the table", name.substr(0, 200));
  return folder / given;
}

}  // namespace

void read_events(const fs::path& table, std::uint32_t classes, Images& to) {
  TwoColumns rows(table, "file", "label");
  std::uint32_t neurons = 0;
  to.begins = {0};
  while (rows.next()) {
    const auto file = sample_file(rows, table.parent_path(), rows.cell(0));
    const double label = rows.number(1);
    const std::uint32_t most = classes ? classes : 65'536;
    if (!(label >= 0 && label < most && label == std::floor(label)))
      rows.refuse("label {}; there are {} classes, counted from 0", label, most);
    if (to.count == std::numeric_limits<std::uint32_t>::max())
      rows.refuse("more samples than can be counted");
    const std::size_t first = to.events.size();
    const auto extension = file.extension();
    if (extension == ".h5" || extension == ".hdf5" || extension == ".sonata") take_sonata(file, to.events);
    else take_text(file, to.events);
    const auto own = to.events.begin() + static_cast<std::ptrdiff_t>(first);
    std::sort(own, to.events.end(), [](const Event& a, const Event& b) {
      return a.ms != b.ms ? a.ms < b.ms : a.neuron < b.neuron;
    });
    for (auto e = own; e != to.events.end(); ++e) neurons = std::max(neurons, e->neuron + 1);
    to.begins.push_back(to.events.size());
    to.labels.push_back(static_cast<std::uint32_t>(label));
    to.classes = std::max({classes, to.classes, to.labels.back() + 1});
    to.files.push_back(file);
    ++to.count;
  }
  if (to.count == 0) fail(table, "lists no samples; lines of 'file,label' are read");
  to.shape = {std::max(neurons, 1u), 1, 1};
}

}  // namespace spinet::images
