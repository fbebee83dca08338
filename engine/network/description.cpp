#include "network/description.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <sstream>

#include "network/suggest.hpp"

namespace spinet {
namespace {

constexpr std::size_t deepest = 64;
// A comment put behind the text.  The parser takes the end of the text for a closing quote; then it is in a
// value.
constexpr std::string_view end_of_text = "\n# end of the text";
constexpr std::size_t most_values = 2'000'000;
constexpr std::size_t most_aliased = 100'000;

/// Ends the parse after its error has been reported.
struct Refused {};

std::size_t count_values(const Node& n) {
  std::size_t c = 1;
  for (const auto& i : n.items) c += count_values(i);
  return c;
}
std::size_t depth(const Node& n) {
  std::size_t d = 0;
  for (const auto& i : n.items) d = std::max(d, depth(i));
  return d + 1;
}

/// Length of the UTF-8 sequence at s[i], 0 if there is none.
std::size_t utf8_length(std::string_view s, std::size_t i) {
  const auto c = static_cast<unsigned char>(s[i]);
  const std::size_t n = c < 0x80                ? 1
                        : c >= 0xC2 && c < 0xE0 ? 2
                        : c >= 0xE0 && c < 0xF0 ? 3
                        : c >= 0xF0 && c < 0xF5 ? 4
                                                : 0;
  if (n == 0 || i + n > s.size()) return 0;
  for (std::size_t k = 1; k < n; ++k)
    if ((static_cast<unsigned char>(s[i + k]) & 0xC0) != 0x80) return 0;
  // Not in their shortest form, halves of UTF-16 pairs, past the last character.
  const auto next = n > 1 ? static_cast<unsigned char>(s[i + 1]) : 0;
  if ((c == 0xE0 && next < 0xA0) || (c == 0xED && next >= 0xA0) || (c == 0xF0 && next < 0x90) ||
      (c == 0xF4 && next >= 0x90))
    return 0;
  return n;
}

/// Why a value is no text: escapes in quotes can make what no file may hold.  Empty if it is one.
std::string no_text(std::string_view s) {
  for (std::size_t k = 0; k < s.size();) {
    const auto c = static_cast<unsigned char>(s[k]);
    const std::size_t n = utf8_length(s, k);
    if (n == 0) return "an escape of this text is no character (half of a pair, or past U+10FFFF)";
    if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7F)
      return fmt::format("this text holds the control character 0x{:02X}", c);
    k += n;
  }
  return {};
}

/// Builds the tree from the parser's events, so that depth and number are bounded while it reads.
class Builder : public YAML::EventHandler {
 public:
  Builder(const Texts& texts, std::uint32_t text, Diagnostics& errors)
      : texts_(texts), text_(text), errors_(errors) {}

  std::optional<Node> root;

  void OnDocumentStart(const YAML::Mark& m) override {
    if (root)
      refuse(mark(m), "a second document begins here", "a network is one document: remove the line '---'");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& m, YAML::anchor_t anchor) override {
    Node n;
    n.mark = mark(m);
    finish(std::move(n), anchor);
  }
  void OnAlias(const YAML::Mark& m, YAML::anchor_t anchor) override {
    const auto at = anchors_.find(anchor);
    if (at == anchors_.end()) refuse(mark(m), "this alias lies inside the value it stands for");
    aliased_ += at->second.values;
    if (aliased_ > most_aliased)
      refuse(mark(m), fmt::format("aliases unfold to more than {} values", most_aliased),
             "define large data once, in a CSV file");
    if (open_.size() + at->second.depth > deepest) too_deep(mark(m));
    count(at->second.values, mark(m));
    attach(at->second.node);
  }
  void OnScalar(const YAML::Mark& m, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(m, tag);
    Node n;
    n.kind = Node::Kind::scalar;
    n.mark = mark(m, value);
    if (tag == "!" && value.find(end_of_text.substr(1)) != std::string::npos)
      refuse(mark(m), "YAML syntax: this quote is not closed");
    if (const auto fault = no_text(value); !fault.empty())
      errors_.error(n.mark, fault, "escapes are for characters: \"\\u03bc\" is \u03bc");
    n.text = value;
    finish(std::move(n), anchor);
  }
  void OnSequenceStart(const YAML::Mark& m, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::list, m, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& m, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::map, m, tag, anchor);
  }
  void OnMapEnd() override { close(); }

