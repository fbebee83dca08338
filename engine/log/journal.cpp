#include "log/journal.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <utility>

#include "log/output_lock.hpp"
#include "network/suggest.hpp"

namespace spinet::logging {
namespace {

constexpr std::uint32_t record_magic = 0x4a4e5053;  // "SPNJ"
constexpr std::uint32_t journal_version = 1;
enum class Record : std::uint32_t { head = 1, commit = 2 };

/// What every record starts with.  The checksum covers the payload and the fields before it.
struct RecordHead {
  std::uint32_t magic;
  Record kind;
  std::uint64_t payload_bytes;
  std::uint32_t checksum;
  std::uint32_t reserved;
};
static_assert(sizeof(RecordHead) == 24);

std::uint32_t checksum(const RecordHead& h, std::span<const std::byte> payload) {
  auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(&h), offsetof(RecordHead, checksum));
  return static_cast<std::uint32_t>(
      crc32_z(crc, reinterpret_cast<const Bytef*>(payload.data()), payload.size()));
}

class Encoder {
 public:
  explicit Encoder(std::size_t expected = 256) {
    out_.reserve(sizeof(RecordHead) + expected);
    out_.resize(sizeof(RecordHead));
  }
  template <class T>
  void put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    put(std::as_bytes(std::span(&value, 1)));
  }
  void put(std::span<const std::byte> bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  std::vector<std::byte> record(Record kind) && {
    RecordHead h{record_magic, kind, out_.size() - sizeof(RecordHead), 0, 0};
    h.checksum = checksum(h, std::span(out_).subspan(sizeof h));
    std::memcpy(out_.data(), &h, sizeof h);
    return std::move(out_);
  }

 private:
  std::vector<std::byte> out_;
};

/// Takes values off the front; `ok` turns false, and stays so, when there are too few bytes.
class Decoder {
 public:
  explicit Decoder(std::span<const std::byte> bytes) : rest_(bytes) {}
  template <class T>
  T get() {
    T value{};
    const auto b = take(sizeof value);
    if (ok) std::memcpy(&value, b.data(), sizeof value);
    return value;
  }
  std::span<const std::byte> take(std::uint64_t n) {
    if (!ok || n > rest_.size()) {
      ok = false;
      return {};
    }
    const auto b = rest_.first(n);
    rest_ = rest_.subspan(n);
    return b;
  }
  std::uint64_t left() const { return rest_.size(); }
  bool ok = true;

