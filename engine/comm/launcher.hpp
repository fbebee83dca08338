// What the process environment says about who started us.  Reads variables only; needs no MPI.
#pragma once
#include <functional>
#include <optional>
#include <string>

namespace spinet {

/// A launcher that announces itself to the processes it starts.
struct Launch {
  int processes;         ///< how many it says it started
  std::string variable;  ///< where it says so, for messages
};

/// The launcher of this process, if there is one: mpirun (Open MPI, MPICH, Intel, MVAPICH) or srun.
/// A shell inside a Slurm allocation is not a launch: only srun's own step variables count.
/// `get` reads an environment variable and returns null if it is not set.
std::optional<Launch> find_launch(const std::function<const char*(const char*)>& get);
std::optional<Launch> find_launch();

}  // namespace spinet