  /// Marks of yaml-cpp count from 0.
  Mark mark(const YAML::Mark& m) const {
    return {text_, static_cast<std::uint32_t>(m.line + 1), static_cast<std::uint32_t>(m.column + 1), 1};
  }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor;
    std::optional<Node::Key> key;  ///< read, its value still to come
    bool skip_key = false;         ///< the key was an error; its value is dropped
    std::set<std::string> seen;
  };
  struct Anchored {
    Node node;
    std::size_t values, depth;
  };

  /// A scalar's mark, as long as its text where the text stands there as it is (perhaps in quotes).
  Mark mark(const YAML::Mark& m, const std::string& value) const {
    Mark r = mark(m);
    const auto line = texts_.line(text_, r.line);
    if (r.column > line.size()) return r;
    const auto rest = line.substr(r.column - 1);
    if (rest.starts_with(value)) {
      r.length = static_cast<std::uint32_t>(std::max<std::size_t>(1, value.size()));
    } else if ((rest[0] == '"' || rest[0] == '\'') && rest.substr(1).starts_with(value) &&
               rest.substr(1 + value.size()).starts_with(rest[0])) {
      r.column += 1;
      r.length = static_cast<std::uint32_t>(std::max<std::size_t>(1, value.size()));
    }
    return r;
  }

  bool written_null(const Mark& m) const {
    const auto line = texts_.line(text_, m.line);
    return m.column <= line.size() && line[m.column - 1] == '~';
  }

  [[noreturn]] void refuse(Mark where, std::string reason, std::string help = {}) {
    errors_.error(where, std::move(reason), std::move(help));
    throw Refused{};
  }
  [[noreturn]] void too_deep(Mark where) {
    refuse(where, fmt::format("more than {} levels of nesting", deepest), "a network needs fewer than 10");
  }
  void check_tag(const YAML::Mark& m, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!")
      errors_.error(mark(m), "YAML tags such as " + in_quotes(tag) + " are not used in networks",
                    "remove it");
  }
  void count(std::size_t values, Mark where) {
    values_ += values;
    if (values_ > most_values)
      refuse(where, fmt::format("more than {} values in one file", most_values),
             "put large data into a CSV file");
  }
  void open(Node::Kind kind, const YAML::Mark& m, const std::string& tag, YAML::anchor_t anchor) {
    if (open_.size() >= deepest) too_deep(mark(m));
    check_tag(m, tag);
    count(1, mark(m));
    Node n;
    n.kind = kind;
    n.mark = mark(m);
    open_.push_back({std::move(n), anchor, {}, false, {}});
  }
  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    keep(done.node, done.anchor);
    attach(std::move(done.node));
  }
  void finish(Node n, YAML::anchor_t anchor) {
    count(1, n.mark);
    keep(n, anchor);
    attach(std::move(n));
  }
  void keep(const Node& n, YAML::anchor_t anchor) {
    if (anchor == YAML::NullAnchor) return;
    const std::size_t values = count_values(n);
    // A copy is kept for the aliases; many anchors around the same text would copy it over and over.
    kept_ += values;
    if (kept_ > most_values) refuse(n.mark, "too many anchors around large values");
    anchors_[anchor] = {n, values, depth(n)};
  }
  void attach(Node n) {
    if (open_.empty()) {
      root = std::move(n);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::list) {
      parent.node.items.push_back(std::move(n));
      return;
    }
    if (!parent.key && !parent.skip_key) {
      take_key(parent, std::move(n));
      return;
    }
    if (parent.key) {
      // Of an empty value the parser's mark is that of the next token; "~" stands where it says.
      if (n.kind == Node::Kind::null && !written_null(n.mark)) n.mark = parent.key->mark;
      parent.node.keys.push_back(std::move(*parent.key));
      parent.node.items.push_back(std::move(n));
    }
    parent.key.reset();
    parent.skip_key = false;
  }
  void take_key(Open& parent, Node n) {
    if (n.kind != Node::Kind::scalar || n.text == "<<") parent.node.incomplete = true;
    if (n.kind != Node::Kind::scalar) {
      errors_.error(n.mark, "a key must be a name; this is " + kind_name(n));
      parent.skip_key = true;
    } else if (n.text == "<<") {
      errors_.error(n.mark, "merge keys ('<<') are not supported",
                    "write the values out, use `like:` for populations, or an anchor for a whole value");
      parent.skip_key = true;
    } else if (!parent.seen.insert(n.text).second) {
      std::uint32_t first = 0;
      for (const auto& k : parent.node.keys)
        if (k.name == n.text) first = k.mark.line;
      errors_.error(n.mark, fmt::format("duplicate key {}", in_quotes(n.text)),
                    fmt::format("it was given before, on line {}; only one can be meant", first));
      parent.skip_key = true;
    } else {
      parent.key = Node::Key{std::move(n.text), n.mark};
    }
  }

  const Texts& texts_;
  std::uint32_t text_;
  Diagnostics& errors_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::size_t values_ = 0, aliased_ = 0, kept_ = 0;
};

