// A log that continues another takes over its rows up to a tick.
#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include "log/open_log.hpp"
#include "log/writer_parts.hpp"

namespace spinet {

void refuse_another(hid_t log, const std::filesystem::path& name, const Network& network) {
  const auto run = h5::open_group(log, "spinet");
  if (h5::read_text(run, "network") == network.source_text &&
      h5::read_attribute<std::uint32_t>(run, "seed") == network.seed &&
      h5::read_texts(run, "overrides") == network.overrides)
    return;
  throw LogError(name,
                 "is the log of another run; a checkpoint goes on with the log that it was written beside: "
                 "put that one back under this name");
}

void refuse_another_run(const std::filesystem::path& log, const Network& network) {
  readable(log, [&] { refuse_another(open_whole(log)->file, log, network); });
}

RunLog::Impl::OldColumns RunLog::Impl::open_old(hid_t old, const Stream& s) const {
  OldColumns c;
  for (const auto& n : s.names()) {
    c.sets.push_back(h5::open_dataset(old, n.dataset));
    const h5::Id stored(h5::check(H5Dget_type(c.sets.back()), n.dataset));
    h5::check_number(stored, n.dataset);
    c.types.emplace_back(h5::check(H5Tget_native_type(stored, H5T_DIR_ASCEND), n.dataset));
    const auto shape = h5::shape_of(c.sets.back());
    c.rows = shape[0];
    if (H5Tget_size(c.types.back()) * (shape.size() > 1 ? shape[1] : 1) != n.row_bytes)
      throw h5::Error(n.dataset + " has another shape");
  }
  return c;
}

void RunLog::Impl::read_old(const OldColumns& c, Stream& s, std::uint64_t row, std::uint64_t n) {
  const auto names = s.names();
  for (std::size_t k = 0; k < c.sets.size(); ++k) {
    const auto shape = h5::shape_of(c.sets[k]);
    const auto width = shape.size() > 1 ? shape[1] : 1;
    const hsize_t start[2] = {row, 0}, count[2] = {n, width};
    const h5::Id from(h5::check(H5Dget_space(c.sets[k]), names[k].dataset));
    const h5::Id memory(
        h5::check(H5Screate_simple(shape.size() > 1 ? 2 : 1, count, nullptr), names[k].dataset));
    h5::check(H5Sselect_hyperslab(from, H5S_SELECT_SET, start, nullptr, count, nullptr), names[k].dataset);
    h5::check(H5Dread(c.sets[k], c.types[k], memory, from, H5P_DEFAULT, s.column<std::byte>(k)),
              "reading " + names[k].dataset);
  }
}

h5::Id RunLog::Impl::open_old_log(const Continuation& c) const {
  h5::Id old(h5::check(H5Fopen(c.log.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), "opening " + c.log.string()));
  refuse_another(old, c.log, network);
  const auto old_run = h5::open_group(old, "spinet");
  // Without its journal (`recover` has not been there) a log holds less than it says.
  const bool whole = h5::read_text_attribute(old_run, "status") != layout::status::running;
  if (const auto held = h5::read_attribute<Tick>(old_run, whole ? "reached_ticks" : "whole_ticks");
      held < c.at)
    throw h5::Error(
        fmt::format("holds the run up to {} ms only, the checkpoint is of {} ms", ms(held), ms(c.at)));
  return old;
}

void RunLog::Impl::take_over(const Continuation& c) {
  const h5::Id old = of_old(c, [&] { return open_old_log(c); });
  for (std::size_t i = 0; i < streams.size(); ++i) {
    auto& s = streams[i];
    const auto columns = of_old(c, [&] { return open_old(old, s); });
    std::uint64_t rows = columns.rows;
    const bool timed =
        std::count(metrics_of.begin(), metrics_of.end(), i) > 0 ||
        std::any_of(events.begin(), events.end(), [&](const Events& e) { return e.stream == i; });
    const bool spikes = timed || std::count(spikes_of.begin(), spikes_of.end(), i) > 0;
    for (const auto& r : reports)
      if (r.stream == i)
        rows = std::min<std::uint64_t>(
            rows, c.at <= r.from ? 0 : static_cast<std::uint64_t>((c.at - r.from + r.every - 1) / r.every));
    for (std::uint64_t row = 0; row < rows;) {
      std::uint64_t n = s.room(rows - row);
      of_old(c, [&] { read_old(columns, s, row, n); });
      if (spikes) {  // sorted by time
        std::uint64_t before = 0;
        const auto tick = [&](std::uint64_t k) {
          return exact_ticks && !timed ? s.column<Tick>(2)[k]
                                       : std::llround(s.column<double>(0)[k] * ticks_per_ms);
        };
        while (before < n && tick(before) < c.at) ++before;
        if (before < n) rows = row + before;
        n = before;
      }
      if (n) took(s, n);
      row += n;
    }
  }
  for (const auto i : edge_streams) streams[i].write_rest();
  edges_open = false;
  reached = c.at;
  h5::replace_attribute(provenance, "reached_ticks", reached);
}

}  // namespace spinet
