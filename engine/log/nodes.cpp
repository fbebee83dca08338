// Where neurons are, /nodes of the log.  FORMAT.md says what it holds.
#include <algorithm>
#include <array>

#include "connect/positions.hpp"
#include "log/writer_parts.hpp"

namespace spinet {

void RunLog::Impl::add_nodes(std::uint32_t p) {
  const Population& population = network.populations[p];
  const std::uint32_t dimensions = population.positions.dimensions;
  if (population.positions.kind == Positions::Kind::none) return;
  const auto all =
      h5::exists(file, "nodes") ? h5::open_group(file, "nodes") : h5::create_group(file, "nodes");
  const auto group = h5::create_group(all, link_name(population.name));
  const auto values = h5::create_group(group, "0");
  const hsize_t at_once = std::min<hsize_t>(options.chunk, population.size);
  const auto column = [&](hid_t in, const char* name, hid_t type) {
    return h5::create_growing(in, name, type, {}, chunks({at_once}));
  };
  const std::array<h5::Id, 4> numbers{column(group, "node_id", H5T_NATIVE_UINT64),
                                      column(group, "node_type_id", H5T_NATIVE_INT64),
                                      column(group, "node_group_id", H5T_NATIVE_UINT64),
                                      column(group, "node_group_index", H5T_NATIVE_UINT64)};
  std::vector<h5::Id> axes;
  for (std::uint32_t k = 0; k < dimensions; ++k) {
    axes.push_back(column(values, std::array{"x", "y", "z"}[k], H5T_NATIVE_DOUBLE));
    h5::write_vlen_attribute(axes.back(), "units", "um");
  }
  std::vector<std::uint64_t> ids, zeros;
  std::array<std::vector<double>, 3> points;
  for (std::uint32_t first = 0; first < population.size; first += static_cast<std::uint32_t>(ids.size())) {
    ids.clear();
    for (auto& axis : points) axis.clear();
    for (std::uint32_t i = first; i < population.size && ids.size() < at_once; ++i) {
      ids.push_back(i);
      const Point at = position_of(network, p, i);
      for (std::uint32_t k = 0; k < dimensions; ++k) points[k].push_back(at[k]);
    }
    zeros.assign(ids.size(), 0);
    h5::append_rows(numbers[0], first, ids.size(), H5T_NATIVE_UINT64, ids.data());
    h5::append_rows(numbers[1], first, ids.size(), H5T_NATIVE_UINT64, zeros.data());
    h5::append_rows(numbers[2], first, ids.size(), H5T_NATIVE_UINT64, zeros.data());
    h5::append_rows(numbers[3], first, ids.size(), H5T_NATIVE_UINT64, ids.data());
    for (std::uint32_t k = 0; k < dimensions; ++k)
      h5::append_rows(axes[k], first, ids.size(), H5T_NATIVE_DOUBLE, points[k].data());
  }
}

}  // namespace spinet
