#include "sweep/results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "exits.hpp"
#include "log/file.hpp"
#include "log/h5.hpp"
#include "log/new_file.hpp"
#include "network/printable.hpp"

namespace spinet::tool {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
const std::string format = "spinet sweep 1";

/// Compressed, since curves and columns of a large sweep compress well.
template <class T>
void put(hid_t at, const std::string& name, const std::vector<T>& values) {
  const hsize_t chunk = std::min<hsize_t>(std::max<hsize_t>(values.size(), 1), 1 << 16);
  const auto d = h5::create_growing(at, name, h5::type_of<T>(), {}, {{chunk}, true});
  if (!values.empty()) h5::append_rows(d, 0, values.size(), h5::type_of<T>(), values.data());
}

std::string joined_lines(const std::vector<std::string>& all) {
  std::string s;
  for (const auto& a : all) s += (s.empty() ? "" : "\n") + a;
  return s;
}
std::vector<std::string> lines(const std::string& s) {
  std::vector<std::string> all;
  for (std::size_t begin = 0; begin < s.size();) {
    const auto end = std::min(s.find('\n', begin), s.size());
    all.push_back(s.substr(begin, end - begin));
    begin = end + 1;
  }
  return all;
}

double value_of(const std::vector<std::pair<std::string, double>>& pairs, const std::string& name) {
  for (const auto& [n, x] : pairs)
    if (n == name) return x;
  return nan;
}

void write_head(hid_t file, const Sweep& s, const Plan& plan) {
  h5::write_text_attribute(file, "format", format);
  const auto g = h5::create_group(file, "sweep");
  h5::write_text_attribute(g, "spinet_version", s.version);
  h5::write_text_attribute(g, "network_name", s.network_name);
  h5::write_text_attribute(g, "until", s.until);
  h5::write_attribute<std::uint64_t>(g, "trials", s.trials);
  h5::write_attribute<std::uint32_t>(g, "seed", s.seed);
  h5::write_attribute<std::uint64_t>(g, "runs", plan.runs());
  h5::write_attribute<std::uint64_t>(g, "done", s.rows.size());
  h5::write_attribute<std::uint8_t>(g, "finished", s.rows.size() == plan.runs());
  h5::write_text(g, "network", s.network_text);
  h5::write_text(g, "set", joined_lines(s.set));
  h5::write_text(g, "vary", joined_lines(s.vary));
  h5::write_text(g, "files", joined_lines(s.files));
  h5::write_text(g, "metrics", joined_lines(s.metrics));
  h5::write_text(g, "populations", joined_lines(s.populations));
}

/// `of(number, row)` of every run.
template <class T, class Of>
std::vector<T> column(const Sweep& s, Of&& of) {
  std::vector<T> all;
  for (const auto& [i, r] : s.rows) all.push_back(static_cast<T>(of(i, r)));
  return all;
}

/// A column's name as a name in the file, where '/' would make groups.
std::string link_of(std::string name) {
  std::replace(name.begin(), name.end(), '/', '|');
  return name;
}

/// What each run was made with.
void write_axes(hid_t g, const Sweep& s, const Plan& plan) {
  for (std::size_t a = 0; a < plan.axes.size(); ++a) {
    const SweepAxis& axis = plan.axes[a];
    std::vector<double> numbers;
    std::vector<std::string> texts;
    for (const auto& [i, r] : s.rows) {
      const auto v = plan.values_of(i / s.trials)[a];
      if (axis.numbers) numbers.push_back(axis.number(v));
      else texts.push_back(axis.values[v]);
    }
    if (axis.numbers) put(g, link_of(axis.name()), numbers);
    else h5::write_texts(g, link_of(axis.name()), texts);
    if (!axis.unit.empty())
      h5::write_text_attribute(h5::open_dataset(g, link_of(axis.name())), "unit", axis.unit);
  }
}

void write_runs(hid_t file, const Sweep& s, const Plan& plan) {
  const auto g = h5::create_group(file, "runs");
  put(g, "run", column<std::uint64_t>(s, [](auto i, auto&) { return i; }));
  put(g, "trial", column<std::uint32_t>(s, [&](auto i, auto&) { return i % s.trials; }));
  put(g, "seed", column<std::uint32_t>(s, [&](auto i, auto&) { return seed_of(s.seed, i % s.trials); }));
  write_axes(g, s, plan);
  h5::write_texts(g, "status",
                  column<std::string>(s, [](auto, auto& r) { return r.failed ? "failed" : "ok"; }));
  h5::write_texts(g, "message", column<std::string>(s, [](auto, auto& r) { return r.message; }));
  put(g, "until_met", column<std::uint8_t>(s, [](auto, auto& r) { return r.until_met; }));
  put(g, "reached", column<double>(s, [](auto, auto& r) { return r.failed ? nan : r.reached; }));
  h5::write_text_attribute(h5::open_dataset(g, "reached"), "unit", "s");
  for (const auto& m : s.metrics)
    put(g, link_of(m), column<double>(s, [&](auto, auto& r) { return value_of(r.metrics, m); }));
  put(g, "spikes", column<double>(s, [](auto, auto& r) { return r.failed ? nan : r.spikes; }));
  for (const auto& p : s.populations) {
    const std::string name = link_of("rate." + p);
    put(g, name, column<double>(s, [&](auto, auto& r) { return value_of(r.rates, p); }));
    h5::write_text_attribute(h5::open_dataset(g, name), "unit", "Hz");
  }
}

void write_curves(hid_t file, const Sweep& s) {
  std::vector<std::uint64_t> begin{0};
  std::vector<float> x, y;
  for (const auto& [i, r] : s.rows) {
    x.insert(x.end(), r.x.begin(), r.x.end());
    y.insert(y.end(), r.y.begin(), r.y.end());
    begin.push_back(x.size());
  }
  const auto g = h5::create_group(file, "curves");
  h5::write_text_attribute(g, "x", s.x_name);
  h5::write_text_attribute(g, "y", s.y_name);
  put(g, "begin", begin);
  put(g, "x", x);
  put(g, "y", y);
}

void write_all(hid_t file, const Sweep& s) {
  const Plan plan = s.plan();
  write_head(file, s, plan);
  write_runs(file, s, plan);
  write_curves(file, s);
  put(h5::create_group(file, "timing"), "seconds",
      column<double>(s, [](auto, auto& r) { return r.seconds; }));
}

}  // namespace

