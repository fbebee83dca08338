// What may be expected of a projection's delays, before any is drawn.
#pragma once
#include <cstdint>
#include <vector>

#include "network/checked.hpp"

namespace spinet {

class Delays {
 public:
  Delays(const Network& n, const Projection& p);
  /// Steps of delay from the shortest to the longest that may be drawn, both included; and the longest.
  double steps() const { return most_ - least_ + 1; }
  double most() const { return most_; }
  /// Share of the synapses in each step; what lies far out is spread so thin that synapses are alone in their
  /// steps.
  std::vector<double> shares() const;
  /// Arrivals on their way at once, at most: those within `reach` ticks and those beyond, of synapses that
  /// all have an event in each tick from 0 to `end`; what would arrive after the end is not on its way.  Per
  /// synapse.
  struct Flight {
    double near, far;
  };
  Flight flight(double reach, double end) const;

 private:
  double below(double ticks) const;
  double raw_below(double ticks) const;
  double quantile(double share) const;
  /// Of P(delay > t), from `a` to `b`.
  double integral(double a, double b) const;
  Distribution d_;
  double step_, least_ = 1, most_ = 1, first_ = 0, last_ = 1, tail_ = 1;
  bool constant_ = false;
};

}  // namespace spinet
