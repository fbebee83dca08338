// `spinet run -n K`: starting ourselves under mpirun.
#pragma once
#include <string>
#include <vector>

namespace spinet::tool {

/// What is known about the machine when the command line of mpirun is made.
struct Machine {
  int cores = 1;  ///< physical cores this process may use
  bool root = false;
  bool terminal = false;  ///< stderr is one
};
Machine this_machine();

/// "4 ranks on 2 cores ...", where ranks would have to share cores; else empty.
std::string crowded(int ranks, int cores);
/// The same for a rank that a launcher has started on this machine; empty on all but the first, where we were
/// the launcher, and where it does not say how many ranks it has put here.
std::string crowded_here();

/// mpirun and its arguments, then `program` and `arguments`.
std::vector<std::string> mpirun_command(int ranks, const Machine& machine, const std::string& program,
                                        const std::vector<std::string>& arguments);

/// Runs `spinet ARGUMENTS` on `ranks` ranks, passes SIGINT and SIGTERM on, and returns the exit code of the
/// run. Throws UserError where mpirun is missing.
int launch(int ranks, const std::vector<std::string>& arguments);

}  // namespace spinet::tool