const std::set<std::string>& fixed_columns() {
  static const std::set<std::string> all{"run",       "trial",   "seed",   "status", "message",
                                         "until_met", "reached", "spikes", "seconds"};
  return all;
}

Plan Sweep::plan() const {
  Plan p;
  for (const auto& v : vary) p.axes.push_back(parse_axis(v));
  p.trials = trials;
  return p;
}

std::string difference(const Sweep& a, const Sweep& b) {
  const auto list = [](const std::vector<std::string>& all) {
    std::string s;
    for (const auto& x : all) s += (s.empty() ? "" : "; ") + x;
    return s.empty() ? std::string("none") : s;
  };
  if (a.network_text != b.network_text) return "another network (or this one before it was changed)";
  if (a.files != b.files) return fmt::format("other data files: {}; not {}", list(a.files), list(b.files));
  if (a.vary != b.vary) return fmt::format("--vary {}, not {}", list(a.vary), list(b.vary));
  if (a.trials != b.trials) return fmt::format("--trials {}, not {}", a.trials, b.trials);
  if (a.seed != b.seed) return fmt::format("seed {}, not {}", a.seed, b.seed);
  if (a.set != b.set) return fmt::format("values replaced with --set: {}; not {}", list(a.set), list(b.set));
  if (a.version != b.version) return fmt::format("spinet {}, not {}", a.version, b.version);
  return {};
}

void write_sweep(const std::filesystem::path& path, const Sweep& sweep) {
  logging::write_hdf5(path, [&](hid_t file) { write_all(file, sweep); });
}

bool is_sweep(const std::filesystem::path& path) {
  h5::quiet();
  try {
    const h5::Id file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
    return file >= 0 && h5::has_attribute(file, "format") &&
           h5::read_text_attribute(file, "format") == format;
  } catch (const h5::Error&) {
    return false;
  }
}

