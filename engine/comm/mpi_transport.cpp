#include "comm/mpi_transport.hpp"

#include <algorithm>
#include <cstring>

namespace spinet {
namespace {

constexpr std::size_t smallest_slot = 256, largest_slot = 64 * 1024;
constexpr std::size_t all_slots = 16 * 1024 * 1024;  // of all ranks together, where there are many
constexpr std::uint32_t period = 64;  // all_gathers after which a slot that has become too large shrinks

void check(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw std::runtime_error(std::string(call) + ": " + std::string(text, static_cast<std::size_t>(length)));
}

constexpr int failed_code = 3;  // agreed where a rank left the others waiting without saying why

}  // namespace

MpiTransport::MpiTransport(MPI_Comm parent, std::size_t chunk, Slots slots) : chunk_(chunk) {
  check(MPI_Comm_dup(parent, &comm_), "MPI_Comm_dup");
  MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN);
  MPI_Comm_rank(comm_, &rank_);
  MPI_Comm_size(comm_, &size_);
  chunk_ = std::clamp<std::size_t>(chunk, static_cast<std::size_t>(size_), std::size_t{1} << 30);
  if (slots == Slots::messages) return;
  shared_.emplace(comm_);
  if (shared_->there()) capacity_ = shared_->capacity();
  else shared_.reset();
}

MpiTransport::~MpiTransport() {
  shared_.reset();
  MPI_Comm_free(&comm_);
}

std::uint64_t MpiTransport::header_of(int rank) const {
  if (shared_) return shared_->header_of(rank);
  std::uint64_t header;
  std::memcpy(&header, slots_.data() + static_cast<std::size_t>(rank) * slot_.size(), header_bytes);
  return header;
}

std::span<const std::byte> MpiTransport::slot_payload(int rank, std::size_t length) const {
  const std::byte* const from =
      shared_ ? shared_->payload(rank)
              : slots_.data() + static_cast<std::size_t>(rank) * slot_.size() + header_bytes;
  return {from, std::min(length, capacity_)};
}

/// `mine` is what of a message goes into a slot.
void MpiTransport::send_slots(std::uint64_t header, std::span<const std::byte> mine) {
  if (shared_) return shared_->exchange(header, mine);
  slot_.resize(header_bytes + capacity_);
  slots_.resize(slot_.size() * static_cast<std::size_t>(size_));
  std::memcpy(slot_.data(), &header, header_bytes);
  if (!mine.empty()) std::memcpy(slot_.data() + header_bytes, mine.data(), mine.size());
  const int count = static_cast<int>(slot_.size());
  check(MPI_Allgather(slot_.data(), count, MPI_BYTE, slots_.data(), count, MPI_BYTE, comm_), "MPI_Allgather");
}

void MpiTransport::exchange(What what, std::span<const std::byte> mine) {
  if (ended_) throw std::logic_error("MpiTransport: a collective after the farewell");
  send_slots(mine.size() | (static_cast<std::uint64_t>(what) << 56),
             mine.first(std::min(mine.size(), capacity_)));
  bool leaving = false, mixed = false;
  largest_now_ = 0;
  for (int r = 0; r < size_; ++r) {
    largest_now_ = std::max(largest_now_, size_of(r));
    leaving |= what_of(r) == What::farewell;
    mixed |= what_of(r) != what;
  }
  if (leaving && what != What::farewell) throw_farewell();
  if (mixed && !leaving) throw std::logic_error("MpiTransport: ranks are in different collectives");
}

void MpiTransport::throw_farewell() {
  ended_ = true;
  for (int r = 0; r < size_; ++r) {
    if (what_of(r) != What::farewell) continue;
    const auto said = slot_payload(r, size_of(r));
    std::int32_t code = 0;
    std::memcpy(&code, said.data(), sizeof code);
    agreed_code_ =
        std::max({agreed_code_, static_cast<int>(code), said.size() == sizeof code ? failed_code : 0});
  }
  for (int r = 0;; ++r)
    if (what_of(r) == What::farewell) {
      const auto said = slot_payload(r, size_of(r)).subspan(sizeof(std::int32_t));
      const std::string message(reinterpret_cast<const char*>(said.data()), said.size());
      throw RankFailed(r, message.empty()
                              ? "rank " + std::to_string(r) + " ended while other ranks wait for it"
                              : message);
    }
}

