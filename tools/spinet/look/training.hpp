// What `spinet train` leaves, as a page and as pictures.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "log/output_lock.hpp"
#include "look/pictures.hpp"

namespace spinet::look {

/// The report of a model's training as one HTML file.  Throws LogError.
std::string training_page(const std::filesystem::path& model);

/// The data of that page as JSON.  Throws LogError.
std::string training_data(const std::filesystem::path& model);

/// Curves, confusion, filters and the worst images as SVG files.  Throws LogError.
std::vector<Picture> training_pictures(const std::filesystem::path& model);

/// Writes the page; an older report is replaced, any other file only if `replace` says so.  Throws
/// UserError, LogError.
void write_training_page(const std::filesystem::path& model, const std::filesystem::path& page,
                         Replace replace);

}  // namespace spinet::look
