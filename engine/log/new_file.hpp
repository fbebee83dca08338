// Files that stand under their name only when they are whole.
#pragma once
#include <filesystem>
#include <functional>
#include <string_view>

#include "log/h5.hpp"

namespace spinet::logging {

/// Has `fill` write a new HDF5 file under a temporary name; closed, on the disk and checked, it replaces what
/// stands at `path`.  Readers need HDF5 1.8.  When anything fails, what stood at `path` is as it was and
/// nothing is left beside it. Throws std::runtime_error with path and reason where the file cannot be
/// written, and what `fill` throws.
void write_hdf5(const std::filesystem::path& path, const std::function<void(hid_t file)>& fill);

/// The same for a file with these bytes.
void write_whole(const std::filesystem::path& path, std::string_view bytes);

}  // namespace spinet::logging