int MpiTransport::farewell(int exit_code, const std::string& message) {
  if (ended_) return agreed_code_ = std::max(agreed_code_, exit_code);
  std::vector<std::byte> said(sizeof(std::int32_t) + message.size());
  const auto code = static_cast<std::int32_t>(exit_code);
  std::memcpy(said.data(), &code, sizeof code);
  std::memcpy(said.data() + sizeof code, message.data(), message.size());
  // The message goes no further than the slot: a second step would need ranks that may be elsewhere.
  if (said.size() > capacity_) said.resize(capacity_);
  exchange(What::farewell, said);
  ended_ = true;
  for (int r = 0; r < size_; ++r) {
    if (what_of(r) != What::farewell) {  // that rank is about to throw RankFailed
      if (message.empty()) {
        left_waiting_ = true;
        agreed_code_ = std::max(agreed_code_, failed_code);
      }
      continue;
    }
    std::int32_t theirs = 0;
    std::memcpy(&theirs, slot_payload(r, size_of(r)).data(), sizeof theirs);
    agreed_code_ = std::max(agreed_code_, static_cast<int>(theirs));
  }
  return agreed_code_;
}

void MpiTransport::lay_out(Gathered& all) const {
  all.begin.resize(static_cast<std::size_t>(size_) + 1);
  all.begin[0] = 0;
  for (int r = 0; r < size_; ++r) {
    const auto i = static_cast<std::size_t>(r);
    all.begin[i + 1] = all.begin[i] + size_of(r);
  }
  all.bytes.resize(all.begin.back());
  for (int r = 0; r < size_; ++r) {
    const auto part = slot_payload(r, size_of(r));
    if (!part.empty())
      std::memcpy(all.bytes.data() + all.begin[static_cast<std::size_t>(r)], part.data(), part.size());
  }
}

// The slot follows the largest message of all ranks, which all ranks know: up at once when one did not fit,
// with a quarter to spare; down after a period in which all were smaller.  Larger messages than
// `largest_slot` always take two steps, where latency no longer counts: small ones beside them keep a small
// slot.
void MpiTransport::adapt() {
  if (shared_) return;
  const auto most = std::clamp(all_slots / static_cast<std::size_t>(size_), smallest_slot, largest_slot);
  const auto slot_for = [most](std::size_t message) {
    const std::size_t wanted = (header_bytes + message + message / 4 + 63) / 64 * 64;
    return std::clamp(wanted, smallest_slot, most) - header_bytes;
  };
  const bool fits = largest_now_ <= most - header_bytes;
  if (fits) largest_of_period_ = std::max(largest_of_period_, largest_now_);
  if (fits && largest_now_ > capacity_) capacity_ = std::max(capacity_, slot_for(largest_now_));
  if (++calls_of_period_ == period) {
    capacity_ = slot_for(largest_of_period_);
    calls_of_period_ = 0;
    largest_of_period_ = 0;
  }
}

void MpiTransport::all_gather(std::span<const std::byte> mine, Gathered& all) {
  exchange(What::all_gather, mine);
  copy_all(mine, all);
}

void MpiTransport::all_see(std::span<const std::byte> mine, Seen& all) {
  exchange(What::all_gather, mine);
  const bool there = shared_ && largest_now_ <= capacity_;
  if (!there) copy_all(mine, all.copied);
  all.of.clear();
  for (int r = 0; r < size_; ++r)
    all.of.push_back(there ? slot_payload(r, size_of(r)) : std::span<const std::byte>(all.copied.of(r)));
}

