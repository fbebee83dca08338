// Field tables: what a model's parameters and variables are called, their units, ranges and meaning.
// One table drives YAML keys, defaults, unit checks, error messages, `spinet models` and HDF5 columns.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace spinet {

enum class Type : std::uint32_t { f64, f32 };

/// Properties of a field; combined with |.
enum Flag : std::uint32_t {
  plain = 0,
  low_open = 1,      ///< `low` itself is not allowed
  high_open = 2,     ///< `high` itself is not allowed
  shared = 4,        ///< neurons that differ in it belong to different kernel groups (time constants)
  scheduled = 8,     ///< the network's schedule may change it during a run
  initial = 16,      ///< a variable whose value at t = 0 the network may give
  recorded = 32,     ///< a variable that reports may sample
  port_unit = 64,    ///< a synaptic variable whose unit is that of the port it targets (a weight)
  integer = 128,     ///< whole numbers only
};

/// One parameter or variable, in C layout (crosses the plugin boundary).
struct Field {
  const char* name;
  const char* unit;  ///< unit of the stored number, "1" if it has none
  const char* doc;   ///< one line
  double preset;     ///< value where the network gives none
  double low, high;  ///< allowed range
  std::uint32_t flags;
  Type type;
  std::uint32_t offset;  ///< bytes from the start of the model's struct
  std::uint32_t reserved;
};

/// Writes `x` where field `f` lies in `object`, in the field's type.
inline void put(void* object, const Field& f, double x) noexcept {
  auto* at = static_cast<char*>(object) + f.offset;
  if (f.type == Type::f32) {
    const auto narrow = static_cast<float>(x);
    std::memcpy(at, &narrow, sizeof narrow);
  } else {
    std::memcpy(at, &x, sizeof x);
  }
}
inline double get(const void* object, const Field& f) noexcept {
  const auto* at = static_cast<const char*>(object) + f.offset;
  if (f.type == Type::f32) {
    float narrow;
    std::memcpy(&narrow, at, sizeof narrow);
    return static_cast<double>(narrow);
  }
  double x;
  std::memcpy(&x, at, sizeof x);
  return x;
}

struct Fields {
  const Field* data;
  std::uint32_t count;
  std::uint32_t stride;  ///< sizeof(Field) of the plugin, so that the struct can grow
};

/// An allowed range with its open ends.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  std::uint32_t flags = 0;
};
constexpr Range any() { return {}; }
constexpr Range above(double x) { return {x, std::numeric_limits<double>::infinity(), low_open}; }
constexpr Range at_least(double x) { return {x, std::numeric_limits<double>::infinity(), 0}; }
constexpr Range between(double a, double b) { return {a, b, 0}; }

/// Table of the fields of `Struct`, built with one call of `add` per field in the order to be shown:
///   FieldTable<Params> t; t.add(&Params::tau_m, "tau_m", "ms", 20, above(0), shared, "membrane time constant");
template <class Struct>
class FieldTable {
 public:
  FieldTable& add(double Struct::*member, const char* name, const char* unit, double preset, Range range,
                  std::uint32_t flags, const char* doc) {
    return put(offset(member), Type::f64, name, unit, preset, range, flags, doc);
  }
  FieldTable& add(float Struct::*member, const char* name, const char* unit, double preset, Range range,
                  std::uint32_t flags, const char* doc) {
    return put(offset(member), Type::f32, name, unit, preset, range, flags, doc);
  }
  /// A variable that is computed when read and has no storage of its own (the membrane potential in a frame).
  FieldTable& computed(const char* name, const char* unit, double preset, Range range, std::uint32_t flags,
                       const char* doc) {
    return put(0, Type::f64, name, unit, preset, range, flags, doc);
  }
  Fields view() const { return {fields_.data(), static_cast<std::uint32_t>(fields_.size()), sizeof(Field)}; }

 private:
  template <class M>
  static std::uint32_t offset(M Struct::*member) {
    static const Struct probe{};
    return static_cast<std::uint32_t>(reinterpret_cast<const char*>(&(probe.*member)) -
                                      reinterpret_cast<const char*>(&probe));
  }
  FieldTable& put(std::uint32_t at, Type type, const char* name, const char* unit, double preset, Range r,
                  std::uint32_t flags, const char* doc) {
    fields_.push_back({name, unit, doc, preset, r.low, r.high, flags | r.flags, type, at, 0});
    return *this;
  }
  std::vector<Field> fields_;
};

}  // namespace spinet
