#include "log/checkpoint_file.hpp"

#include <algorithm>
#include <cstring>

#include "log/commit_file.hpp"
#include "log/file.hpp"
#include "log/h5.hpp"
#include "log/output_lock.hpp"
#include "network/digest.hpp"
#include "network/suggest.hpp"

namespace spinet {
namespace {

constexpr std::uint32_t magic = 0x4B435053, format = 3;  // "SPCK"
constexpr hsize_t chunk = 1 << 16;

/// What a checkpoint ends with, written last, past the last byte of HDF5: a mark, and the digest of all
/// before it.
struct Seal {
  std::array<char, 8> mark;
  Digest digest;
};
constexpr std::array<char, 8> seal_mark{'S', 'P', 'C', 'K', 'S', 'E', 'A', 'L'};

std::optional<Seal> seal_of(const logging::File& file) {
  Seal seal;
  const auto bytes = file.size();
  if (bytes < sizeof seal) return std::nullopt;
  const auto there = file.read(bytes - sizeof seal, std::as_writable_bytes(std::span(&seal, 1)));
  return there == sizeof seal && seal.mark == seal_mark ? std::optional(seal) : std::nullopt;
}

Digest digest_of(const logging::File& file, std::uint64_t bytes) {
  Sha256 hash;
  std::vector<std::byte> part(std::size_t{1} << 20);
  for (std::uint64_t at = 0; at < bytes; at += part.size()) {
    const std::span some(part.data(), std::min<std::uint64_t>(part.size(), bytes - at));
    if (file.read(at, some) != some.size()) throw LogError(file.path(), "has become shorter");
    hash.add(some);
  }
  return hash.finish();
}

void seal(logging::File& file) {
  const auto bytes = file.size();
  const Seal seal{seal_mark, digest_of(file, bytes)};
  file.write(bytes, std::as_bytes(std::span(&seal, 1)));
}

/// One link for a byte string: '/' would make groups.
std::string link_of(std::string name) {
  std::replace(name.begin(), name.end(), '/', '|');
  return name;
}

h5::Id byte_string(hid_t at, const std::string& name) {
  const h5::Id properties(h5::check(H5Pcreate(H5P_DATASET_CREATE), "dataset properties"));
  const hsize_t none = 0, most = H5S_UNLIMITED;
  h5::check(H5Pset_chunk(properties, 1, &chunk), "dataset properties");
  h5::check(H5Pset_fletcher32(properties), "dataset properties");  // damage is found when it is read
  const h5::Id space(h5::check(H5Screate_simple(1, &none, &most), "a shape"));
  return h5::Id(
      h5::check(H5Dcreate2(at, name.c_str(), H5T_STD_U8LE, space, H5P_DEFAULT, properties, H5P_DEFAULT),
                "creating " + name));
}

}  // namespace

/// The checkpoint that is being written.  HDF5 does not survive failing writes while it closes, so it writes
/// through a CommitFile, which keeps failures from it.
struct CheckpointFiles::Files {
  std::unique_ptr<logging::CommitFile> store;  // destroyed last
  h5::Id file, state, dataset;
  std::string name;  ///< of the byte string that is open as `dataset`
  std::uint64_t bytes = 0;
};
struct CheckpointFile::Files {
  h5::Id file, state;
};
CheckpointFile::~CheckpointFile() = default;

namespace {

constexpr std::string_view log_ending = ".h5", numbered = ".ckpt.";

/// What the checkpoints of a log are called before their number, and after it.  Two logs never share a name.
std::pair<std::string, std::string> name_around_number(const std::filesystem::path& log) {
  auto name = log.filename().string();
  const bool h5 = name.ends_with(log_ending);
  if (h5) name.resize(name.size() - log_ending.size());
  return {name + std::string(numbered), std::string(h5 ? log_ending : "")};
}

}  // namespace

std::filesystem::path CheckpointFiles::path_of(const std::filesystem::path& log, std::uint64_t number) {
  const auto [before, after] = name_around_number(log);
  return log.parent_path() / (before + std::to_string(number) + after);
}

std::optional<std::uint64_t> CheckpointFiles::number_of(const std::filesystem::path& log,
                                                        std::string_view name) {
  const auto [before, after] = name_around_number(log);
  if (name.size() <= before.size() + after.size() || !name.starts_with(before) || !name.ends_with(after))
    return std::nullopt;
  name = name.substr(before.size(), name.size() - before.size() - after.size());
  if (name.size() > 18 || name.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  return std::stoull(std::string(name));
}

bool CheckpointFiles::is_one(const std::filesystem::path& path) {
  try {
    return std::filesystem::is_regular_file(std::filesystem::symlink_status(path)) &&
           seal_of(logging::File(path, logging::File::Mode::read));
  } catch (const std::exception&) {
    return false;
  }
}

bool CheckpointFiles::is_foreign(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::symlink_status(path, ignored)) && !is_one(path);
}

void CheckpointFiles::refuse_foreign(const std::filesystem::path& log) {
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::absolute(log).parent_path(), ignored))
    if (number_of(log, entry.path().filename().string()) && is_foreign(entry.path()))
      throw ForeignFile(
          log.parent_path() / entry.path().filename(),
          "is called as a checkpoint of " + log.filename().string() +
              " would be, but is none; it is not replaced: move it away, or give another name with -o");
}

