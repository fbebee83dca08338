#include <atomic>
#include <catch2/catch.hpp>
#include <map>

#include "comm/collectively.hpp"
#include "comm/faulty.hpp"
#include "comm/launcher.hpp"
#include "comm/loopback.hpp"
#include "comm/serial.hpp"
#include "transport_checks.hpp"

using spinet::RankFailed;
using spinet::Transport;

TEST_CASE("serial transport: everyone is oneself") {
  spinet::SerialTransport t;
  CHECK(t.size() == 1);
  check_collectives(t, 200, 5000);
}

TEST_CASE("loopback: every rank gets everyone's bytes, in rank order") {
  for (const int ranks : {1, 2, 3, 7})
    CHECK_NOTHROW(spinet::run_loopback(ranks, [](Transport& t) { check_collectives(t, 300, 5000); }));
}

TEST_CASE("loopback: a rank that throws ends the others with its message, wherever it was") {
  for (const std::uint64_t call : {1, 2, 17}) {
    std::atomic<int> told = 0;
    const auto body = [&](Transport& t) {
      spinet::FaultyTransport faulty(t, 1, call);
      try {
        check_collectives(faulty, 50, 1000);
      } catch (const RankFailed& e) {
        if (e.rank == 1 &&
            std::string(e.what()) == "injected fault on rank 1 at collective " + std::to_string(call))
          ++told;
        throw;
      }
    };
    CHECK_THROWS_AS(spinet::run_loopback(4, body), spinet::InjectedFault);
    CHECK(told == 3);
  }
}

TEST_CASE("loopback: a rank that returns too early is named") {
  const auto body = [](Transport& t) {
    spinet::Gathered all;
    if (t.rank() != 2) t.all_gather({}, all);
  };
  CHECK_THROWS_WITH(spinet::run_loopback(3, body), "rank 2 returned while other ranks wait in a collective");
}

TEST_CASE("work done collectively fails everywhere if it fails anywhere") {
  std::atomic<int> others = 0, own = 0;
  spinet::run_loopback(4, [&](Transport& t) {
    collectively(t, [] {});
    try {
      collectively(t, [&] {
        if (t.rank() == 1 || t.rank() == 3) throw std::out_of_range("no. " + std::to_string(t.rank()));
      });
    } catch (const RankFailed& e) {
      if (e.rank == 1 && std::string(e.what()) == "no. 1") ++others;
    } catch (const std::out_of_range&) {
      own += t.rank();
    }
    check_collectives(t, 10, 100);  // and the transport is in order afterwards
  });
  CHECK(own == 1);
  CHECK(others == 3);
}

TEST_CASE("the launcher is read from its own variables only") {
  const auto found = [](std::map<std::string, std::string> variables) {
    return spinet::find_launch([&](const char* name) -> const char* {
      const auto it = variables.find(name);
      return it == variables.end() ? nullptr : it->second.c_str();
    });
  };
  CHECK(!found({}));
  CHECK(found({{"OMPI_COMM_WORLD_SIZE", "4"}})->processes == 4);
  CHECK(found({{"PMI_SIZE", "1"}})->processes == 1);
  CHECK(!found({{"PMI_SIZE", "many"}}));
  // A Slurm batch script, and a shell of `salloc`, are not launches; a task of srun is.
  CHECK(!found({{"SLURM_NTASKS", "8"}, {"SLURM_PROCID", "0"}, {"SLURM_JOB_ID", "17"}}));
  CHECK(!found({{"SLURM_STEP_ID", "0"},
                {"SLURM_PROCID", "0"},
                {"SLURM_STEP_NUM_TASKS", "8"},
                {"SLURM_PTY_PORT", "4711"}}));
  const auto srun = found({{"SLURM_STEP_ID", "0"}, {"SLURM_PROCID", "3"}, {"SLURM_STEP_NUM_TASKS", "8"}});
  CHECK(srun->processes == 8);
  CHECK(srun->variable == "SLURM_STEP_NUM_TASKS");
  // mpirun inside a Slurm job: one daemon per node is an srun task, the ranks are mpirun's.
  CHECK(found({{"SLURM_STEP_ID", "0"},
               {"SLURM_PROCID", "0"},
               {"SLURM_STEP_NUM_TASKS", "2"},
               {"OMPI_COMM_WORLD_SIZE", "64"}})
            ->processes == 64);
}
