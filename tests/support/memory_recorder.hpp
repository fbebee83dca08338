// A Recorder that keeps everything and checks the promises of the seam: order, no spike after a commit, whole
// frames.
#pragma once
#include <catch2/catch.hpp>

#include <algorithm>
#include <bit>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "core/recorder.hpp"

template <>
struct Catch::StringMaker<spinet::Spike> {
  static std::string convert(const spinet::Spike& s) {
    std::string text = "(";  // not "(" + ..., of which g++ 12 warns wrongly
    return text += std::to_string(s.tick) + ", gid " + std::to_string(s.gid) + ")";
  }
};

namespace spinet::test {

class MemoryRecorder : public Recorder {
 public:
  void spikes(std::span<const Spike> some) override {
    for (const auto& s : some) {
      if (!spikes_.empty()) {
        const auto& last = spikes_.back();
        in_order_ = in_order_ && std::tie(last.tick, last.gid) <= std::tie(s.tick, s.gid);
      }
      after_commit_ = after_commit_ && s.tick >= committed_;
      spikes_.push_back(s);
    }
  }
  void frames(std::uint32_t r, std::span<const float> values) override {
    reports_[r].insert(reports_[r].end(), values.begin(), values.end());
  }
  void weights(std::uint32_t w, std::span<const float> values) override {
    weights_[w].insert(weights_[w].end(), values.begin(), values.end());
  }
  void edges(std::uint32_t p, std::span<const Edge> some) override {
    edges_[p].insert(edges_[p].end(), some.begin(), some.end());
  }
  void commit(Tick reached) override {
    after_commit_ = after_commit_ && reached >= committed_;
    committed_ = reached;
  }

  /// All spikes so far, after checking that they came as promised.
  const std::vector<Spike>& spikes() const {
    CHECK(in_order_);
    CHECK(after_commit_);
    return spikes_;
  }
  std::vector<Tick> ticks_of(Gid gid) const {
    std::vector<Tick> ticks;
    for (const auto& s : spikes())
      if (s.gid == gid) ticks.push_back(s.tick);
    return ticks;
  }
  const std::vector<float>& report(std::uint32_t r) { return reports_[r]; }
  const std::vector<float>& weights_of(std::uint32_t w) { return weights_[w]; }
  const std::vector<Edge>& edges_of(std::uint32_t p) { return edges_[p]; }
  Tick committed() const { return committed_; }
  /// Reports and weight frames of both have the same bits.
  bool same_samples(const MemoryRecorder& o) const {
    const auto bits = [](const auto& series) {
      std::map<std::uint32_t, std::vector<std::uint32_t>> all;
      for (const auto& [r, values] : series)
        for (const float x : values) all[r].push_back(std::bit_cast<std::uint32_t>(x));
      return all;
    };
    return bits(reports_) == bits(o.reports_) && bits(weights_) == bits(o.weights_);
  }

 private:
  std::vector<Spike> spikes_;
  std::map<std::uint32_t, std::vector<float>> reports_, weights_;
  std::map<std::uint32_t, std::vector<Edge>> edges_;
  Tick committed_ = 0;
  bool in_order_ = true, after_commit_ = true;
};

}  // namespace spinet::test
