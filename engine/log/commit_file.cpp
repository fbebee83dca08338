#include "log/commit_file.hpp"

#include <H5FDpublic.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace spinet::logging {

/// The HDF5 driver.  HDF5 sees `H5FD_t`; the callbacks find the CommitFile behind it.  No exception may pass
/// through HDF5's C code, so failures are kept as text and come back through h5::check.
struct CommitFile::Driver {
  H5FD_t base;  // must come first
  CommitFile* self;

  struct Info {
    CommitFile* self;
  };

  static CommitFile& of(const H5FD_t* f) { return *reinterpret_cast<const Driver*>(f)->self; }

  template <class F>
  static herr_t guarded(CommitFile& self, F&& f) noexcept {
    try {
      f();
      return 0;
    } catch (const std::exception& e) {
      if (self.failure_.empty()) self.failure_ = e.what();
      return -1;
    }
  }

  static H5FD_t* open(const char*, unsigned, hid_t access, haddr_t) {
    const auto* info = static_cast<const Info*>(H5Pget_driver_info(access));
    if (!info) return nullptr;
    auto* d = new Driver{};
    d->self = info->self;
    d->self->eoa_ = 0;
    return &d->base;
  }
  static herr_t close(H5FD_t* f) {
    delete reinterpret_cast<Driver*>(f);
    return 0;
  }
  static int cmp(const H5FD_t* a, const H5FD_t* b) { return &of(a) < &of(b) ? -1 : &of(a) > &of(b) ? 1 : 0; }
  static herr_t query(const H5FD_t*, unsigned long* flags) {
    // Not H5FD_FEAT_ACCUMULATE_METADATA: with damaged addresses HDF5 1.10's accumulator reads outside its
    // buffer.
    if (flags)
      *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_AGGREGATE_SMALLDATA |
               H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
  }
  static haddr_t get_eoa(const H5FD_t* f, H5FD_mem_t) { return of(f).eoa_; }
  static herr_t set_eoa(H5FD_t* f, H5FD_mem_t, haddr_t address) {
    of(f).eoa_ = address;
    return 0;
  }
  static haddr_t get_eof(const H5FD_t* f, H5FD_mem_t) { return of(f).eof_; }
  static herr_t read(H5FD_t* f, H5FD_mem_t, hid_t, haddr_t at, std::size_t size, void* into) {
    return guarded(of(f), [&] { of(f).read(at, {static_cast<std::byte*>(into), size}); });
  }
  static herr_t write(H5FD_t* f, H5FD_mem_t, hid_t, haddr_t at, std::size_t size, const void* from) {
    const std::span bytes(static_cast<const std::byte*>(from), size);
    if (guarded(of(f), [&] { of(f).write(at, bytes); }) == 0) return 0;
    of(f).discard();
    return guarded(of(f), [&] { of(f).write(at, bytes); });
  }
  static herr_t truncate(H5FD_t* f, hid_t, hbool_t) {
    of(f).eof_ = of(f).eoa_;
    return 0;
  }

  static const H5FD_class_t& table() {
    static const H5FD_class_t t = [] {
      H5FD_class_t c{};
      c.name = "spinet_commit";
      c.maxaddr = (haddr_t{1} << 63) - 1;
      c.fc_degree = H5F_CLOSE_STRONG;
      c.fapl_size = sizeof(Info);
      c.open = open;
      c.close = close;
      c.cmp = cmp;
      c.query = query;
      c.get_eoa = get_eoa;
      c.set_eoa = set_eoa;
      c.get_eof = get_eof;
      c.read = read;
      c.write = write;
      c.truncate = truncate;
      const H5FD_mem_t map[] = H5FD_FLMAP_DICHOTOMY;
      std::copy(std::begin(map), std::end(map), c.fl_map);
      return c;
    }();
    return t;
  }
};

CommitFile::CommitFile(File file, Pages held, std::uint64_t eof)
    : file_(std::move(file)), held_(std::move(held)) {
  eof_ = std::max(file_.size(), eof);
  // What a dead writer left past its last commit is garbage, but telling where that begins takes HDF5; so all
  // that is there counts as committed, and an overwrite of it goes through the journal like any other.
  committed_ = eof_;
  committed_size_ = eof_;
}

CommitFile::~CommitFile() {
  if (driver_ >= 0) H5FDunregister(driver_);
}

h5::Id CommitFile::access() {
  h5::quiet();
  if (driver_ < 0) driver_ = h5::check(H5FDregister(&Driver::table()), "the file driver");
  h5::Id p(h5::check(H5Pcreate(H5P_FILE_ACCESS), "file access"));
  const Driver::Info info{this};
  h5::check(H5Pset_driver(p, driver_, &info), "the file driver");
  return p;
}

void CommitFile::read(std::uint64_t at, std::span<std::byte> into) {
  file_.read(at, into);
  // Held pages are newer than the file.
  auto it = held_.upper_bound(at);
  if (it != held_.begin()) --it;
  for (; it != held_.end() && it->first < at + into.size(); ++it) {
    const auto from = std::max(at, it->first), to = std::min(at + into.size(), it->first + it->second.size());
    if (from < to) std::memcpy(into.data() + (from - at), it->second.data() + (from - it->first), to - from);
  }
}

void CommitFile::write(std::uint64_t at, std::span<const std::byte> bytes) {
  eof_ = std::max(eof_, at + bytes.size());
  const std::uint64_t limit = discarding_ ? ~std::uint64_t{0} : committed_;
  while (!bytes.empty() && at < limit) {
    const std::uint64_t begin = at / page * page;
    const std::uint64_t n =
        std::min({begin + page - at, limit - at, static_cast<std::uint64_t>(bytes.size())});
    auto it = held_.find(begin);
    if (it == held_.end()) {
      std::vector<std::byte> old(std::min(page, limit - begin));
      read(begin, old);
      it = held_.emplace(begin, std::move(old)).first;
    }
    // A page held since a smaller limit (the last one of the file) grows with it.
    if (it->second.size() < at - begin + n) {
      const auto known = it->second.size();
      it->second.resize(at - begin + n);
      file_.read(begin + known, std::span(it->second).subspan(known));
    }
    std::memcpy(it->second.data() + (at - begin), bytes.data(), n);
    at += n;
    bytes = bytes.subspan(n);
  }
  if (!bytes.empty()) file_.write(at, bytes);
}

void CommitFile::commit(Journal* journal, Commit extra, Survives survives) {
  if (!failure_.empty()) throw LogError(file_.path(), failure_);
  // HDF5 refuses a file that is shorter than its superblock says.
  if (file_.size() < eoa_) file_.resize(eoa_);
  if (journal) {
    extra.eof = eoa_;
    extra.pages.swap(held_);
    try {
      if (survives == Survives::power_cut) file_.sync();
      journal->append(extra);
      if (survives == Survives::power_cut) journal->sync();
    } catch (...) {
      held_.swap(extra.pages);
      throw;
    }
    held_.swap(extra.pages);
  }
  // From here on the commit has happened, even if a page cannot be written now: the journal will.
  committed_size_ = eoa_;
  for (const auto& [offset, bytes] : held_) file_.write(offset, bytes);
  held_.clear();
  committed_ = std::max({committed_, eoa_, eof_});
}

void CommitFile::trim() {
  if (file_.size() > committed_size_) file_.resize(committed_size_);
}

}  // namespace spinet::logging
