// MPI from MPI_Init to MPI_Finalize, for programs.  No mpi.h needed by those who include this.
#pragma once
#include <exception>
#include <functional>
#include <memory>

#include "comm/transport.hpp"

namespace spinet {

/// The launcher and MPI disagree about how many processes there are.
struct LaunchError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct MpiOptions {
  std::size_t chunk = std::size_t{1} << 30;  ///< most bytes handed to one MPI call
  int patience_seconds = 30;  ///< how long a rank that failed waits for the others before it ends them
};

/// One per process.
class MpiSession {
 public:
  /// Initialises MPI.  Throws LaunchError where the launcher announces several processes and MPI sees only
  /// this one: each would run the whole network and write the same file.
  explicit MpiSession(MpiOptions options = {});
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;

  int rank() const;
  int size() const;

  /// Runs `body` on this rank and agrees with the other ranks on an exit code, the highest one, which is
  /// returned. An exception that began on this rank goes to `report`, which prints it and returns this rank's
  /// exit code; a RankFailed of another rank is not reported again.  A rank that fails outside a collective
  /// ends the others at their next one; if they do not come to one in time (an endless loop), the last resort
  /// is MPI_Abort with code 3.
  int run(const std::function<int(Transport&)>& body, const std::function<int(std::exception_ptr)>& report);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spinet
