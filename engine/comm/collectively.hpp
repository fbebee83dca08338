// Work that may fail on some ranks only, between two collectives.
#pragma once
#include <exception>
#include <string>
#include <utility>

#include "comm/transport.hpp"

namespace spinet {

/// Runs `work` here and agrees on the outcome: if it threw on any rank, every rank throws; the lowest such
/// rank its own exception, the others RankFailed with that rank's message.  Collective; `work` itself must
/// make no collective call.
template <class Work>
void collectively(Transport& transport, Work&& work) {
  std::exception_ptr error;
  std::string outcome;  // empty: fine; else a mark, then the message
  try {
    std::forward<Work>(work)();
  } catch (const std::exception& e) {
    error = std::current_exception();
    outcome = std::string("!") + e.what();
  }
  Gathered all;
  transport.all_gather(std::as_bytes(std::span(outcome)), all);
  for (int rank = 0; rank < transport.size(); ++rank) {
    const auto bytes = all.of(rank);
    if (bytes.empty()) continue;
    if (rank == transport.rank()) std::rethrow_exception(error);
    throw RankFailed(rank, std::string(reinterpret_cast<const char*>(bytes.data()) + 1, bytes.size() - 1));
  }
}

}  // namespace spinet
