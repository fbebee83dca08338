// The journal beside a log (OUT.h5.journal): an append-only file of checksummed commit records.
// A record is either whole and valid or it does not exist, so what it carries happens atomically: the pages
// of the HDF5 file that change, and the rows that are not in the HDF5 file yet.  The bytes are described in
// FORMAT.md.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "log/file.hpp"
#include "log/output_lock.hpp"
#include "spinet/time.hpp"

namespace spinet::logging {

/// Bytes of the HDF5 file by their offset; runs do not overlap.
using Pages = std::map<std::uint64_t, std::vector<std::byte>>;

/// A dataset that grows by rows; the columns of one stream grow together.
struct ColumnName {
  std::string dataset;
  std::uint32_t row_bytes;
  bool operator==(const ColumnName&) const = default;
};
using StreamNames = std::vector<std::vector<ColumnName>>;

/// What identifies a journal: the run whose log it repairs, and the datasets its rows belong to.
struct JournalHead {
  std::array<std::byte, 16> run_id{};
  std::uint64_t stamp_offset = 0;  ///< where the HDF5 file has its Stamp
  StreamNames streams;
  bool operator==(const JournalHead&) const = default;
};

/// Rows [first, first + count) of a stream, column after column.
struct Rows {
  std::uint32_t stream;
  std::uint64_t first, count;
  std::vector<std::span<const std::byte>> columns;
};

/// What the HDF5 file holds at a known place (dataset /spinet/commit), readable without HDF5: whose it is,
/// and how many page-changing commits it has seen.
struct Stamp {
  std::array<std::byte, 16> run_id{};
  std::uint64_t number = 0;
};

struct Commit {
  std::uint64_t number = 0;  ///< Stamp::number of the HDF5 file once `pages` are in it
  Tick reached = 0;          ///< every row before this tick is in the HDF5 file or in the journal
  std::uint64_t eof = 0;     ///< size of the HDF5 file with `pages`; 0: this commit changes no page
  Pages pages;
  std::vector<Rows> rows;
};

class Journal {
 public:
  /// OUT.h5.journal; of a symbolic link, beside the log that it names.
  static std::filesystem::path path_of(const std::filesystem::path& log);

  /// Throws ForeignFile if what has the name of the log's journal is no journal, LogError if it is one of a
  /// run that was killed and is not to be replaced.
  static void refuse(const std::filesystem::path& log, Replace replace);

  /// Starts a journal that holds the head and, if given, one commit, under a name that nobody else uses.
  /// `survives`: what `publish` does.
  Journal(const std::filesystem::path& log, JournalHead head, const Commit* first, Survives survives,
          WriteFault fault = {});
  /// Opens an existing one to go on after its last valid record, dropping a torn one.
  Journal(const std::filesystem::path& log, JournalHead head, std::uint64_t valid_bytes,
          WriteFault fault = {});

  /// Gives a journal that was started its name, in place of any old one.  Until then a kill leaves it to the
  /// next owner of the log's OutputLock, who does the same if the log is of this run.
  void publish();
  /// Removes a journal that was started and has no name yet.
  void discard() noexcept;

  /// Appends one record, or throws and leaves the journal as it was.
  void append(const Commit& commit);
  void sync() { file_.sync(); }
  /// Replaces the journal by one that holds only `live`.
  void restart(const Commit& live);
  std::uint64_t bytes() const { return bytes_; }
  /// The log no longer needs its journal.
  static void remove(const std::filesystem::path& log);

 private:
  File begin(const Commit* first);
  void publish(File& file);
  std::filesystem::path log_;
  JournalHead head_;
  Survives survives_ = Survives::power_cut;
  WriteFault fault_;
  std::uint64_t bytes_ = 0;
  File file_;
};

/// A journal as found: its valid records, in order.  `bytes` keeps what the spans of `commits` point into.
struct FoundJournal {
  JournalHead head;
  std::vector<Commit> commits;
  std::uint64_t valid_bytes = 0, torn_bytes = 0;
  std::vector<std::byte> bytes;
};
/// Reads OUT.h5.journal of `log`.  Throws LogError if it is not a journal at all; a torn end is normal.
FoundJournal read_journal(const std::filesystem::path& log);
/// The same of a journal of another name.
FoundJournal read_journal_file(const std::filesystem::path& journal);
/// Whether a journal is of the run that wrote the log.
bool belongs_to(const FoundJournal& journal, const std::filesystem::path& log);

}  // namespace spinet::logging
