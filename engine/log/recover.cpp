// A log whose run was killed: what only its journal has is folded in, in the file or in memory.
#include <fmt/format.h>

#include <algorithm>

#include "core/simulation.hpp"
#include "log/layout.hpp"
#include "log/open_log.hpp"
#include "log/reader.hpp"

namespace spinet {

using namespace logging;

namespace {

bool has_journal(const std::filesystem::path& log) { return std::filesystem::exists(Journal::path_of(log)); }

/// Datasets of one stream, opened; their common number of rows.
struct Columns {
  std::vector<h5::Id> datasets, types;
  std::uint64_t rows = 0;

  Columns(hid_t file, const std::vector<ColumnName>& names) {
    rows = ~std::uint64_t{0};
    for (const auto& name : names) {
      auto d = h5::open_dataset(file, name.dataset);
      const h5::Id stored(h5::check(H5Dget_type(d), "dataset " + name.dataset));
      h5::check_number(stored, "dataset " + name.dataset);
      h5::Id type(h5::check(H5Tget_native_type(stored, H5T_DIR_ASCEND), "dataset " + name.dataset));
      const auto shape = h5::shape_of(d);
      std::uint64_t row_bytes = H5Tget_size(type);
      for (std::size_t i = 1; i < shape.size(); ++i) row_bytes *= shape[i];
      if (shape.empty() || row_bytes != name.row_bytes)
        throw h5::Error("dataset " + name.dataset + " does not fit the journal");
      rows = std::min<std::uint64_t>(rows, shape[0]);
      datasets.push_back(std::move(d));
      types.push_back(std::move(type));
    }
    // Columns grow in one commit; should they differ, only the rows that all have are good.
    for (const auto& d : datasets)
      if (h5::shape_of(d)[0] != rows) h5::set_rows(d, rows);
  }