namespace {

/// What was asked for.
void read_heading(const h5::Id& file, Sweep& s) {
  const auto g = h5::open_group(file, "sweep");
  s.version = h5::read_text_attribute(g, "spinet_version");
  s.network_name = h5::read_text_attribute(g, "network_name");
  s.until = h5::read_text_attribute(g, "until");
  s.trials = h5::read_attribute<std::uint64_t>(g, "trials");
  s.seed = h5::read_attribute<std::uint32_t>(g, "seed");
  s.network_text = h5::read_text(g, "network");
  s.set = lines(printable(h5::read_text(g, "set")));
  s.vary = lines(printable(h5::read_text(g, "vary")));
  s.files = lines(printable(h5::read_text(g, "files")));
  s.metrics = lines(printable(h5::read_text(g, "metrics")));
  s.populations = lines(printable(h5::read_text(g, "populations")));
  if (s.trials == 0) throw h5::Error("it has no trials");
}

/// The table and the curves, which must fit together.
void read_rows(const h5::Id& file, Sweep& s) {
  const auto runs = h5::open_group(file, "runs");
  const auto run = h5::read_all<std::uint64_t>(runs, "run");
  const auto status = h5::read_texts(runs, "status"), message = h5::read_texts(runs, "message");
  const auto until_met = h5::read_all<std::uint8_t>(runs, "until_met");
  const auto reached = h5::read_all<double>(runs, "reached"), spikes = h5::read_all<double>(runs, "spikes");
  std::vector<std::vector<double>> metrics, rates;
  for (const auto& m : s.metrics) metrics.push_back(h5::read_all<double>(runs, link_of(m)));
  for (const auto& p : s.populations) rates.push_back(h5::read_all<double>(runs, link_of("rate." + p)));
  const auto curves = h5::open_group(file, "curves");
  s.x_name = h5::read_text_attribute(curves, "x");
  s.y_name = h5::read_text_attribute(curves, "y");
  const auto begin = h5::read_all<std::uint64_t>(curves, "begin");
  const auto x = h5::read_all<float>(curves, "x"), y = h5::read_all<float>(curves, "y");
  const auto seconds = h5::read_all<double>(h5::open_group(file, "timing"), "seconds");
  const auto n = run.size(), total = s.runs();
  bool whole = status.size() == n && message.size() == n && until_met.size() == n && reached.size() == n &&
               spikes.size() == n && seconds.size() == n && begin.size() == n + 1 && x.size() == y.size() &&
               begin.back() == x.size() && begin[0] == 0;
  for (const auto& c : metrics) whole = whole && c.size() == n;
  for (const auto& c : rates) whole = whole && c.size() == n;
  for (std::size_t i = 0; whole && i < n; ++i) whole = begin[i] <= begin[i + 1] && run[i] < total;
  if (!whole) throw h5::Error("its columns do not fit together");
  for (std::size_t i = 0; i < n; ++i) {
    Row r;
    r.run = run[i];
    r.failed = status[i] == "failed";
    r.until_met = until_met[i];
    r.message = printable_line(message[i]);
    r.seconds = seconds[i];
    if (!r.failed) {
      r.reached = reached[i];
      r.spikes = spikes[i];
      for (std::size_t m = 0; m < metrics.size(); ++m)
        if (!std::isnan(metrics[m][i])) r.metrics.emplace_back(s.metrics[m], metrics[m][i]);
      for (std::size_t p = 0; p < rates.size(); ++p) r.rates.emplace_back(s.populations[p], rates[p][i]);
    }
    r.x.assign(x.begin() + static_cast<std::ptrdiff_t>(begin[i]),
               x.begin() + static_cast<std::ptrdiff_t>(begin[i + 1]));
    r.y.assign(y.begin() + static_cast<std::ptrdiff_t>(begin[i]),
               y.begin() + static_cast<std::ptrdiff_t>(begin[i + 1]));
    s.rows[r.run] = std::move(r);
  }
}

}  // namespace

Sweep read_sweep(const std::filesystem::path& path) {
  h5::quiet();
  if (!std::filesystem::exists(path))
    throw UserError(fmt::format("{}: there is no such file", path.string()));
  Sweep s;
  try {
    logging::require_hdf5(path);
    const h5::Id file(h5::check(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT),
                                "it is a truncated or damaged HDF5 file"));
    if (!h5::has_attribute(file, "format") || h5::read_text_attribute(file, "format") != format)
      throw UserError(fmt::format("{}: not a file of `spinet sweep`", path.string()));
    read_heading(file, s);
    read_rows(file, s);
  } catch (const LogError& e) {
    throw UserError(e.what());
  } catch (const h5::Error& e) {
    throw UserError(fmt::format("{}: not a whole file of `spinet sweep`: {}", path.string(), e.what()));
  }
  return s;
}

}  // namespace spinet::tool
