// MpiTransport on 1 to 4 ranks.  Contents and failures; the latency is printed, not judged (shared machines).
#include <mpi.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <iostream>

#include "comm/collectively.hpp"
#include "comm/faulty.hpp"
#include "comm/mpi_transport.hpp"
#include "mpi_world.hpp"
#include "transport_checks.hpp"

constexpr auto by_messages = spinet::MpiTransport::Slots::messages;

TEST_CASE("every rank gets everyone's bytes") { CHECK_NOTHROW(check_collectives(world(), 300, 100'000)); }

TEST_CASE("messages longer than one MPI call may carry arrive in pieces") {
  for (const std::size_t chunk : {64, 1000, 4096}) {
    spinet::MpiTransport t(MPI_COMM_WORLD, chunk, by_messages);
    CHECK_NOTHROW(check_collectives(t, 60, 40'000));
  }
}

TEST_CASE(
    "messages longer than what ranks of one machine share, and much shorter ones, one after the other") {
  spinet::MpiTransport t(MPI_COMM_WORLD, 50'000);
  CHECK_NOTHROW(check_collectives(t, 12, 600'000));
  CHECK_NOTHROW(check_collectives(t, 2000, 100));
}

TEST_CASE("the slot follows the messages, alike on all ranks") {
  spinet::MpiTransport t(MPI_COMM_WORLD, 1 << 20, by_messages);
  spinet::Gathered all;
  const auto all_gather_from_last = [&](std::size_t size) {
    const std::vector<std::byte> mine(t.rank() == t.size() - 1 ? size : 0);
    t.all_gather(mine, all);
    REQUIRE(all.bytes.size() == size);
  };
  const auto at_first = t.capacity();
  all_gather_from_last(3000);
  CHECK(t.capacity() > 3000);
  for (int i = 0; i < 130; ++i) all_gather_from_last(20);
  CHECK(t.capacity() == at_first);
  all_gather_from_last(10'000'000);  // far beyond a slot: two steps, and small messages as before
  CHECK(t.capacity() == at_first);
}

TEST_CASE("a rank that fails ends the collective of the others with its message") {
  const auto slots = GENERATE(spinet::MpiTransport::Slots::shared, by_messages);
  spinet::MpiTransport t(MPI_COMM_WORLD, 1 << 20, slots);
  const int failing = t.size() - 1;
  bool told = false;
  try {
    spinet::FaultyTransport faulty(t, failing, 23);
    check_collectives(faulty, 50, 1000);
  } catch (const spinet::InjectedFault& e) {
    told = t.rank() == failing;
    CHECK(t.farewell(2, e.what()) == 2);
  } catch (const spinet::RankFailed& e) {
    told = e.rank == failing &&
           std::string(e.what()) == "injected fault on rank " + std::to_string(failing) + " at collective 23";
    CHECK(t.farewell(0, "told") == 2);
  }
  CHECK(told);
}

TEST_CASE("ranks agree on the highest exit code") {
  spinet::MpiTransport t(MPI_COMM_WORLD, 1 << 20);
  CHECK(t.farewell(t.rank() == 0 ? 2 : 0, "") == 2);
}

TEST_CASE("latency of an all_gather") {
  const auto slots = GENERATE(spinet::MpiTransport::Slots::shared, by_messages);
  spinet::MpiTransport t(MPI_COMM_WORLD, 1 << 20, slots);
  spinet::Gathered all;
  for (const std::size_t size : {20, 300, 2000, 20'000, 200'000}) {
    const std::vector<std::byte> mine(size);
    double best = 1e9;
    for (int trial = 0; trial < 3; ++trial) {
      t.all_gather({}, all);
      const auto begin = std::chrono::steady_clock::now();
      for (int i = 0; i < 100; ++i) t.all_gather(mine, all);
      best = std::min(
          best,
          std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count() / 100);
    }
    CHECK(all.bytes.size() == size * static_cast<std::size_t>(t.size()));
    if (t.rank() == 0)
      std::cout << (slots == by_messages ? "by messages: " : "shared: ") << "all_gather of " << size
                << " B on " << t.size() << " ranks: " << best << " us\n";
  }
}
