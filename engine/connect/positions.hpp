// Where neurons are.  Positions are functions of the network alone: a member's is made when it is asked for.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "connect/ends.hpp"

namespace spinet {

using Point = std::array<double, 3>;  ///< um; 0 along axes that there are not

/// The position of a member of population `p`, which has positions.
Point position_of(const Network& network, std::uint32_t p, std::uint32_t member);

/// The smallest box that holds all members; of periodic positions their box.
struct Box {
  Point low, high;
};
Box box_of(const Network& network, std::uint32_t p);

/// The space that both ends of a projection lie in.
class Space {
 public:
  /// Why there is none, as "'exc' has no positions"; empty: there is one.
  static std::string fault(const Ends& ends);

  /// For ends without a fault.
  explicit Space(const Ends& ends);
  std::uint32_t dimensions() const { return dimensions_; }
  bool periodic() const { return periodic_; }
  /// Sides of the box that is repeated.
  const Point& period() const { return period_; }
  /// The corner of it.
  const Point& origin() const { return origin_; }
  /// Square of the distance, to the nearest image if the box is repeated.
  double square(const Point& a, const Point& b) const {
    double sum = 0;
    for (std::uint32_t k = 0; k < dimensions_; ++k) {
      double d = a[k] - b[k];
      if (periodic_) d = d > half_[k] ? d - period_[k] : d < -half_[k] ? d + period_[k] : d;
      sum += d * d;
    }
    return sum;
  }
  double distance(const Point& a, const Point& b) const;
  /// No two ends are further apart.
  double longest(const Ends& ends) const;

 private:
  std::uint32_t dimensions_ = 0;
  bool periodic_ = false;
  Point origin_{}, period_{}, half_{};
};

/// Positions of the members of ranges, one after the other.
std::vector<Point> positions_of(const Network& network, const std::vector<GidRange>& ranges);
Point position_of(const Network& network, Gid gid);

}  // namespace spinet
