#include "sweep/curve.hpp"

namespace spinet::tool {

void Curve::add(double px, double py) {
  last_x_ = px;
  last_y_ = py;
  if (count_++ % stride_ != 0) return;
  if (x.size() + 1 == most) {  // one place is left for the last point
    std::size_t kept = 0;
    for (std::size_t i = 0; i < x.size(); i += 2, ++kept) x[kept] = x[i], y[kept] = y[i];
    x.resize(kept);
    y.resize(kept);
    stride_ *= 2;
    if ((count_ - 1) % stride_ != 0) return;
  }
  x.push_back(static_cast<float>(px));
  y.push_back(static_cast<float>(py));
}

void Curve::finish() {
  if (count_ == 0 || (count_ - 1) % stride_ == 0) return;
  x.push_back(static_cast<float>(last_x_));
  y.push_back(static_cast<float>(last_y_));
}

}  // namespace spinet::tool