CheckpointFiles::CheckpointFiles(const Network& network, CheckpointOrigin origin, std::uint64_t next,
                                 Dropped dropped)
    : network_(network), origin_(std::move(origin)), next_(next), dropped_(std::move(dropped)) {
  h5::quiet();
}
CheckpointFiles::~CheckpointFiles() = default;

/// Does nothing between a failure and the next `begin`.
template <class F>
void CheckpointFiles::guarded(F&& f) {
  if (!files_) return;
  try {
    f();
    if (files_ && files_->store && !files_->store->failure().empty())
      throw std::runtime_error(files_->store->failure());
  } catch (const std::exception& e) {
    const bool disk = files_ && files_->store && !files_->store->failure().empty();
    drop(disk ? files_->store->failure() : e.what());
  }
}

/// `reason` may belong to what goes.
void CheckpointFiles::drop(std::string reason) noexcept {
  try {
    if (files_ && files_->store) files_->store->discard();
    files_.reset();
    std::error_code ignored;
    std::filesystem::remove(fresh_, ignored);
    if (dropped_)
      dropped_(path_of(origin_.log, next_).string() +
               ": this checkpoint cannot be written and is dropped: " + reason);
  } catch (...) {
    // Without memory even for the message: the run goes on.
  }
}

void CheckpointFiles::begin(Tick at) {
  if (is_foreign(path_of(origin_.log, next_))) {
    files_.reset();
    fresh_.clear();
    drop("there is something else of this name");
    ++next_;
    return;
  }
  files_ = std::make_unique<Files>();
  guarded([&] {
    fresh_ = logging::temporary_name(path_of(origin_.log, next_));
    auto& store = files_->store;
    store = std::make_unique<logging::CommitFile>(logging::File(fresh_, logging::File::Mode::create));
    h5::Id& file = files_->file;
    const h5::Id access = store->access();
    file =
        h5::Id(h5::check(H5Fcreate(fresh_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access), "creating the file"));
    h5::write_attribute(file, "checkpoint", magic);
    h5::write_attribute(file, "format_version", format);
    h5::write_text_attribute(file, "version", origin_.version);
    h5::write_attribute(file, "number", next_);
    h5::write_attribute(file, "at_ticks", at);
    h5::write_attribute(file, "duration_ticks", network_.duration);
    h5::write_attribute(file, "seed", network_.seed);
    h5::write_attribute(file, "ranks", static_cast<std::uint32_t>(origin_.ranks));
    h5::write_text(file, "network", network_.source_text);
    h5::write_text(file, "network_path", network_.source_path);
    h5::write_text(file, "data_root", origin_.data_root.string());
    h5::write_text(file, "log", origin_.log.filename().string());
    h5::write_text(file, "trigger", origin_.trigger);
    h5::write_texts(file, "overrides", network_.overrides);
    h5::write_texts(file, "files", origin_.files);
    h5::write_texts(file, "plugins", origin_.plugins);
    files_->state = h5::create_group(file, "state");
  });
}

void CheckpointFiles::put(const std::string& name, std::span<const std::byte> bytes) {
  guarded([&] {
    Files& f = *files_;
    if (f.name != name) {
      const auto link = link_of(name);
      const bool there = h5::exists(f.state, link);
      f.dataset = there ? h5::open_dataset(f.state, link) : byte_string(f.state, link);
      f.bytes = there ? h5::shape_of(f.dataset)[0] : 0;
      f.name = name;
    }
    if (bytes.empty()) return;
    h5::append_rows(f.dataset, f.bytes, bytes.size(), H5T_NATIVE_UINT8, bytes.data());
    f.bytes += bytes.size();
  });
}

void CheckpointFiles::end() {
  guarded([&] {
    files_->dataset.close();
    files_->name.clear();
    files_->state.close();
    const hid_t f = files_->file.release();
    h5::check(H5Fclose(f), "closing the file");
    auto& store = *files_->store;
    store.commit(nullptr, {}, logging::Survives::kill);
    seal(store.file());
    store.file().sync();
    const auto bytes = store.file().size();
    const auto path = path_of(origin_.log, next_);
    std::filesystem::rename(fresh_, path);
    logging::sync_folder(path);
    files_.reset();
    last_ = path;
    last_bytes_ = bytes;
    ++written_;
    std::error_code ignored;
    for (const std::uint64_t k : {2u, 3u})  // a kill may have left the one before
      if (next_ > k && is_one(path_of(origin_.log, next_ - k)))
        std::filesystem::remove(path_of(origin_.log, next_ - k), ignored);
    ++next_;
  });
}

