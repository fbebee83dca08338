#include "comm/machine.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <span>
#include <sstream>
#include <string>

namespace spinet {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

/// The number in a file; none where it says "max" or there is no such file.
std::uint64_t limit_in(const fs::path& file) {
  std::ifstream in(file);
  std::uint64_t limit = 0;
  return in >> limit ? limit : no_limit;
}

/// The lowest limit of a group and those above it.  Where only a part of the tree is mounted, as in a
/// container, groups that are not there are passed over.
std::uint64_t lowest(const fs::path& mount, fs::path group, const char* file) {
  std::uint64_t limit = limit_in(mount / file);
  for (; !group.empty() && group != group.root_path(); group = group.parent_path())
    limit = std::min(limit, limit_in(mount / group.relative_path() / file));
  return limit;
}

std::uint64_t physical_memory(const fs::path& root) {
  std::ifstream in(root / "proc/meminfo");
  for (std::string name; in >> name; in.ignore(std::numeric_limits<std::streamsize>::max(), '\n'))
    if (std::uint64_t kilobytes = 0; name == "MemTotal:" && in >> kilobytes) return kilobytes * 1024;
  return no_limit;
}

/// What tells two machines apart: the host's name, and the start of its kernel, since names may be the same
/// everywhere.
std::string machine_name() {
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  return std::string(host) + ' ' + boot;
}

}  // namespace

std::vector<int> ranks_here(Transport& transport) {
  const std::string name = machine_name();
  Gathered all;
  transport.all_gather(std::as_bytes(std::span(name)), all);
  std::vector<int> here;
  for (int r = 0; r < transport.size(); ++r)
    if (const auto other = all.of(r); std::ranges::equal(other, std::as_bytes(std::span(name))))
      here.push_back(r);
  return here;
}

std::uint64_t machine_memory(const fs::path& root) {
  std::uint64_t bytes = physical_memory(root);
  std::ifstream groups(root /
                       "proc/self/cgroup");  // lines "number:controllers:group"; of version 2 "0::group"
  for (std::string line; std::getline(groups, line);) {
    std::istringstream parts(line);
    std::string number, controllers, group;
    if (!std::getline(parts, number, ':') || !std::getline(parts, controllers, ':') ||
        !std::getline(parts, group))
      continue;
    const fs::path tree = root / "sys/fs/cgroup";
    if (controllers.empty())
      for (const char* mount : {"", "unified"})
        bytes = std::min(bytes, lowest(tree / mount, group, "memory.max"));
    else if ((',' + controllers + ',').find(",memory,") != std::string::npos)
      bytes = std::min(bytes, lowest(tree / "memory", group, "memory.limit_in_bytes"));
  }
  return bytes;
}

}  // namespace spinet
