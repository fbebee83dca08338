// A log is made: the file with what is known of the run and empty datasets, its journal, and its name at
// last.
#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <stdio.h>
#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <random>
#include <set>
#include "log/reader.hpp"
#include "log/writer_parts.hpp"
#include "network/signs.hpp"

namespace spinet {

std::string utc_now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

std::string hex(std::span<const std::byte> bytes) {
  std::string s;
  for (const auto b : bytes) s += fmt::format("{:02x}", static_cast<unsigned>(b));
  return s;
}

namespace {

std::array<std::byte, 16> random_id() {
  std::random_device device;
  std::array<std::byte, 16> id;
  for (auto& b : id) b = static_cast<std::byte>(device());
  return id;
}

/// A table of fixed-length texts and numbers, as a one-dimensional compound dataset.
h5::Id populations_type(std::size_t name, std::size_t model) {
  h5::Id t(h5::check(H5Tcreate(H5T_COMPOUND, name + model + 8 + 16), "the population table"));
  h5::check(H5Tinsert(t, "name", 0, h5::utf8(name)), "the population table");
  h5::check(H5Tinsert(t, "model", name, h5::utf8(model)), "the population table");
  h5::check(H5Tinsert(t, "kind", name + model, h5::utf8(8)), "the population table");
  h5::check(H5Tinsert(t, "first_gid", name + model + 8, H5T_STD_U64LE), "the population table");
  h5::check(H5Tinsert(t, "size", name + model + 16, H5T_STD_U64LE), "the population table");
  return t;
}

}  // namespace

void RunLog::Impl::choose_chunk() {
  std::set<std::uint32_t> populations;
  for (const auto& s : network.spikes) populations.insert(s.population);
  const std::size_t datasets = populations.size() + network.edge_recordings.size() + network.reports.size() +
                               network.weights.size() + network.weight_events.size();
  constexpr std::uint64_t together = std::uint64_t{64} << 20, row = 16, fewest = 512;
  const std::uint64_t rows = std::bit_floor(together / row / std::max<std::size_t>(1, datasets));
  options.chunk = static_cast<std::uint32_t>(std::min<std::uint64_t>(options.chunk, std::max(rows, fewest)));
}

void RunLog::Impl::create(const RunProvenance& run) {
  refuse_target();
  if (!options.lock) options.lock = std::make_shared<OutputLock>(path);
  choose_chunk();
  refuse_existing();
  const auto fresh = temporary_name(path);
  try {
    fill(fresh, run);
    if (options.power_safe) store->file().sync();
    // Both are whole; killed between the two steps, the journal gets its name from the next owner of the
    // lock.
    const Commit rest = unwritten();
    journal.emplace(path, head, options.continues ? &rest : nullptr, Survives{options.power_safe},
                    options.fault);
    give_name(fresh);
    journal->publish();
    durable = reached;
  } catch (const DamagedSource&) {
    clear_away(fresh);
    throw;
  } catch (const std::exception& e) {
    const std::string reason = store && !store->failure().empty() ? store->failure() : e.what();
    clear_away(fresh);
    throw LogError(path, "the log cannot be created: " + reason);
  }
}

void RunLog::Impl::clear_away(const std::filesystem::path& fresh) {
  const bool named = store && store->file().path() == path;
  if (journal && !named) journal->discard();
  abandon();
  std::error_code ignored;
  if (!named) std::filesystem::remove(fresh, ignored);
}

void RunLog::Impl::fill(const std::filesystem::path& fresh, const RunProvenance& run) {
  store = std::make_unique<CommitFile>(File(fresh, File::Mode::create, options.fault));
  store->file().lock_exclusive();
  const auto access = store->access();
  h5::Id properties(h5::check(H5Pcreate(H5P_FILE_CREATE), "file properties"));
  h5::check(H5Pset_obj_track_times(properties, false), "file properties");
  file = h5::Id(h5::check(H5Fcreate(fresh.c_str(), H5F_ACC_TRUNC, properties, access), "creating the file"));
  head.run_id = random_id();
  write_root();
  write_provenance(run);
  for (std::uint32_t p = 0; p < network.populations.size(); ++p) add_nodes(p);
  for (const auto& recording : network.spikes) add_spikes(recording.population);
  for (const auto& report : network.reports) add_report(report);
  for (const auto p : network.edge_recordings) add_edges(p);
  for (std::uint32_t w = 0; w < network.weights.size(); ++w) add_weights(w);
  for (std::uint32_t p = 0; p < network.populations.size(); ++p) add_metrics(p);
  for (const auto& r : network.weight_events) add_weight_events(r);
  for (const auto& s : streams) head.streams.push_back(s.names());
  if (options.continues) take_over(*options.continues);
  flush();
  head.stamp_offset = H5Dget_offset(stamp);
  store->commit(nullptr, {}, Survives{options.power_safe});
}

void RunLog::Impl::refuse_target() const {
  const auto there = std::filesystem::symlink_status(path);
  if (std::filesystem::exists(there) && !std::filesystem::is_regular_file(there))
    throw LogError(path, "is not a regular file and is not replaced");
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  if (!std::filesystem::is_directory(folder))
    throw LogError(path, "cannot be created: there is no folder " + folder.string());
}

void RunLog::Impl::refuse_existing() const {
  if (options.force) {
    if (std::filesystem::exists(path) && !File(path, File::Mode::read).lock_exclusive())
      throw LogError(path, "is in use: another process reads or writes it");
  } else if (std::filesystem::exists(path)) {
    throw LogError(path, "exists already (--force replaces it)");
  }
  Journal::refuse(path, Replace{options.force});
}

void RunLog::Impl::give_name(const std::filesystem::path& fresh) {
  const unsigned how = options.force ? 0 : RENAME_NOREPLACE;
  int rc = ::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, path.c_str(), how);
  // Some network file systems know only the plain rename.
  if (rc != 0 && (errno == EINVAL || errno == ENOSYS)) rc = ::rename(fresh.c_str(), path.c_str());
  if (rc != 0)
    throw LogError(path,
                   std::string("cannot rename ") + fresh.string() + " to this: " + std::strerror(errno));
  store->file().renamed(path);
  if (options.power_safe) sync_folder(path);
}

