// An HDF5 file whose changes become visible in whole commits: an HDF5 file driver over one File and a
// Journal.
//
// HDF5 writes its metadata in any order at any time, so a process killed between two writes leaves a file
// that may not open.  Here, whatever would overwrite a committed byte is held back in memory; bytes past the
// committed end go to the file at once (nothing committed refers to them).  `commit` first writes the held
// pages to the journal as one checksummed record and then to the file.  Killed before the record is whole,
// the file is as it was; killed after, the record repairs it.  The file on disk is an ordinary HDF5 file:
// readers need none of this.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "log/file.hpp"
#include "log/h5.hpp"
#include "log/journal.hpp"

namespace spinet::logging {

class CommitFile {
 public:
  /// `held`: pages of a record whose writing to the file may have been cut short; `eof`: the file's size with
  /// them.
  explicit CommitFile(File file, Pages held = {}, std::uint64_t eof = 0);
  CommitFile(const CommitFile&) = delete;
  ~CommitFile();

  /// Access properties that make H5Fcreate and H5Fopen use this object; the file name given to them is not
  /// used.
  h5::Id access();

  /// Makes all that HDF5 has written so far permanent, with `rows` and `reached` in the same journal record.
  /// HDF5 must have been flushed or closed.  Without a journal (a file being created) it just writes.
  /// Throws LogError, also for a write since the last commit that failed.
  void commit(Journal* journal, Commit extra, Survives survives);
  /// From now on nothing reaches the file: HDF5 can close after a failure and leave the last commit
  /// untouched.
  void discard() { discarding_ = true; }
  /// Drops what lies past the last commit.
  void trim();

  /// Why the first write that failed did, or empty.  HDF5 is not told, since it does not survive failing
  /// writes while it closes: `discard` takes effect and the next commit throws.
  const std::string& failure() const { return failure_; }
  File& file() { return file_; }

 private:
  struct Driver;
  friend struct Driver;
  static constexpr std::uint64_t page = 4096;
  void read(std::uint64_t at, std::span<std::byte> into);
  void write(std::uint64_t at, std::span<const std::byte> bytes);

  File file_;
  Pages held_;                   ///< whole pages by offset
  std::uint64_t committed_ = 0;  ///< bytes below this are overwritten only through the journal
  std::uint64_t eof_ = 0, eoa_ = 0;
  std::uint64_t committed_size_ = 0;
  bool discarding_ = false;
  std::string failure_;
  hid_t driver_ = -1;
};

}  // namespace spinet::logging