CheckpointFile::CheckpointFile(const std::filesystem::path& path)
    : path_(path), files_(std::make_unique<Files>()) {
  h5::Id& file = files_->file;
  h5::quiet();
  try {
    if (!std::filesystem::exists(path)) throw std::runtime_error("there is no such file");
    logging::require_hdf5(path);
    file = h5::Id(h5::check(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT),
                            "it is a truncated or damaged HDF5 file"));
    if (!h5::has_attribute(file, "checkpoint") ||
        h5::read_attribute<std::uint32_t>(file, "checkpoint") != magic)
      throw std::runtime_error(h5::exists(file, "spinet")
                                   ? "this is a log, not a checkpoint; checkpoints are called *.ckpt.N.h5"
                                   : "this is not a checkpoint");
    if (const auto v = h5::read_attribute<std::uint32_t>(file, "format_version"); v != format)
      throw std::runtime_error("its format is version " + std::to_string(v) + ", this is version " +
                               std::to_string(format));
    if (!seal_of(logging::File(path, logging::File::Mode::read)))
      throw std::runtime_error(
          "its end, with its digest, is missing: it was not finished, or another program has written to it");
    origin.version = h5::read_text_attribute(file, "version");
    number = h5::read_attribute<std::uint64_t>(file, "number");
    at = h5::read_attribute<Tick>(file, "at_ticks");
    duration = h5::read_attribute<Tick>(file, "duration_ticks");
    seed = h5::read_attribute<std::uint32_t>(file, "seed");
    origin.ranks = static_cast<int>(h5::read_attribute<std::uint32_t>(file, "ranks"));
    network_text = h5::read_text(file, "network");
    network_path = h5::read_text(file, "network_path");
    origin.data_root = h5::read_text(file, "data_root");
    const auto log = h5::read_text(file, "log");
    if (log.empty() || log == "." || log == ".." || log.find('/') != std::string::npos)
      throw std::runtime_error("its log, " + in_quotes(log) +
                               ", is not a file's name; a log lies beside its checkpoints");
    origin.log = path.parent_path() / log;
    origin.trigger = h5::read_text(file, "trigger");
    overrides = h5::read_texts(file, "overrides");
    origin.files = h5::read_texts(file, "files");
    origin.plugins = h5::read_texts(file, "plugins");
    files_->state = h5::open_group(file, "state");
  } catch (const LogError&) {
    throw;
  } catch (const std::exception& e) {
    throw LogError(path, e.what());
  }
}

void CheckpointFile::verify(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) throw LogError(path, "there is no such file");
  const logging::File file(path, logging::File::Mode::read);
  logging::require_hdf5(file);
  const auto seal = seal_of(file);  // the constructor says what a file without one is
  if (seal && digest_of(file, file.size() - sizeof *seal) != seal->digest)
    throw LogError(path, "the checkpoint is damaged: it is not what was written (its SHA-256 is another)");
}

std::uint64_t CheckpointFile::size(const std::string& name) const {
  try {
    const auto link = link_of(name);
    if (!h5::exists(files_->state, link)) return 0;
    const auto d = h5::open_dataset(files_->state, link);
    h5::check_number(h5::Id(h5::check(H5Dget_type(d), name)), name);
    const auto shape = h5::shape_of(d);
    if (shape.size() != 1 || H5Tget_size(h5::Id(H5Dget_type(d))) != 1)
      throw h5::Error("'" + name + "' is not a byte string");
    h5::check_size(d, name);
    return shape[0];
  } catch (const std::exception& e) {
    throw LogError(path_, std::string("the checkpoint is damaged: ") + e.what());
  }
}

void CheckpointFile::read(const std::string& name, std::uint64_t offset, std::span<std::byte> to) const {
  if (to.empty()) return;
  if (offset + to.size() > size(name))
    throw LogError(path_, "the checkpoint is damaged: '" + name + "' is too short");
  try {
    const auto d = h5::open_dataset(files_->state, link_of(name));
    const hsize_t start = offset, count = to.size();
    const h5::Id space(h5::check(H5Dget_space(d), name)),
        memory(h5::check(H5Screate_simple(1, &count, nullptr), name));
    h5::check(H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, nullptr, &count, nullptr), name);
    h5::check(H5Dread(d, H5T_NATIVE_UINT8, memory, space, H5P_DEFAULT, to.data()), "reading '" + name + "'");
  } catch (const std::exception& e) {
    throw LogError(path_, std::string("the checkpoint is damaged: ") + e.what());
  }
}

}  // namespace spinet
