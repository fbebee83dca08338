// Spike times that a network lists: in its text, in a CSV or in a SONATA file.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <new>

#include "network/parts.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

constexpr Key spike_file_keys[] = {
    {"file", true, "text", "a CSV file (neuron, time) or a SONATA file (.h5)"},
    {"population", false, "text", "population within a SONATA file; the network's name of it if not given"},
};

class ListedSpikes {
 public:
  ListedSpikes(Reader& r, Population& p) : r_(r), p_(p) {}
  void read(const Node& given) {
    const Node& n = r_.resolved(given);
    if (n.is_scalar()) {
      from_file(n, nullptr);
    } else if (n.is_map() && n.find("file")) {
      if (r_.map(n, spike_file_keys, "'spikes'", n.mark)) from_file(*n.find("file"), n.find("population"));
    } else if (n.is_map()) {  // by neuron
      for (std::size_t i = 0; i < n.keys.size(); ++i) {
        std::uint32_t id = 0;
        const auto& k = n.keys[i].name;
        const auto [end, error] = std::from_chars(k.data(), k.data() + k.size(), id);
        if (error != std::errc{} || end != k.data() + k.size()) {
          r_.errors.error(n.keys[i].mark, fmt::format("{} is no neuron", in_quotes(k)),
                          "keys of 'spikes' are neurons, counted from 0, or 'file'");
        } else if (id >= p_.size) {
          r_.errors.error(n.keys[i].mark,
                          fmt::format("there is no neuron {} in a population of {}", id, p_.size));
        } else {
          times(n.items[i], id);
        }
      }
    } else if (n.is_list() && p_.size == 1 &&
               std::none_of(n.items.begin(), n.items.end(), [](const Node& i) { return i.is_list(); })) {
      times(n, 0);
    } else if (n.is_list()) {
      if (n.items.size() != p_.size)
        r_.errors.error(n.mark, fmt::format("'spikes' has {} lists for {} neurons", n.items.size(), p_.size),
                        "one list of times per neuron, or a map {neuron: [times]}");
      else
        for (std::uint32_t i = 0; i < p_.size; ++i) times(n.items[i], i);
    } else {
      r_.errors.error(n.mark, "'spikes' must be a list of times per neuron, or a file, not " + kind_name(n));
    }
    std::sort(p_.listed.begin(), p_.listed.end(), [](const ListedSpike& a, const ListedSpike& b) {
      return a.tick != b.tick ? a.tick < b.tick : a.index < b.index;
    });
  }

 private:
  void times(const Node& given, std::uint32_t id) {
    const Node& n = r_.resolved(given);
    if (!n.is_list()) {
      r_.errors.error(n.mark, "expected a list of times, not " + kind_name(n), "for example [1 ms, 2.5 ms]");
      return;
    }
    if (!r_.take(n.items.size(), n.mark)) return;
    for (const auto& i : n.items)
      if (const auto t = r_.time(i, "spike time")) p_.listed.push_back({*t, id});
  }
  /// Empty, or why the spike cannot be.
  RowFault add(double id, double ms) {
    if (!(id >= 0 && id < p_.size && id == std::floor(id)))
      return {fmt::format("there is no neuron {} in a population of {}", id, p_.size), 0};
    const double t = std::round(r_.ticks({ms, -3, {}}));
    if (!(t >= 0)) return {fmt::format("a spike time must not be negative; it is {} ms", ms), 1};
    if (t > 0x1p60) return {fmt::format("{} ms is too late", ms), 1};
    p_.listed.push_back({static_cast<Tick>(t), static_cast<std::uint32_t>(id)});
    return {};
  }
  void from_file(const Node& file, const Node* population) {
    const auto path = r_.data_file(file);
    if (!path) return;
    const auto extension = path->extension();
    if (extension != ".h5" && extension != ".hdf5" && extension != ".sonata") {
      const Column columns[] = {{"neuron", "1", true}, {"time", "ms", true}};
      read_csv(
          r_, {*path, file.mark}, columns, [](const std::vector<bool>&) { return std::string{}; },
          [&](std::span<const double> v) { return add(v[0], v[1]); });
      return;
    }
    if (!r_.options.read_sonata) {
      r_.errors.error(file.mark, "SONATA files cannot be read here",
                      "this program was built without HDF5; use a CSV file");
      return;
    }
    const auto name = population ? r_.text(*population, "population") : std::optional(p_.name);
    if (!name) return;
    try {
      for (const auto& s : r_.options.read_sonata(*path, *name))
        if (const auto fault = add(static_cast<double>(s.id), s.ms); !fault.empty()) {
          r_.errors.error(file.mark, fmt::format("{}: {}", in_quotes(path->string()), fault.reason));
          return;
        }
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& e) {
      r_.errors.error(file.mark,
                      fmt::format("{}: {}", in_quotes(path->string()), without_name(*path, e.what())));
    }
  }

  Reader& r_;
  Population& p_;
};

}  // namespace

void read_spikes(Reader& r, Population& p, const Node& given) { ListedSpikes(r, p).read(given); }

}  // namespace spinet::reading
