// main() of the tests that run under MPI.
#include "mpi_world.hpp"

#include <iostream>

#include "catch_session.hpp"
#include "comm/mpi_session.hpp"

namespace {
spinet::Transport* transport = nullptr;
}
spinet::Transport& world() { return *transport; }

int main(int argc, char** argv) {
  spinet::MpiSession mpi;
  return mpi.run(
      [&](spinet::Transport& t) {
        transport = &t;
        // After a failed check the ranks would be in different collectives; ending here makes the others end
        // too.
        return run_tests(argc, argv, 1) == 0 ? 0 : 1;
      },
      [](std::exception_ptr error) {
        try {
          std::rethrow_exception(error);
        } catch (const std::exception& e) {
          std::cerr << e.what() << '\n';
        }
        return 3;
      });
}
