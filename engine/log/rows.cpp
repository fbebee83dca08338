// Rows come to the tables.
#include <fmt/format.h>
#include <algorithm>
#include <cstring>
#include "log/writer_parts.hpp"

namespace spinet {

std::uint32_t RunLog::Impl::population_of(Gid gid) {
  const auto& all = network.populations;
  const auto in = [&](std::uint32_t p) { return gid >= all[p].first && gid - all[p].first < all[p].size; };
  if (in(last_population)) return last_population;
  const auto it =
      std::upper_bound(all.begin(), all.end(), gid, [](Gid g, const Population& p) { return g < p.first; });
  if (it != all.begin()) {
    // Empty populations share their first gid with the next one; the last such is the one that has it.
    const auto p = static_cast<std::uint32_t>(it - all.begin() - 1);
    if (in(p)) return last_population = p;
  }
  throw std::logic_error(fmt::format("gid {} belongs to no population", gid));
}

void RunLog::Impl::took(Stream& s, std::uint64_t rows) {
  const auto before = s.written_bytes();
  s.took(rows);
  dirty = dirty || s.dirty();
  uncommitted += s.written_bytes() - before;
}

void RunLog::Impl::add_spikes(std::span<const Spike> sorted) {
  while (!sorted.empty()) {
    const auto p = population_of(sorted[0].gid);
    if (p >= spikes_of.size() || spikes_of[p] == none)
      throw std::logic_error("spikes of population " + network.populations[p].name +
                             ", which is not recorded");
    auto& s = streams[spikes_of[p]];
    const Gid first = network.populations[p].first;
    const std::uint32_t size = network.populations[p].size;
    std::uint64_t n = 0;
    while (n < sorted.size() && sorted[n].gid - first < size) ++n;
    const std::uint64_t room = s.room(n);
    double* time = s.column<double>(0);
    std::uint64_t* id = s.column<std::uint64_t>(1);
    Tick* tick = exact_ticks ? s.column<Tick>(2) : nullptr;
    for (n = 0; n < room; ++n) {
      time[n] = ms(sorted[n].tick);
      id[n] = sorted[n].gid - first;
      if (tick) tick[n] = sorted[n].tick;
    }
    took(s, n);
    sorted = sorted.subspan(n);
  }
}

void RunLog::Impl::add_frames(std::size_t r, std::size_t width, std::span<const float> values) {
  auto& s = streams[reports.at(r).stream];
  if (values.size() % width) throw std::logic_error("a part of a frame");
  while (!values.empty()) {
    const auto rows = s.room(values.size() / width);  // before the pointer: the buffer may grow
    std::memcpy(s.column<float>(0), values.data(), rows * width * sizeof(float));
    took(s, rows);
    values = values.subspan(rows * width);
  }
}

void RunLog::Impl::add_edges(std::uint32_t p, std::span<const Edge> some, std::span<const double> values) {
  for (std::uint32_t w = 0; w < weights.size(); ++w)
    if (network.weights[w].projection == p && weights[w].mapping != none)
      add_mapping(streams[weights[w].mapping], some);
  if (p >= edges_of.size() || edges_of[p].empty()) {
    if (network.records_edges(p)) return;
    throw std::logic_error("edges of projection " + network.projections.at(p).name +
                           ", which are not recorded");
  }
  const std::size_t width = edge_variables(*network.projections[p].synapse).size();
  if (values.size() != width * some.size())
    throw std::logic_error("edges without the values of their variables");
  while (!some.empty()) {
    const auto source = population_of(some[0].source), target = population_of(some[0].target);
    const auto index = edges_of[p].find({source, target});
    if (index == edges_of[p].end()) throw std::logic_error("an edge outside its projection");
    auto& s = streams[index->second];
    const auto& from = network.populations[source];
    const auto& to = network.populations[target];
    std::uint64_t run = 0;
    while (run < some.size() && some[run].source - from.first < from.size &&
           some[run].target - to.first < to.size)
      ++run;
    const auto room = s.room(run);
    const auto first_row = s.rows();
    std::uint64_t k = 0;
    for (; k < room; ++k) {
      s.column<std::uint64_t>(0)[k] = some[k].source - from.first;
      s.column<std::uint64_t>(1)[k] = some[k].target - to.first;
      s.column<std::int64_t>(2)[k] = p;
      s.column<std::uint64_t>(3)[k] = 0;
      s.column<std::uint64_t>(4)[k] = first_row + k;
      s.column<double>(5)[k] = some[k].weight;
      s.column<double>(6)[k] = ms(some[k].delay);
      for (std::size_t v = 0; v < width; ++v) s.column<double>(7 + v)[k] = values[k * width + v];
    }
    took(s, k);
    some = some.subspan(k);
    values = values.subspan(k * width);
  }
}

void RunLog::Impl::add_events(Stream& s, std::span<const WeightEvent> some) {
  while (!some.empty()) {
    const auto n = s.room(some.size());
    for (std::uint64_t k = 0; k < n; ++k) {
      s.column<double>(0)[k] = ms(some[k].tick);
      s.column<std::uint64_t>(1)[k] = some[k].edge;
      s.column<double>(2)[k] = some[k].value;
    }
    took(s, n);
    some = some.subspan(n);
  }
}

}  // namespace spinet
