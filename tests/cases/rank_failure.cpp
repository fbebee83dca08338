// Ranks that fail in different ways; command.py looks at messages, exit code and time.
#include <chrono>
#include <iostream>
#include <thread>

#include "comm/mpi_session.hpp"

int main(int, char** argv) {
  const std::string how = argv[1];
  spinet::MpiSession mpi({.patience_seconds = 3});
  return mpi.run(
      [&](spinet::Transport& t) {
        spinet::Gathered all;
        for (int i = 0; i < 100; ++i) {
          if (i == 50 && how == "everywhere") throw std::invalid_argument("all have failed");
          if (i == 50 && t.rank() == 1) {
            if (how == "wrong_input") throw std::invalid_argument("rank 1 has failed");
            if (how == "early") return 0;
            throw std::runtime_error("rank 1 has failed");
          }
          // Rank 2 comes to no collective any more.
          if (i == 50 && how == "endless" && t.rank() == 2)
            std::this_thread::sleep_for(std::chrono::hours(1));
          t.all_gather(std::as_bytes(std::span(&i, 1)), all);
        }
        return 0;
      },
      [](std::exception_ptr error) {
        try {
          std::rethrow_exception(error);
        } catch (const std::invalid_argument& e) {
          std::cerr << std::string(e.what()) + "\n";
          return 2;
        } catch (const std::exception& e) {
          std::cerr << std::string(e.what()) + "\n";
          return 3;
        }
      });
}
