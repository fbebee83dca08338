#include "comm/loopback.hpp"

#include <array>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

namespace spinet {
namespace {

/// The meeting place of all threads.  Bytes are copied in by their sender, so that nobody reads the memory of
/// a rank that may be unwinding.  Two sets of buffers in turn: a rank can be at most one collective ahead of
/// the slowest.
class Meeting {
 public:
  explicit Meeting(int ranks) : ranks_(ranks), returned_(static_cast<std::size_t>(ranks), false) {
    for (auto& set : buffers_) set.resize(static_cast<std::size_t>(ranks));
  }

  /// Hands in `mine` and waits for all; the set of everyone's bytes stays valid until this rank's next call.
  const std::vector<std::vector<std::byte>>& exchange(int rank, std::span<const std::byte> mine) {
    std::unique_lock lock(mutex_);
    const auto round = round_;
    auto& set = buffers_[round % 2];
    set[static_cast<std::size_t>(rank)].assign(mine.begin(), mine.end());
    if (++arrived_ == ranks_) {
      arrived_ = 0;
      ++round_;
      all_here_.notify_all();
      return set;
    }
    blame_a_rank_that_returned();
    all_here_.wait(lock, [&] { return round_ != round || failure_; });
    if (round_ == round) throw RankFailed(failure_->first, failure_->second);
    return set;
  }

  void failed(int rank, const std::string& message) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_.emplace(rank, message);
    all_here_.notify_all();
  }

  void returned(int rank) {
    const std::lock_guard lock(mutex_);
    returned_[static_cast<std::size_t>(rank)] = true;
    if (arrived_ > 0) blame_a_rank_that_returned();
  }

  std::optional<int> first_failed() const { return failure_ ? std::optional(failure_->first) : std::nullopt; }

 private:
  void blame_a_rank_that_returned() {
    for (int r = 0; r < ranks_ && !failure_; ++r)
      if (returned_[static_cast<std::size_t>(r)])
        failure_.emplace(r, "rank " + std::to_string(r) + " returned while other ranks wait in a collective");
    if (failure_) all_here_.notify_all();
  }

  const int ranks_;
  std::mutex mutex_;
  std::condition_variable all_here_;
  int arrived_ = 0;
  std::uint64_t round_ = 0;
  std::array<std::vector<std::vector<std::byte>>, 2> buffers_;
  std::vector<bool> returned_;
  std::optional<std::pair<int, std::string>> failure_;
};

class LoopbackTransport final : public Transport {
 public:
  LoopbackTransport(Meeting& meeting, int rank, int size) : meeting_(meeting), rank_(rank), size_(size) {}
  int rank() const override { return rank_; }
  int size() const override { return size_; }
  void all_gather(std::span<const std::byte> mine, Gathered& all) override {
    concatenate(meeting_.exchange(rank_, mine), all);
  }
  void gather(std::span<const std::byte> mine, Gathered& all) override {
    const auto& set = meeting_.exchange(rank_, mine);
    all.bytes.clear();
    all.begin.clear();
    if (rank_ == 0) concatenate(set, all);
  }

 private:
  static void concatenate(const std::vector<std::vector<std::byte>>& set, Gathered& all) {
    all.bytes.clear();
    all.begin.assign(1, 0);
    for (const auto& bytes : set) {
      all.bytes.insert(all.bytes.end(), bytes.begin(), bytes.end());
      all.begin.push_back(all.bytes.size());
    }
  }
  Meeting& meeting_;
  int rank_, size_;
};

}  // namespace

void run_loopback(int ranks, const std::function<void(Transport&)>& body) {
  if (ranks < 1) throw std::invalid_argument("run_loopback: at least one rank is needed");
  Meeting meeting(ranks);
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(ranks));
  {
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < ranks; ++rank)
      threads.emplace_back([&, rank] {
        auto& error = errors[static_cast<std::size_t>(rank)];
        try {
          LoopbackTransport transport(meeting, rank, ranks);
          body(transport);
          meeting.returned(rank);
        } catch (const std::exception& e) {
          error = std::current_exception();
          meeting.failed(rank, e.what());
        } catch (...) {
          error = std::current_exception();
          meeting.failed(rank, "unknown exception");
        }
      });
  }
  if (const auto first = meeting.first_failed(); first && errors[static_cast<std::size_t>(*first)])
    std::rethrow_exception(errors[static_cast<std::size_t>(*first)]);
  for (const auto& error : errors)  // a rank returned too early: it has no exception, the others do
    if (error) std::rethrow_exception(error);
}

}  // namespace spinet
