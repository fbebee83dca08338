#include "manifest.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "comm/collectively.hpp"
#include "exits.hpp"
#include "network/digest.hpp"
#include "network/suggest.hpp"

namespace spinet::tool {
namespace {

/// A manifest on its way: the host, then names and texts, each ended by a zero byte.
std::string packed(const Manifest& m) {
  std::string bytes = host_name() + '\0';
  for (const auto& [name, text] : m) bytes += name + '\0' + text + '\0';
  return bytes;
}

Manifest unpacked(std::span<const std::byte> bytes, std::string& host) {
  std::istringstream in(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  std::getline(in, host, '\0');
  Manifest m;
  for (std::string name, text; std::getline(in, name, '\0') && std::getline(in, text, '\0');) m[name] = text;
  return m;
}

constexpr std::size_t digits = 2 * std::tuple_size_v<Digest>;

/// Of "DIGEST  NAME" the digest counts, and the name is shown; of other texts all.
bool has_digest(std::string_view text) {
  return text.size() >= digits && text.find_first_not_of("0123456789abcdef") >= digits;
}
bool differ(const std::string& a, const std::string& b) {
  return has_digest(a) && has_digest(b) ? a.compare(0, digits, b, 0, digits) != 0 : a != b;
}
std::string shown(const std::string& text) {
  return has_digest(text) ? text.substr(std::min(text.size(), digits + 2)) : text;
}

/// The first thing that differs, as "another NAME"; empty: none.
std::string difference(const Manifest& a, const Manifest& b) {
  for (const auto& [name, text] : a) {
    const auto other = b.find(name);
    if (other == b.end()) return "no " + name;
    if (!differ(other->second, text)) continue;
    const auto theirs = shown(other->second), ours = shown(text);
    if (theirs.empty()) return "another " + name;
    if (theirs == ours) return fmt::format("another {} ({})", name, in_quotes(ours));
    return fmt::format("another {} ({}, not {})", name, in_quotes(theirs), in_quotes(ours));
  }
  for (const auto& [name, text] : b)
    if (!a.count(name)) return name;
  return {};
}

constexpr std::string_view data_file = "data file ";

}  // namespace

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "?";
}

std::function<void(const std::string&, const std::filesystem::path&)> collect_into(DataFiles& files) {
  return [&files](const std::string& name, const std::filesystem::path& path) { files[name] = path; };
}

Manifest manifest_of(const DataFiles& files) {
  Manifest m;
  try {
    for (const auto& [name, path] : files) m[std::string(data_file) + name] = hex(sha256_of_file(path));
  } catch (const std::runtime_error& e) {
    throw UserError(e.what());
  }
  return m;
}

Manifest manifest_of(const Network& network) {
  const auto digest = hex(sha256(std::as_bytes(std::span(network.source_text))));
  Manifest m{{"version of spinet", SPINET_VERSION},
             {"text of the network", digest + "  " + network.source_path}};
  std::string overrides;
  for (const auto& o : network.overrides) overrides += (overrides.empty() ? "" : " ") + o;
  m["set of values given with options"] = overrides;
  return m;
}

std::vector<std::string> lines_of(const Manifest& manifest) {
  std::vector<std::string> lines;
  for (const auto& [name, text] : manifest) lines.push_back(fmt::format("{}  {}", text, name));
  return lines;
}

void require_same(Transport& transport, const Manifest& manifest) {
  if (transport.size() == 1) return;
  const auto mine = packed(manifest);
  Gathered all;
  transport.all_gather(std::as_bytes(std::span(mine)), all);
  collectively(transport, [&] {
    if (transport.rank() != 0) return;
    std::string here, there;
    const auto first = unpacked(all.of(0), here);
    for (int r = 1; r < transport.size(); ++r)
      if (const auto what = difference(first, unpacked(all.of(r), there)); !what.empty())
        throw UserError(fmt::format(
            "spinet: the ranks would not run the same: rank {} on {} has {} than rank 0 on {} has; "
            "give every node the same files",
            r, there, what, here));
  });
}

void require_unchanged(const std::vector<std::string>& kept, const Manifest& now,
                       const std::string& checkpoint) {
  const auto lines = lines_of(now);
  for (const auto& line : kept)
    if (std::find(lines.begin(), lines.end(), line) == lines.end()) {
      const auto name = line.substr(std::min(line.size(), line.find("  ") + 2));
      throw UserError(
          fmt::format("{}: {} is not what it was when the run began; a run goes on with the same files only",
                      checkpoint, in_quotes(name)));
    }
}

}  // namespace spinet::tool