void RunLog::Impl::write_root() {
  h5::write_attribute(file, "magic", layout::sonata_magic);
  const std::array<hsize_t, 1> two{2};
  const h5::Id space(h5::check(H5Screate_simple(1, two.data(), nullptr), "a shape"));
  const std::uint32_t version[2] = {0, 1};
  h5::write_attribute(file, "version", H5T_NATIVE_UINT32, space, version);
}

void RunLog::Impl::write_provenance(const RunProvenance& run) {
  provenance = h5::create_group(file, "spinet");
  const hid_t g = provenance;
  h5::write_attribute(g, "format_version", layout::format_version);
  h5::write_text_attribute(g, "run_id", hex(head.run_id));
  h5::write_text_attribute(g, "status", layout::status::running, layout::status_bytes);
  h5::write_attribute(g, "reached_ticks", Tick{0});
  h5::write_attribute(g, "whole_ticks", Tick{0});
  h5::write_attribute(g, "duration_ticks", network.duration);
  h5::write_attribute(g, "time_resolution", network.seconds_per_tick);
  h5::write_attribute(g, "ticks_per_ms", ticks_per_ms);
  h5::write_attribute(g, "seed", network.seed);
  h5::write_attribute(g, "ranks", static_cast<std::uint32_t>(run.ranks));
  h5::write_text_attribute(g, "version", run.version);
  h5::write_text_attribute(g, "started", run.started.empty() ? utc_now() : run.started);
  if (!run.host.empty()) h5::write_text_attribute(g, "host", run.host);
  h5::write_text_attribute(g, "network_name", network.name);
  h5::write_text_attribute(g, "network_path", network.source_path);
  const Stamp now{head.run_id, commits};
  h5::write_text(g, "network", network.source_text);
  h5::write_text(g, "command_line", run.command_line);
  h5::write_texts(g, "overrides", network.overrides);
  h5::write_texts(g, "files", run.files);
  h5::create_group(g, "reports");
  const std::array<hsize_t, 1> shape{sizeof(Stamp)};
  stamp = h5::write_dataset(g, "commit", H5T_NATIVE_UINT8, shape, &now);
  write_populations(g);
}

void RunLog::Impl::write_populations(hid_t group) {
  std::size_t name = 1, model = 1;
  for (const auto& p : network.populations) {
    name = std::max(name, p.name.size());
    model = std::max(model, std::strlen(p.model->name));
  }
  const h5::Id type = populations_type(name, model);
  const std::size_t row = H5Tget_size(type);
  std::vector<char> bytes(row * network.populations.size(), '\0');
  char* at = bytes.data();
  for (const auto& p : network.populations) {
    const std::uint64_t numbers[2] = {p.first, p.size};
    const char* kind = p.model->kind == Kind::source ? "source" : "neuron";
    std::memcpy(at, p.name.data(), p.name.size());
    std::memcpy(at + name, p.model->name, std::strlen(p.model->name));
    std::memcpy(at + name + model, kind, std::strlen(kind));
    std::memcpy(at + name + model + 8, numbers, sizeof numbers);
    at += row;
  }
  const std::array<hsize_t, 1> shape{network.populations.size()};
  h5::write_dataset(group, "populations", type, shape, bytes.data());
  const auto known = transmitted_signs(network);
  const std::vector<std::int8_t> signs(known.begin(), known.end());
  h5::write_dataset(group, "signs", H5T_STD_I8LE, shape, signs.data());
}

}  // namespace spinet