struct Explained {
  std::string_view message, reason, help;
};
// What the parser says, and what a person would want to be told.
constexpr Explained explained[] = {
    {"end of map not found", "this line does not fit the lines above it",
     "check the indentation, and that every key is followed by ': '"},
    {"end of sequence not found", "this line does not fit the list above it",
     "items of a list begin with '- ' in the same column"},
    {"end of map flow not found", "expected ',' or '}' here", "a '{' is not closed, or a ',' is missing"},
    {"end of sequence flow not found", "expected ',' or ']' here",
     "a '[' is not closed, or a ',' is missing"},
    {"illegal map value", "a ': ' is not expected here",
     "check the indentation; text that holds ': ' must be in quotes"},
    {"illegal map key", "a key is not expected here", "check the indentation"},
    {"illegal block entry", "a list item ('- ') is not expected here", "check the indentation"},
    {"illegal flow end", "this bracket closes nothing", ""},
    {"illegal tab when looking for indentation", "a tab is used for indentation", "indent with spaces"},
    {"unknown token", "this character cannot begin a value", "put the text in quotes"},
    {"illegal EOF in scalar", "the file ends inside quotes", "a quote is not closed"},
    {"illegal document indicator in scalar", "a document marker stands inside quotes",
     "a quote is not closed"},
    {"the referenced anchor is not defined", "this alias stands for an anchor that is not defined above it",
     "products in expressions need a leading '=': =2*x"},
    {"alias not found after *", "'*' begins an alias, but no name follows",
     "products in expressions need a leading '=': =2*x"},
    {"illegal character found while scanning alias", "a name of an alias cannot hold this character",
     "products in expressions need a leading '=': =2*x"},
    {"anchor not found after &", "'&' begins an anchor, but no name follows", "put the text in quotes"},
};

/// "exc[0:100]" around a '[' of the line: its begin and length, or 0, 0.
std::pair<std::size_t, std::size_t> part_of_population(std::string_view line, std::size_t bracket) {
  if (bracket >= line.size() || line[bracket] != '[') return {0, 0};
  const auto name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  std::size_t first = bracket;
  while (first > 0 && name(line[first - 1])) --first;
  const auto last = line.find_first_not_of("0123456789: ", bracket + 1);
  const bool part =
      first < bracket && last != std::string_view::npos && last > bracket + 1 && line[last] == ']';
  return part ? std::pair(first, last + 1 - first) : std::pair<std::size_t, std::size_t>(0, 0);
}

