#include "log/new_file.hpp"

#include "log/commit_file.hpp"
#include "log/file.hpp"
#include "log/output_lock.hpp"

namespace spinet::logging {
namespace {

/// A file under a temporary name, which goes unless it gets its own.  Messages name the latter.
class Fresh {
 public:
  explicit Fresh(std::filesystem::path path) : path_(std::move(path)), temporary_(temporary_name(path_)) {}
  Fresh(const Fresh&) = delete;
  ~Fresh() {
    std::error_code ignored;
    if (!named_) std::filesystem::remove(temporary_, ignored);
  }
  File create() const {
    File file(temporary_, File::Mode::create);
    file.renamed(path_);
    return file;
  }
  /// `file` is whole.
  void give_name(File& file) {
    file.sync();
    std::error_code error;
    std::filesystem::rename(temporary_, path_, error);
    if (error) throw LogError(path_, "cannot be replaced: " + error.message());
    named_ = true;
    sync_folder(path_);
  }

 private:
  std::filesystem::path path_, temporary_;
  bool named_ = false;
};

}  // namespace

void write_hdf5(const std::filesystem::path& path, const std::function<void(hid_t)>& fill) {
  Fresh fresh(path);
  // HDF5 does not survive failing writes while it closes: the store keeps them from it.
  CommitFile store(fresh.create());
  h5::Id file;
  try {
    const auto access = store.access();
    h5::check(H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110), "file access");
    file =
        h5::Id(h5::check(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access), "creating the file"));
    fill(file);
    h5::check(H5Fclose(file.release()), "closing the file");
  } catch (const h5::Error& e) {
    store.discard();
    file.close();
    if (store.failure().empty()) throw LogError(path, std::string("cannot be written: ") + e.what());
  } catch (...) {
    store.discard();
    file.close();
    throw;
  }
  if (!store.failure().empty()) throw std::runtime_error(store.failure());  // which names the file
  store.commit(nullptr, {}, Survives::kill);
  fresh.give_name(store.file());
}

void write_whole(const std::filesystem::path& path, std::string_view bytes) {
  Fresh fresh(path);
  File file = fresh.create();
  file.write(0, std::as_bytes(std::span(bytes)));
  fresh.give_name(file);
}

}  // namespace spinet::logging
