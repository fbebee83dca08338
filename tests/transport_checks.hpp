// Checks that hold for every Transport, on any number of ranks.  They throw instead of using Catch's macros,
// which are not safe on several threads; FAIL is made of the exception by whoever joins the ranks.
#pragma once
#include <stdexcept>
#include <string>

#include "comm/transport.hpp"
#include "spinet/random.hpp"

inline void expect(bool holds, const std::string& what) {
  if (!holds) throw std::logic_error(what);
}

/// `length` bytes that only `rank` sends at `call`.
inline std::vector<std::byte> message(int rank, std::uint64_t call, std::size_t length) {
  std::vector<std::byte> bytes(length);
  const auto words = spinet::draw({7, 1}, static_cast<std::uint64_t>(rank), call);
  for (std::size_t i = 0; i < length; ++i)
    bytes[i] = static_cast<std::byte>(words[i % 4] >> (8 * (i / 4 % 4)) ^ (i >> 4));
  return bytes;
}

/// The length that `rank` sends at `call`: mostly small, at times nothing, at times more than any first guess
/// of a buffer.
inline std::size_t length_of(int rank, std::uint64_t call, std::size_t largest) {
  const auto words = spinet::draw({7, 2}, static_cast<std::uint64_t>(rank), call);
  if (words[0] % 7 == 0) return 0;
  if (words[0] % 31 == 1) return words[1] % largest;
  return words[1] % 400;
}

inline void expect_everyones_bytes(const spinet::Gathered& all, int ranks, std::uint64_t call,
                                   std::size_t largest) {
  expect(all.begin.size() == static_cast<std::size_t>(ranks) + 1, "one offset per rank and one more");
  expect(all.begin.back() == all.bytes.size(), "the last offset is the end");
  for (int r = 0; r < ranks; ++r) {
    const auto wanted = message(r, call, length_of(r, call, largest));
    const auto got = all.of(r);
    expect(std::equal(got.begin(), got.end(), wanted.begin(), wanted.end()),
           "call " + std::to_string(call) + ": the bytes of rank " + std::to_string(r));
  }
}

/// Many collectives of changing sizes, `all_gather` and `gather` mixed.
inline void check_collectives(spinet::Transport& t, std::uint64_t calls, std::size_t largest) {
  spinet::Gathered all;
  for (std::uint64_t call = 0; call < calls; ++call) {
    const auto mine = message(t.rank(), call, length_of(t.rank(), call, largest));
    if (spinet::draw({7, 3}, 0, call)[0] % 3) {
      t.all_gather(mine, all);
      expect_everyones_bytes(all, t.size(), call, largest);
    } else {
      t.gather(mine, all);
      if (t.rank() == 0) expect_everyones_bytes(all, t.size(), call, largest);
      else expect(all.bytes.empty() && all.begin.empty(), "gather leaves nothing on other ranks");
    }
  }
}