/// What YAML writes for a character past U+FFFF that a line holds as JSON has it, as two escapes; empty:
/// there is none.
std::string right_escape(std::string_view line) {
  const auto unit = [&](std::size_t i) -> std::uint32_t {
    std::uint32_t x = 0;
    if (i + 6 > line.size() || line.substr(i, 2) != "\\u") return 0;
    const auto [end, error] = std::from_chars(line.data() + i + 2, line.data() + i + 6, x, 16);
    return error == std::errc{} && end == line.data() + i + 6 ? x : 0;
  };
  for (std::size_t i = 0; i + 12 <= line.size(); ++i) {
    const auto high = unit(i), low = unit(i + 6);
    if (high >= 0xD800 && high < 0xDC00 && low >= 0xDC00 && low < 0xE000)
      return fmt::format("\\U{:08X}", 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
  }
  return {};
}

/// Reports what the parser says.  A part of a population without quotes is returned: with them all the rest
/// may be right.
std::optional<Mark> syntax_error(const YAML::Exception& e, const Builder& b, const Texts& texts,
                                 Diagnostics& errors, Mark whole) {
  const bool at_end =
      !e.mark.is_null() && e.mark.line == 0 && e.mark.column == 0 && e.msg.starts_with("end of");
  Mark at = e.mark.is_null() || at_end ? whole : b.mark(e.mark);
  const std::uint32_t last = texts.last_line(at.text);
  if (at_end || at.line > last)
    at = {at.text, last, static_cast<std::uint32_t>(texts.line(at.text, last).size() + 1), 1};
  const auto line = at.line > 0 ? texts.line(at.text, at.line) : std::string_view{};
  const auto tab = line.substr(0, std::min(line.find_first_not_of(" \t"), line.size())).find('\t');
  if (tab != std::string_view::npos) at.column = static_cast<std::uint32_t>(tab + 1), at.length = 1;
  if (tab != std::string_view::npos)
    return errors.error(at, "YAML syntax: a tab is used for indentation", "indent with spaces"), std::nullopt;
  if (e.msg.starts_with("end of") && e.msg.ends_with("flow not found"))
    if (const auto [first, length] = part_of_population(line, at.column - 1); length > 0) {
      const Mark part{at.text, at.line, static_cast<std::uint32_t>(first + 1),
                      static_cast<std::uint32_t>(length)};
      errors.error(part, "YAML syntax: inside '{' or '[' a part of a population must be in quotes",
                   fmt::format("\"{}\"", line.substr(first, length)));
      return part;
    }
  for (const auto& x : explained)
    if (e.msg == x.message)
      return errors.error(at, "YAML syntax: " + std::string(x.reason), std::string(x.help)), std::nullopt;
  if (e.msg.starts_with("invalid unicode")) {
    const auto right = right_escape(line);
    errors.error(at,
                 right.empty() ? "this escape is no character (half of a pair, or past U+10FFFF)"
                               : "this character is written as two escapes, as in JSON",
                 right.empty() ? "write the character itself, or \\U and its eight digits: \\U0001F600"
                               : "write the character itself, or " + right);
    return std::nullopt;
  }
  // Messages that name an anchor hold what the file says.
  errors.error(at, "YAML syntax: " + in_quotes(e.msg).substr(1, in_quotes(e.msg).size() - 2));
  return std::nullopt;
}

/// The parser, on text that may be anything.  `part`: one of a population that must be in quotes, and ended
/// the parse.
std::optional<Node> parse_once(const Texts& texts, std::uint32_t i, const std::string& text,
                               Diagnostics& errors, std::optional<Mark>& part) {
  Builder builder(texts, i, errors);
  const Mark whole{i, 0, 0, 1};
  try {
    std::istringstream stream(text + std::string(end_of_text) + "\n");
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refused&) {
    return std::nullopt;
  } catch (const YAML::Exception& e) {
    part = syntax_error(e, builder, texts, errors, whole);
    return std::nullopt;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception&) {  // the parser's own conversions throw what they like
    errors.error(whole, "this is not YAML");
    return std::nullopt;
  }
  return std::move(builder.root);
}

/// Puts the brackets back into the scalars and keys that are such parts.
void put_brackets(std::string& text, Mark& mark, std::span<const Mark> parts) {
  for (const auto& p : parts) {
    const auto at = text.find('(');
    if (p.line != mark.line || p.column != mark.column || p.length != text.size() || at == std::string::npos)
      continue;
    text[at] = '[';
    text.back() = ']';
    mark.length = p.length;
  }
}
void put_brackets(Node& n, std::span<const Mark> parts) {
  if (n.is_scalar()) put_brackets(n.text, n.mark, parts);
  for (auto& k : n.keys) put_brackets(k.name, k.mark, parts);
  for (auto& i : n.items) put_brackets(i, parts);
}

/// Where a part of a population without quotes ends the parse, it is reported and the text read once more as
/// if it had them, so that all of them are named, and the errors of the rest.
std::optional<Node> parse(const Texts& texts, std::uint32_t i, std::string text, Diagnostics& errors) {
  constexpr std::size_t most_parts = 50, longest = 1 << 20;
  std::vector<Mark> parts;
  while (true) {
    std::optional<Mark> part;
    auto root = parse_once(texts, i, text, errors, part);
    if (!part) {
      if (root && !parts.empty()) put_brackets(*root, parts);
      return root;
    }
    std::size_t begin = 0;
    for (std::uint32_t line = 1; line < part->line && begin < text.size(); ++line)
      begin = std::min(text.find('\n', begin), text.size() - 1) + 1;
    const std::size_t end = begin + part->column - 1 + part->length,
                      open = text.find('[', begin + part->column - 1);
    if (parts.size() >= most_parts || text.size() > longest || end > text.size() || open >= end ||
        text[end - 1] != ']')
      return std::nullopt;
    text[open] = '(';
    text[end - 1] = ')';
    parts.push_back(*part);
  }
}

/// Bytes that no text holds.  Reported once: the rest of a binary file is no news.
bool is_text(const Texts& texts, std::uint32_t i, Diagnostics& errors) {
  const std::string& s = texts.text(i);
  std::uint32_t line = 1;
  std::size_t begin = 0;
  for (std::size_t k = 0; k < s.size();) {
    const auto c = static_cast<unsigned char>(s[k]);
    const std::size_t n = utf8_length(s, k);
    const bool control = c < 0x20 && c != '\n' && c != '\r' && c != '\t';
    if (n == 0 || control || c == 0x7F) {
      errors.error(Mark{i, line, static_cast<std::uint32_t>(k - begin + 1), 1},
                   fmt::format("byte 0x{:02X} does not belong into a text", c),
                   "a network is YAML in UTF-8; is this a binary file?");
      return false;
    }
    if (c == '\n') {
      ++line;
      begin = k + 1;
    }
    k += n;
  }
  return true;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (keys[i].name == key) return &items[i];
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (keys[i].taken && keys[i].meant == key) return &items[i];
  return nullptr;
}
Node* Node::find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }

std::string kind_name(const Node& n) {
  switch (n.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::scalar:
      return in_quotes(n.text);
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      return "a map";
  }
  return {};
}

std::optional<Node> parse_yaml(const Texts& texts, std::uint32_t i, Diagnostics& errors) {
  if (!is_text(texts, i, errors)) return std::nullopt;
  auto root = parse(texts, i, texts.text(i), errors);
  if (root && root->kind == Node::Kind::null) root.reset();
  if (!root && errors.empty())
    errors.error(Mark{i, 0, 0, 1}, "the file is empty", "`spinet init` writes a network to begin with");
  return root;
}

std::optional<Node> parse_value(const Texts& texts, std::uint32_t i, std::size_t from, Diagnostics& errors) {
  if (!is_text(texts, i, errors)) return std::nullopt;
  // Spaces before the value keep its column.
  return parse(texts, i, std::string(from, ' ') + texts.text(i).substr(from), errors);
}

}  // namespace spinet
