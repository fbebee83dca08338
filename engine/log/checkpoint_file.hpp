// Checkpoints on disk: OUT.ckpt.N.h5, written beside the log under another name, made durable, renamed; two
// are kept. FORMAT.md says what they hold.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint.hpp"
#include "log/error.hpp"
#include "network/checked.hpp"

namespace spinet {

/// What a run is started with again.
struct CheckpointOrigin {
  std::string version;
  std::filesystem::path log;  ///< the run's log
  /// Models of the network that are not built in: "KIND NAME SHA256", of the file.
  std::vector<std::string> plugins;
  std::filesystem::path data_root;  ///< folder that the network's data files are relative to
  int ranks = 1;
  std::vector<std::string> files{};  ///< data files that were read, as "SHA-256  NAME"
  std::string trigger;               ///< the command's options for further checkpoints, as text
};

/// Writes checkpoints.  Whatever fails on the way, nothing is thrown: that checkpoint is dropped, `dropped`
/// is told why (one line), and those before it are left alone.  The run does not depend on its checkpoints.
class CheckpointFiles final : public CheckpointSink {
 public:
  using Dropped = std::function<void(const std::string&)>;
  /// `next`: the number of the first one.  `network` must outlive this.
  CheckpointFiles(const Network& network, CheckpointOrigin origin, std::uint64_t next = 1,
                  Dropped dropped = {});
  ~CheckpointFiles() override;
  void begin(Tick at) override;
  void put(const std::string& name, std::span<const std::byte> bytes) override;
  void end() override;
  /// The last whole one; empty before the first.
  const std::filesystem::path& last() const { return last_; }
  std::uint64_t last_bytes() const { return last_bytes_; }
  std::uint64_t written() const { return written_; }  ///< whole ones
  /// OUT.ckpt.N.h5 of OUT.h5; ANY.ckpt.N of a log called ANY that does not end in .h5.
  static std::filesystem::path path_of(const std::filesystem::path& log, std::uint64_t number);
  /// N, if `name` (without a folder) is that of a checkpoint of the log.
  static std::optional<std::uint64_t> number_of(const std::filesystem::path& log, std::string_view name);
  /// Whether it is a file that ends as a checkpoint does.  Nothing else is replaced or removed.
  static bool is_one(const std::filesystem::path& path);
  /// Whether there is something, but no checkpoint.
  static bool is_foreign(const std::filesystem::path& path);
  /// Throws ForeignFile if anything has the name of a checkpoint of the log and is none.
  static void refuse_foreign(const std::filesystem::path& log);

 private:
  template <class F>
  void guarded(F&& f);
  void drop(std::string reason) noexcept;
  const Network& network_;
  CheckpointOrigin origin_;
  std::uint64_t next_, last_bytes_ = 0, written_ = 0;
  Dropped dropped_;
  std::filesystem::path fresh_, last_;
  struct Files;
  std::unique_ptr<Files> files_;
};

/// Reads one.
class CheckpointFile final : public CheckpointSource {
 public:
  /// Throws LogError: no such file, not a checkpoint, truncated, damaged, of another version of the format,
  /// or a log that is not in the same folder.
  explicit CheckpointFile(const std::filesystem::path& path);
  /// Throws LogError if a checkpoint is not byte for byte what was written.  Reads all of it: one rank does,
  /// before any opens it.
  static void verify(const std::filesystem::path& path);
  ~CheckpointFile() override;
  std::uint64_t size(const std::string& name) const override;
  void read(const std::string& name, std::uint64_t offset, std::span<std::byte> to) const override;

  CheckpointOrigin origin;
  std::uint64_t number = 0;
  Tick at = 0, duration = 0;
  std::string network_text, network_path;
  std::vector<std::string> overrides;
  std::uint32_t seed = 0;

 private:
  std::filesystem::path path_;
  struct Files;
  std::unique_ptr<Files> files_;
};

}  // namespace spinet