  /// Appends the rows that are not there yet; returns how many.
  std::uint64_t append(const std::vector<ColumnName>& names, const Rows& r) {
    if (r.first > rows) throw h5::Error("the journal lacks rows of dataset " + names[0].dataset);
    const std::uint64_t skip = rows - r.first;
    if (skip >= r.count) return 0;
    const std::uint64_t count = r.count - skip;
    for (std::size_t c = 0; c < datasets.size(); ++c)
      h5::append_rows(datasets[c], rows, count, types[c], r.columns[c].data() + skip * names[c].row_bytes);
    rows += count;
    return count;
  }
};

/// Sets the end of every time axis below `root` from the frames that are there.
void update_times(hid_t file, const char* root) {
  if (!h5::exists(file, root)) return;
  const auto all = h5::open_group(file, root);
  for (const auto& place : h5::names(all)) {
    const auto group = h5::open_group(all, place);
    const auto shape = h5::shape_of(h5::open_dataset(group, "data"));
    if (shape.empty()) continue;
    const double ticks_per_ms = h5::read_attribute<double>(h5::open_group(file, "spinet"), "ticks_per_ms");
    const auto from = h5::read_attribute<Tick>(group, "start_ticks"),
               step = h5::read_attribute<Tick>(group, "step_ticks");
    const auto ms = [&](Tick t) { return static_cast<double>(t) / ticks_per_ms; };
    const double time[3] = {ms(from), ms(from + static_cast<Tick>(shape[0]) * step), ms(step)};
    h5::replace_values<double>(h5::open_dataset(group, "mapping/time"), "time", time);
  }
}

/// Appends the rows that only the journal has, in the open file.
Recovery fold(hid_t file, const FoundJournal& found) {
  Recovery result;
  result.needed = true;
  const auto provenance = h5::open_group(file, "spinet");
  result.reached = h5::read_attribute<Tick>(provenance, "reached_ticks");
  if (h5::read_text_attribute(provenance, "status") != layout::status::running) return result;
  std::vector<Columns> streams;
  for (const auto& names : found.head.streams) streams.emplace_back(file, names);
  for (const auto& commit : found.commits)
    for (const auto& rows : commit.rows)
      result.rows += streams[rows.stream].append(found.head.streams[rows.stream], rows);
  // The last record's word, even if the file knows a later tick: rows of other streams went with lost
  // records.
  result.reached = found.commits.empty() ? 0 : found.commits.back().reached;
  streams.clear();
  for (const char* root : {"report", "weights"}) update_times(file, root);
  h5::replace_attribute(provenance, "reached_ticks", result.reached);
  if (h5::has_attribute(provenance, "whole_ticks"))
    h5::replace_attribute(provenance, "whole_ticks", result.reached);
  h5::write_text_attribute(provenance, "status", layout::status::killed, layout::status_bytes);
  return result;
}

}  // namespace

Extent logging::extent_of(hid_t file) {
  const auto g = h5::open_group(file, "spinet");
  // A file gets another status with the commit that makes its journal superfluous.
  if (h5::read_text_attribute(g, "status") != layout::status::running)
    return {h5::read_attribute<Tick>(g, "reached_ticks"), false};
  return {h5::has_attribute(g, "whole_ticks") ? h5::read_attribute<Tick>(g, "whole_ticks") : 0, true};
}

std::string logging::without_journal_text(const std::filesystem::path& log, const Extent& extent,
                                          double ticks_per_ms) {
  return fmt::format(
      "the run was killed, and its journal is missing: what this file lacks was in {} only. It is whole "
      "before {} ms; "
      "of later times there are some events. Put the journal beside it, if it still exists somewhere",
      Journal::path_of(log).filename().string(), static_cast<double>(extent.before) / ticks_per_ms);
}

void logging::refuse_without_journal(hid_t file, const std::filesystem::path& log) {
  if (!h5::exists(file, "spinet")) return;  // of another program
  const auto g = h5::open_group(file, "spinet");
  const auto extent = extent_of(file);
  if (extent.without_journal)
    throw LogError(log, without_journal_text(log, extent, h5::read_attribute<double>(g, "ticks_per_ms")));
}

namespace {

void take(std::optional<OutputLock>& lock, const std::filesystem::path& log) {
  try {
    lock.emplace(log);
  } catch (const OutputInUse&) {
    throw in_use(log);
  }
}

}  // namespace

Recovery recover(const std::filesystem::path& log, WriteFault fault, const OutputLock* lock) {
  Recovery result;
  std::optional<OutputLock> own;
  if (!has_journal(log)) {
    // Perhaps one was about to get its name: the lock's owner sees to that, where files can be written.
    if (lock || !std::filesystem::exists(log) || temporaries_of(without_links(log)).empty()) return result;
    try {
      own.emplace(log);
    } catch (const LogError&) {
      return result;
    }
    if (!has_journal(log)) return result;
  }
  if (!lock && !own) take(own, log);
  return readable(log, [&] {
    // The lock comes first: the journal of a live run must not be read, let alone cut.
    if (!File(log, File::Mode::read).lock_shared()) throw in_use(log);
    const auto found = read_journal(log);
    OpenLog open(log, File::Mode::write, &found, fault);
    auto provenance = h5::open_group(open.file, "spinet");
    result = fold(open.file, found);
    Stamp stamp{found.head.run_id, 0};
    auto stamp_set = h5::open_dataset(provenance, "commit");
    const auto before = h5::read_all<std::uint8_t>(provenance, "commit");
    if (before.size() != sizeof stamp) throw h5::Error("dataset commit is damaged");
    std::memcpy(&stamp, before.data(), sizeof stamp);
    ++stamp.number;
    const std::span after(reinterpret_cast<const std::uint8_t*>(&stamp), sizeof stamp);
    h5::replace_values(stamp_set, "commit", after);
    // From here as at the end of a run: one commit, then the journal goes.
    Journal journal(log, found.head, found.valid_bytes, fault);
    provenance.close();
    stamp_set.close();
    open.close();
    Commit last;
    last.number = stamp.number;
    last.reached = result.reached;
    try {
      open.store->commit(&journal, std::move(last), Survives::kill);
      open.store->trim();
      open.store->file().sync();
    } catch (const LogError& e) {
      throw LogError(log, std::string("cannot be put in order: ") + e.what());
    }
    Journal::remove(log);
    return result;
  });
}

namespace {

/// The journal of a run that was killed between giving its log and its journal their names.
std::optional<FoundJournal> unnamed_journal(const std::filesystem::path& log) {
  for (const auto& path : temporaries_of(without_links(log))) {
    try {
      auto found = read_journal_file(path);
      if (belongs_to(found, log)) return found;
    } catch (const LogError&) {
      // Torn, or something else.
    }
  }
  return std::nullopt;
}

}  // namespace

std::unique_ptr<OpenLog> logging::open_whole(const std::filesystem::path& path, Recovery& pending) {
  pending = {};
  std::optional<FoundJournal> journal;
  // The lock comes first, as for `recover`.
  if (!File(path, File::Mode::read).lock_shared()) throw in_use(path);
  if (has_journal(path)) journal = read_journal(path);
  else journal = unnamed_journal(path);
  auto open = std::make_unique<OpenLog>(path, File::Mode::read, journal ? &*journal : nullptr, WriteFault{});
  if (journal) {
    pending = fold(open->file, *journal);
    h5::check(H5Fflush(open->file, H5F_SCOPE_LOCAL), "putting log and journal together");  // in memory
  }
  return open;
}

std::unique_ptr<OpenLog> logging::open_whole(const std::filesystem::path& path) {
  Recovery ignored;
  return open_whole(path, ignored);
}

}  // namespace spinet
