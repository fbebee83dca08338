#include "comm/mpi_session.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "comm/launcher.hpp"
#include "comm/mpi_transport.hpp"

namespace spinet {
namespace {

/// Ends all ranks if it is not destroyed in time.
class LastResort {
 public:
  explicit LastResort(int seconds)
      : thread_([this, seconds](std::stop_token stop) {
          std::unique_lock lock(mutex_);
          if (!wake_.wait_for(lock, stop, std::chrono::seconds(seconds),
                              [&] { return stop.stop_requested(); }))
            MPI_Abort(MPI_COMM_WORLD, 3);
        }) {}

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

std::string message_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "unknown exception";
  }
}

}  // namespace

struct MpiSession::Impl {
  MpiOptions options;
  std::optional<MpiTransport> world;
};

MpiSession::MpiSession(MpiOptions options) : impl_(std::make_unique<Impl>()) {
  impl_->options = options;
  // Higher levels of thread support cost latency in every call; LastResort's one call comes when all else has
  // failed.
  int provided = 0;
  if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS)
    throw std::runtime_error("MPI_Init failed");
  int size = 1;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  const auto launch = find_launch();
  if (launch && launch->processes > 1 && size == 1) {
    char library[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;
    MPI_Get_library_version(library, &length);
    std::string built_with(library, static_cast<std::size_t>(length));
    built_with.erase(std::min(built_with.find_first_of(",\n"), built_with.size()));
    MPI_Finalize();
    throw LaunchError(
        "the launcher started " + std::to_string(launch->processes) + " processes (" + launch->variable +
        "), but MPI sees only this one: the launcher belongs to another MPI than the one spinet was built "
        "with (" +
        built_with + "); use that one's mpirun, or `spinet run -n`");
  }
  impl_->world.emplace(MPI_COMM_WORLD, options.chunk);
}

MpiSession::~MpiSession() {
  if (!impl_->world) return;
  impl_->world.reset();
  MPI_Finalize();
}

int MpiSession::rank() const { return impl_->world->rank(); }
int MpiSession::size() const { return impl_->world->size(); }

int MpiSession::run(const std::function<int(Transport&)>& body,
                    const std::function<int(std::exception_ptr)>& report) {
  int code = 0;
  bool failed = false;
  std::string message;  // for the other ranks; empty if all is well
  try {
    code = body(*impl_->world);
  } catch (const RankFailed& e) {
    failed = true;
    message = e.what();
    if (e.rank == rank()) code = report(std::current_exception());
  } catch (...) {
    failed = true;
    message = message_of(std::current_exception());
    code = report(std::current_exception());
  }
  std::optional<LastResort> last_resort;
  if (failed) last_resort.emplace(impl_->options.patience_seconds);
  try {
    code = impl_->world->farewell(code, failed && message.empty() ? "failed" : message);
  } catch (...) {
    report(std::current_exception());
    MPI_Abort(MPI_COMM_WORLD, 3);
  }
  if (impl_->world->left_waiting())
    report(std::make_exception_ptr(
        std::logic_error("rank " + std::to_string(rank()) + " ended while other ranks wait for it")));
  return code;
}

}  // namespace spinet
