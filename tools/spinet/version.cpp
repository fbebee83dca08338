// spinet version
#include <fmt/core.h>

#include "commands.hpp"
#include "spinet/model.hpp"

namespace spinet::tool {

void add_version(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("version", "Print the version and what it was built with");
  sub->callback([&action] {
    action = [] {
#ifdef SPINET_HAS_MPI
      const char* mpi = SPINET_MPIRUN;
#else
      const char* mpi = "no";
#endif
      fmt::print("spinet {}\nplugin interface {}\ncompiler {}\nMPI {}\n", SPINET_VERSION, abi_version,
                 __VERSION__, mpi);
      return fine;
    };
  });
}

}  // namespace spinet::tool
