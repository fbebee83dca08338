// A log opened for reading or repair, with its journal's last pages in place.  For the readers in this
// folder.
#pragma once
#include <memory>
#include <new>
#include <stdexcept>
#include <utility>

#include "log/commit_file.hpp"
#include "log/h5.hpp"
#include "log/journal.hpp"
#include "log/output_lock.hpp"
#include "log/reader.hpp"

namespace spinet::logging {

/// Whether the last commit of the journal may not have reached the file yet.  Throws LogError if the two do
/// not belong together.  The stamp is read as bytes, so that the wrong pages are never laid over a file.
inline bool pages_missing(const File& log, const FoundJournal& journal) {
  Stamp stamp;
  log.read(journal.head.stamp_offset, std::as_writable_bytes(std::span(&stamp, 1)));
  if (stamp.run_id != journal.head.run_id)
    throw LogError(Journal::path_of(log.path()),
                   "belongs to another run than " + log.path().string() + "; move one of them away");
  if (journal.commits.empty()) return false;
  const auto& last = journal.commits.back();
  if (stamp.number + (last.eof ? 1 : 0) < last.number)
    throw LogError(log.path(), "is older than its journal: it may be a copy made while the run went on");
  // A file that is ahead of a damaged journal already has all that the journal could add to its pages.
  return last.eof && stamp.number <= last.number;
}

/// What is thrown where a run holds the log.
inline OutputInUse in_use(const std::filesystem::path& log) {
  const auto who = OutputLock::holder(log);
  return {log, "is in use: a run is still writing it" + (who ? " (" + *who + ")" : std::string()) +
                   "; until it has ended, the log is this file and " +
                   Journal::path_of(log).filename().string() + " together"};
}

/// An HDF5 file opened through a CommitFile; with its journal's last pages in place, if there is one.  With a
/// journal and Mode::read, HDF5 may write, but what it writes stays in memory: nothing reaches the file.
struct OpenLog {
  std::unique_ptr<CommitFile> store;
  h5::Id file;

  OpenLog(const std::filesystem::path& path, File::Mode mode, const FoundJournal* journal, WriteFault fault) {
    File f(path, mode, std::move(fault));
    if (!(mode == File::Mode::write ? f.lock_exclusive() : f.lock_shared())) throw in_use(path);
    require_hdf5(f);
    // Only the last record's pages can be missing from the file: each was written before the next was
    // recorded.
    if (journal && pages_missing(f, *journal))
      store = std::make_unique<CommitFile>(std::move(f), journal->commits.back().pages,
                                           journal->commits.back().eof);
    else store = std::make_unique<CommitFile>(std::move(f));
    if (mode == File::Mode::read) store->discard();
    const auto access = store->access();
    const unsigned flags = mode == File::Mode::write || journal ? H5F_ACC_RDWR : H5F_ACC_RDONLY;
    file = h5::Id(h5::check(H5Fopen(path.c_str(), flags, access), "is a truncated or damaged HDF5 file"));
  }
  ~OpenLog() {
    if (store) store->discard();
    file.close();
  }
  void close() {
    const hid_t f = file.release();
    h5::check(H5Fclose(f), "closing the file");
  }
};

/// A log opened for reading, as it is together with its journal; `pending` says what of it is in the journal
/// only. Throws LogError and h5::Error.
std::unique_ptr<OpenLog> open_whole(const std::filesystem::path& path, Recovery& pending);
/// The same for those who only read.
std::unique_ptr<OpenLog> open_whole(const std::filesystem::path& path);

/// Of a file that was opened with its journal, if there is one.
Extent extent_of(hid_t file);
/// What is missing from a log whose journal is.
std::string without_journal_text(const std::filesystem::path& log, const Extent& extent, double ticks_per_ms);
/// Throws LogError for a log that is not whole without its journal, which is missing.
void refuse_without_journal(hid_t file, const std::filesystem::path& log);

/// Runs f, turning failures of HDF5 and of allocation into LogError.
template <class F>
auto readable(const std::filesystem::path& path, F&& f) {
  try {
    return f();
  } catch (const h5::Error& e) {
    throw LogError(path, e.what());
  } catch (const std::bad_alloc&) {
    throw LogError(path, "claims more data than memory can hold");
  } catch (const std::length_error&) {
    throw LogError(path, "claims more data than memory can hold");
  }
}

}  // namespace spinet::logging
