// A learning curve of bounded length, thinned while it is recorded.
#pragma once
#include <cstdint>
#include <vector>

namespace spinet::tool {

class Curve {
 public:
  static constexpr std::size_t most = 500;
  /// Keeps every 2^k-th point, with the least k that fits, and always the last one.
  void add(double x, double y);
  void finish();
  void clear() { *this = {}; }
  std::vector<float> x, y;

 private:
  std::uint64_t count_ = 0, stride_ = 1;
  double last_x_ = 0, last_y_ = 0;
};

}  // namespace spinet::tool
