// Number types of NIR's fields in HDF5.
#pragma once
#include "nir/graph.hpp"

namespace spinet::nir {

/// Of a type that h5::check_number lets through.
Number stored_as(hid_t type);
/// In a file, little-endian.
hid_t file_type(Number n);

}  // namespace spinet::nir
