// main() of the tests that run under MPI.
#define CATCH_CONFIG_RUNNER
#include "mpi_world.hpp"

#include <catch2/catch.hpp>
#include <iostream>

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
        Catch::Session session;
        if (const int code = session.applyCommandLine(argc, argv)) return code;
        // After a failed check the ranks would be in different collectives; ending here makes the others end
        // too.
        session.configData().abortAfter = 1;
        return session.run() == 0 ? 0 : 1;
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
