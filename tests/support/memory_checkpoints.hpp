// Checkpoints kept in memory, for tests that look into them or go on from them.
#pragma once
#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/checkpoint.hpp"

namespace spinet::test {

/// Keeps every checkpoint in memory.
class MemoryCheckpoints : public CheckpointSink, public CheckpointSource {
 public:
  void begin(Tick at) override {
    parts_.clear();
    at_ = at;
  }
  void put(const std::string& name, std::span<const std::byte> bytes) override {
    auto& p = parts_[name];
    p.insert(p.end(), bytes.begin(), bytes.end());
  }
  void end() override { saved.emplace(at_, parts_); }
  std::uint64_t size(const std::string& name) const override {
    const auto& all = saved.at(chosen);
    return all.count(name) ? all.at(name).size() : 0;
  }
  void read(const std::string& name, std::uint64_t offset, std::span<std::byte> to) const override {
    const auto& bytes = saved.at(chosen).at(name);
    if (offset + to.size() > bytes.size())
      throw std::out_of_range(name + " of the checkpoint is shorter than what is read");
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), to.size(), to.begin());
  }
  std::map<Tick, std::map<std::string, std::vector<std::byte>>> saved;
  Tick chosen = 0;

 private:
  std::map<std::string, std::vector<std::byte>> parts_;
  Tick at_ = 0;
};

}  // namespace spinet::test
