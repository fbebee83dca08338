// Eight numbers as an array: for any processor, and for doubles.
#pragma once
#include <cmath>
#include <cstdint>

#include "layers/kernels/exponential.hpp"
#include "layers/kernels/kernels.hpp"

namespace spinet::layers {

template <class T>
struct PlainLanes {
  using Scalar = T;
  static constexpr std::uint32_t lanes = 8, outs_at_once = 3, taps_of_outs = 2;
  static constexpr const char* name = "plain";
  struct Flags {
    bool on[8];
  };
  T v[8];

  template <class F>
  static PlainLanes each(F f) {
    PlainLanes r;
    for (int i = 0; i < 8; ++i) r.v[i] = f(i);
    return r;
  }
  template <class F>
  static Flags flags(F f) {
    Flags r;
    for (int i = 0; i < 8; ++i) r.on[i] = f(i);
    return r;
  }
  static PlainLanes load(const T* from) {
    return each([&](int i) { return from[i]; });
  }
  static PlainLanes of(T x) {
    return each([&](int) { return x; });
  }
  void store(T* to) const {
    for (int i = 0; i < 8; ++i) to[i] = v[i];
  }
  friend PlainLanes operator+(const PlainLanes& a, const PlainLanes& b) {
    return each([&](int i) { return a.v[i] + b.v[i]; });
  }
  friend PlainLanes operator-(const PlainLanes& a, const PlainLanes& b) {
    return each([&](int i) { return a.v[i] - b.v[i]; });
  }
  friend PlainLanes operator*(const PlainLanes& a, const PlainLanes& b) {
    return each([&](int i) { return a.v[i] * b.v[i]; });
  }
  friend PlainLanes operator/(const PlainLanes& a, const PlainLanes& b) {
    return each([&](int i) { return a.v[i] / b.v[i]; });
  }
  static PlainLanes fma(const PlainLanes& a, const PlainLanes& b, const PlainLanes& c) {
    return each([&](int i) { return std::fma(a.v[i], b.v[i], c.v[i]); });
  }
  static T fma(T a, T b, T c) { return std::fma(a, b, c); }
  static PlainLanes sqrt(const PlainLanes& a) {
    return each([&](int i) { return std::sqrt(a.v[i]); });
  }
  static T sqrt(T a) { return std::sqrt(a); }
  /// a where it is greater, else b: b, too, where one of them is no number.
  static PlainLanes max(const PlainLanes& a, const PlainLanes& b) {
    return each([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
  }
  static PlainLanes min(const PlainLanes& a, const PlainLanes& b) {
    return each([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
  }
  static Flags greater(const PlainLanes& a, const PlainLanes& b) {
    return flags([&](int i) { return a.v[i] > b.v[i]; });
  }
  static Flags at_least(const PlainLanes& a, const PlainLanes& b) {
    return flags([&](int i) { return a.v[i] >= b.v[i]; });
  }
  static PlainLanes select(const Flags& f, const PlainLanes& a, const PlainLanes& b) {
    return each([&](int i) { return f.on[i] ? a.v[i] : b.v[i]; });
  }
  /// p 2^n for whole n from -126 to 127; else anything
  static PlainLanes scaled(const PlainLanes& p, const PlainLanes& n) {
    return each(
        [&](int i) { return n.v[i] > -127 && n.v[i] < 128 ? std::ldexp(p.v[i], int(n.v[i])) : p.v[i]; });
  }
  static PlainLanes exp2(const PlainLanes& x) {
    if constexpr (sizeof(T) == sizeof(float)) return power_of_two(x);
    else return each([&](int i) { return std::exp2(x.v[i]); });
  }
  /// The sum of each half of the lanes.
  void halves(T* to) const { to[0] = ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7])); }
};

}  // namespace spinet::layers
