// What a machine offers, read from trees of files made for the purpose.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

#include "comm/machine.hpp"

using namespace spinet;
namespace fs = std::filesystem;

namespace {

class Tree {
 public:
  Tree() : root_(fs::temp_directory_path() / ("spinet_machine_" + std::to_string(std::rand()))) {
    put("proc/meminfo", "MemFree: 5 kB\nMemTotal:       8000000 kB\nCached: 1 kB\n");
  }
  ~Tree() { fs::remove_all(root_); }
  void put(const fs::path& file, const std::string& text) const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  std::uint64_t memory() const { return machine_memory(root_); }

 private:
  fs::path root_;
};

}  // namespace

TEST_CASE("a machine's memory is what it has") {
  const Tree t;
  CHECK(t.memory() == 8'192'000'000);
  CHECK(machine_memory() > 100'000'000);
}

TEST_CASE("limits of control groups count, of the own group and of those above it") {
  const Tree t;
  t.put("proc/self/cgroup", "0::/job/step\n");
  CHECK(t.memory() == 8'192'000'000);
  t.put("sys/fs/cgroup/job/step/memory.max", "max\n");
  CHECK(t.memory() == 8'192'000'000);
  t.put("sys/fs/cgroup/job/memory.max", "2000000000\n");
  CHECK(t.memory() == 2'000'000'000);
  t.put("sys/fs/cgroup/job/step/memory.max", "1000000000\n");
  CHECK(t.memory() == 1'000'000'000);
  t.put("sys/fs/cgroup/other/memory.max", "5\n");
  CHECK(t.memory() == 1'000'000'000);
  t.put("sys/fs/cgroup/memory.max", "900000000\n");  // a container: its own group is the root
  CHECK(t.memory() == 900'000'000);
}

TEST_CASE("and those of version 1") {
  const Tree t;
  t.put("proc/self/cgroup", "9:name=systemd:/\n5:cpu,cpuacct:/job\n4:memory:/job/step\n0::/\n");
  t.put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  CHECK(t.memory() == 8'192'000'000);
  t.put("sys/fs/cgroup/memory/job/step/memory.limit_in_bytes", "3000000000\n");
  CHECK(t.memory() == 3'000'000'000);
  t.put("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "1500000000\n");
  CHECK(t.memory() == 1'500'000'000);
}