 private:
  std::span<const std::byte> rest_;
};

std::vector<std::byte> encode(const JournalHead& head) {
  Encoder e;
  e.put(journal_version);
  e.put(std::span<const std::byte>(head.run_id));
  e.put(head.stamp_offset);
  e.put(static_cast<std::uint32_t>(head.streams.size()));
  for (const auto& stream : head.streams) {
    e.put(static_cast<std::uint32_t>(stream.size()));
    for (const auto& column : stream) {
      e.put(column.row_bytes);
      e.put(static_cast<std::uint32_t>(column.dataset.size()));
      e.put(std::as_bytes(std::span(column.dataset)));
    }
  }
  return std::move(e).record(Record::head);
}

bool decode(std::span<const std::byte> payload, JournalHead& head, std::uint32_t& version) {
  Decoder d(payload);
  version = d.get<std::uint32_t>();
  if (!d.ok || version != journal_version) return false;
  const auto id = d.take(head.run_id.size());
  if (!d.ok) return false;
  std::memcpy(head.run_id.data(), id.data(), id.size());
  head.stamp_offset = d.get<std::uint64_t>();
  const auto streams = d.get<std::uint32_t>();
  for (std::uint32_t s = 0; d.ok && s < streams; ++s) {
    auto& stream = head.streams.emplace_back();
    const auto columns = d.get<std::uint32_t>();
    for (std::uint32_t c = 0; d.ok && c < columns; ++c) {
      ColumnName name;
      name.row_bytes = d.get<std::uint32_t>();
      const auto text = d.take(d.get<std::uint32_t>());
      name.dataset.assign(reinterpret_cast<const char*>(text.data()), text.size());
      stream.push_back(std::move(name));
    }
  }
  return d.ok && d.left() == 0;
}

/// Whether rows may be appended to this dataset: it lies below one of the groups that a run fills
/// (FORMAT.md).
bool is_of_a_log(const std::string& path) {
  static constexpr std::string_view roots[] = {"/spikes/",  "/report/",        "/edges/",
                                               "/weights/", "/weight_events/", "/metrics/"};
  const auto starts = [&](std::string_view root) { return path.starts_with(root); };
  if (std::none_of(std::begin(roots), std::end(roots), starts) || path.find('\0') != std::string::npos)
    return false;
  for (std::size_t at = 1, end = 0; end != path.size(); at = end + 1) {
    end = std::min(path.find('/', at), path.size());
    const auto part = std::string_view(path).substr(at, end - at);
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

std::vector<std::byte> encode(const Commit& commit) {
  std::size_t bytes = 64;
  for (const auto& [offset, page] : commit.pages) bytes += 16 + page.size();
  for (const auto& rows : commit.rows) {
    bytes += 24;
    for (const auto& column : rows.columns) bytes += column.size();
  }
  Encoder e(bytes);
  e.put(commit.number);
  e.put(commit.reached);
  e.put(commit.eof);
  e.put(static_cast<std::uint32_t>(commit.pages.size()));
  e.put(static_cast<std::uint32_t>(commit.rows.size()));
  for (const auto& [offset, bytes] : commit.pages) {
    e.put(offset);
    e.put(static_cast<std::uint64_t>(bytes.size()));
    e.put(std::span<const std::byte>(bytes));
  }
  for (const auto& rows : commit.rows) {
    e.put(rows.stream);
    e.put(rows.first);
    e.put(rows.count);
    for (const auto& column : rows.columns) e.put(column);
  }
  return std::move(e).record(Record::commit);
}

bool decode(std::span<const std::byte> payload, const JournalHead& head, Commit& commit) {
  Decoder d(payload);
  commit.number = d.get<std::uint64_t>();
  commit.reached = d.get<Tick>();
  commit.eof = d.get<std::uint64_t>();
  const auto pages = d.get<std::uint32_t>();
  const auto rows = d.get<std::uint32_t>();
  for (std::uint32_t i = 0; d.ok && i < pages; ++i) {
    const auto offset = d.get<std::uint64_t>();
    const auto bytes = d.take(d.get<std::uint64_t>());
    if (d.ok) commit.pages.emplace(offset, std::vector<std::byte>(bytes.begin(), bytes.end()));
  }
  for (std::uint32_t i = 0; d.ok && i < rows; ++i) {
    Rows r{};
    r.stream = d.get<std::uint32_t>();
    r.first = d.get<std::uint64_t>();
    r.count = d.get<std::uint64_t>();
    if (!d.ok || r.stream >= head.streams.size()) return false;
    for (const auto& column : head.streams[r.stream]) {
      if (column.row_bytes != 0 && r.count > d.left() / column.row_bytes) return false;
      r.columns.push_back(d.take(r.count * column.row_bytes));
    }
    commit.rows.push_back(std::move(r));
  }
  return d.ok && d.left() == 0;
}

}  // namespace

std::filesystem::path Journal::path_of(const std::filesystem::path& log) {
  auto path = without_links(log);
  return path += ".journal";
}

void Journal::refuse(const std::filesystem::path& log, Replace replace) {
  const auto path = path_of(log);
  std::error_code ignored;
  const auto there = std::filesystem::symlink_status(path, ignored);
  if (!std::filesystem::exists(there)) return;
  RecordHead head{};
  if (std::filesystem::is_regular_file(there))
    File(path, File::Mode::read).read(0, std::as_writable_bytes(std::span(&head, 1)));
  if (head.magic != record_magic || head.kind != Record::head)
    throw ForeignFile(path,
                      "has the name of the journal of " + log.filename().string() +
                          ", but is none; it is not replaced: move it away, or give another name with -o");
  if (replace == Replace::no)
    throw LogError(path,
                   "is the journal of a run that was killed, and its log has been moved away; move it "
                   "to the log and type `spinet info --repair`, or use --force to throw it away");
}

File Journal::begin(const Commit* first) {
  auto all = encode(head_);
  if (first) {
    const auto record = encode(*first);
    all.insert(all.end(), record.begin(), record.end());
  }
  File file(temporary_name(path_of(log_)), File::Mode::create, fault_);
  try {
    file.write(0, all);
    if (survives_ == Survives::power_cut) file.sync();
  } catch (const LogError&) {
    std::error_code ignored;
    std::filesystem::remove(file.path(), ignored);
    throw;
  }
  bytes_ = all.size();
  return file;
}

void Journal::publish(File& file) {
  std::error_code error, ignored;
  std::filesystem::rename(file.path(), path_of(log_), error);
  if (error)
    throw LogError(path_of(log_), "cannot rename " + file.path().string() + " to this: " + error.message());
  if (survives_ == Survives::power_cut) sync_folder(path_of(log_));
  file.renamed(path_of(log_));
}

void Journal::publish() { publish(file_); }

void Journal::discard() noexcept {
  std::error_code ignored;
  std::filesystem::remove(file_.path(), ignored);
}

Journal::Journal(const std::filesystem::path& log, JournalHead head, const Commit* first, Survives survives,
                 WriteFault fault)
    : log_(log), head_(std::move(head)), survives_(survives), fault_(std::move(fault)), file_(begin(first)) {}

Journal::Journal(const std::filesystem::path& log, JournalHead head, std::uint64_t valid_bytes,
                 WriteFault fault)
    : log_(log),
      head_(std::move(head)),
      fault_(std::move(fault)),
      bytes_(valid_bytes),
      file_(path_of(log), File::Mode::write, fault_) {
  if (file_.size() != valid_bytes) file_.resize(valid_bytes);
}

void Journal::append(const Commit& commit) {
  const auto record = encode(commit);
  try {
    file_.write(bytes_, record);
  } catch (const LogError&) {
    // A torn record is not valid anyway; dropping it only gives its room back.
    try {
      file_.resize(bytes_);
    } catch (const LogError&) {
    }
    throw;
  }
  bytes_ += record.size();
}

void Journal::restart(const Commit& live) {
  File fresh = begin(&live);
  publish(fresh);
  file_ = std::move(fresh);
}

void Journal::remove(const std::filesystem::path& log) {
  std::error_code error;
  std::filesystem::remove(path_of(log), error);
  if (error) throw LogError(path_of(log), "cannot remove the journal: " + error.message());
}

FoundJournal read_journal(const std::filesystem::path& log) {
  return read_journal_file(Journal::path_of(log));
}

bool belongs_to(const FoundJournal& journal, const std::filesystem::path& log) {
  Stamp stamp;
  const File file(log, File::Mode::read);
  const auto there = file.read(journal.head.stamp_offset, std::as_writable_bytes(std::span(&stamp, 1)));
  return there == sizeof stamp && stamp.run_id == journal.head.run_id;
}

FoundJournal read_journal_file(const std::filesystem::path& journal) {
  const File file(journal, File::Mode::read);
  FoundJournal found;
  found.bytes.resize(file.size());
  found.bytes.resize(file.read(0, found.bytes));
  const std::span<const std::byte> all(found.bytes);
  std::uint64_t at = 0;
  bool have_head = false;
  while (all.size() - at >= sizeof(RecordHead)) {
    RecordHead h;
    std::memcpy(&h, all.data() + at, sizeof h);
    if (h.magic != record_magic || h.payload_bytes > all.size() - at - sizeof h) break;
    const auto payload = all.subspan(at + sizeof h, h.payload_bytes);
    if (checksum(h, payload) != h.checksum) break;
    if (!have_head) {
      std::uint32_t version = 0;
      if (h.kind != Record::head || !decode(payload, found.head, version)) {
        if (version > journal_version)
          throw LogError(file.path(),
                         "was written by a newer version (journal format " + std::to_string(version) + ")");
        break;
      }
      for (const auto& stream : found.head.streams)
        for (const auto& column : stream)
          if (!is_of_a_log(column.dataset))
            throw LogError(file.path(), "names a dataset that no run fills, and is not used: " +
                                            in_quotes(column.dataset));
      have_head = true;
    } else {
      Commit commit;
      if (h.kind != Record::commit || !decode(payload, found.head, commit)) break;
      found.commits.push_back(std::move(commit));
    }
    at += sizeof h + h.payload_bytes;
  }
  // A journal gets its name only when its head is whole, so one without a head is not ours.
  if (!have_head) throw LogError(file.path(), "is not the journal of a log, or its first bytes are damaged");
  found.valid_bytes = at;
  found.torn_bytes = all.size() - at;
  return found;
}

}  // namespace spinet::logging