void MpiTransport::copy_all(std::span<const std::byte> mine, Gathered& all) {
  lay_out(all);
  if (largest_now_ > capacity_) all_gather_rest(mine, all);
  adapt();
}

// At once into its place where `chunk_` bytes hold it all; else by way of `scratch_`, in rounds of so many
// bytes, because counts and displacements are ints.
void MpiTransport::all_gather_rest(std::span<const std::byte> mine, Gathered& all) {
  if (all.bytes.size() <= chunk_) return all_gather_rest_at_once(mine, all);
  const std::size_t each = chunk_ / static_cast<std::size_t>(size_);
  std::vector<int> counts(static_cast<std::size_t>(size_)), begins(static_cast<std::size_t>(size_));
  for (std::size_t done = capacity_; done < largest_now_; done += each) {
    const auto part_of = [&](std::size_t length) {
      return length > done ? std::min(each, length - done) : 0;
    };
    int total = 0;
    for (int r = 0; r < size_; ++r) {
      const auto i = static_cast<std::size_t>(r);
      counts[i] = static_cast<int>(part_of(size_of(r)));
      begins[i] = total;
      total += counts[i];
    }
    scratch_.resize(static_cast<std::size_t>(total));
    const std::size_t part = part_of(mine.size());
    check(MPI_Allgatherv(part ? mine.data() + done : nullptr, static_cast<int>(part), MPI_BYTE,
                         scratch_.data(), counts.data(), begins.data(), MPI_BYTE, comm_),
          "MPI_Allgatherv");
    for (int r = 0; r < size_; ++r) {
      const auto i = static_cast<std::size_t>(r);
      if (counts[i])
        std::memcpy(all.bytes.data() + all.begin[i] + done, scratch_.data() + begins[i],
                    static_cast<std::size_t>(counts[i]));
    }
  }
}

void MpiTransport::all_gather_rest_at_once(std::span<const std::byte> mine, Gathered& all) const {
  std::vector<int> counts(static_cast<std::size_t>(size_)), begins(static_cast<std::size_t>(size_));
  const auto rest = [&](std::size_t length) { return length > capacity_ ? length - capacity_ : 0; };
  for (int r = 0; r < size_; ++r) {
    const auto i = static_cast<std::size_t>(r);
    counts[i] = static_cast<int>(rest(size_of(r)));
    begins[i] = static_cast<int>(all.begin[i] + (counts[i] ? capacity_ : 0));
  }
  const std::size_t part = rest(mine.size());
  check(MPI_Allgatherv(part ? mine.data() + capacity_ : nullptr, static_cast<int>(part), MPI_BYTE,
                       all.bytes.data(), counts.data(), begins.data(), MPI_BYTE, comm_),
        "MPI_Allgatherv");
}

void MpiTransport::gather(std::span<const std::byte> mine, Gathered& all) {
  exchange(What::gather, mine);
  constexpr int tag = 1;
  if (rank_ != 0) {
    all.bytes.clear();
    all.begin.clear();
    for (std::size_t done = capacity_; done < mine.size(); done += chunk_)
      check(MPI_Send(mine.data() + done, static_cast<int>(std::min(chunk_, mine.size() - done)), MPI_BYTE, 0,
                     tag, comm_),
            "MPI_Send");
    return;
  }
  lay_out(all);
  if (mine.size() > capacity_)
    std::memcpy(all.bytes.data() + capacity_, mine.data() + capacity_, mine.size() - capacity_);
  std::vector<MPI_Request> pending;
  for (int r = 1; r < size_; ++r)
    for (std::size_t done = capacity_; done < size_of(r); done += chunk_) {
      const int count = static_cast<int>(std::min(chunk_, size_of(r) - done));
      std::byte* to = all.bytes.data() + all.begin[static_cast<std::size_t>(r)] + done;
      check(MPI_Irecv(to, count, MPI_BYTE, r, tag, comm_, &pending.emplace_back()), "MPI_Irecv");
    }
  check(MPI_Waitall(static_cast<int>(pending.size()), pending.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
}

}  // namespace spinet
