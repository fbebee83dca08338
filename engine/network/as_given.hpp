// Parameters of one device, as its model's check looks at them.
#pragma once
#include <algorithm>
#include <cmath>

#include "spinet/field.hpp"

namespace spinet {

/// What a model works out for a projection and is not given goes by the middle of what is drawn: in the
/// parameters of one device it becomes some value of its range, so that the check looks at the rest.
inline double as_given(const Field& f, double value) {
  if (!(f.flags & derived) || !is_auto(value)) return value;
  const double low = std::isfinite(f.low) ? f.low : std::min(0.0, f.high - 1);
  return f.flags & low_open ? std::min(low + 1, low / 2 + f.high / 2) : low;
}
inline void as_given(const Fields& fields, void* params) {
  for (std::uint32_t i = 0; i < fields.count; ++i)
    put(params, fields.data[i], as_given(fields.data[i], get(params, fields.data[i])));
}

}  // namespace spinet
