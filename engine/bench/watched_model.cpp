#include "bench/watched_model.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <utility>

#include "bench/fences.hpp"

namespace spinet {
namespace {

constexpr std::size_t fence = 64, beyond = 1 << 14;  // bytes that are watched, that may be written
constexpr int mark = 0xA5;

bool is_marked(const std::byte* at) {
  return std::all_of(at, at + fence, [](std::byte b) { return b == std::byte{mark}; });
}

}  // namespace

thread_local WatchedModel* WatchedModel::present = nullptr;

WatchedModel::WatchedModel(const NeuronTable& model, const Cut& cut, std::vector<RandomKey> keys)
    : model_(model), table_(model), cut_(cut), keys_(std::move(keys)) {
  hand_on_setup();
  hand_on_events();
  hand_on_slabs();
}

/// What is made and changed.
void WatchedModel::hand_on_setup() {
  if (model_.prepare)
    table_.prepare = [](void* shared, const void* params, const RunInfo* run, Tick frame_length) noexcept {
      const ModeWatch watch("prepare", present->mode_trouble_);
      present->model_.prepare(shared, params, run, frame_length);
    };
  table_.init = [](NeuronBlock* b, std::uint32_t j, const void* params, const double* initial) noexcept {
    if (!present->keys_.empty()) b->random = present->keys_.data();  // from here on
    present->call("init", b, 0, limit::requests_per_neuron,
                  [&] { present->model_.init(b, j, params, initial); });
  };
  if (model_.set)
    table_.set = [](NeuronBlock* b, Tick tick, std::uint32_t j, const void* params) noexcept {
      present->read_all(b, tick);
      present->call_for("set", b, tick, 1, [&] { present->model_.set(b, tick, j, params); });
    };
  if (model_.follow)
    table_.follow = [](NeuronBlock* b, Tick tick, std::uint32_t j, const Followed* f) noexcept {
      present->call_for("follow", b, tick, 1, [&] { present->model_.follow(b, tick, j, f); });
    };
  table_.read = [](const NeuronBlock* b, Tick tick, std::uint32_t j, std::uint32_t v) noexcept {
    const ModeWatch watch("read", present->mode_trouble_);
    return present->model_.read(b, tick, j, v);
  };
}

/// What happens to neurons.
void WatchedModel::hand_on_events() {
  table_.receive = [](NeuronBlock* b, const Arrivals* a) noexcept { present->receive(b, a); };
  table_.receive_train = [](NeuronBlock* b, const Train* t) noexcept { return present->receive_train(b, t); };
  if (model_.wake)
    table_.wake = [](NeuronBlock* b, Tick tick, const std::uint32_t* js, std::uint32_t n) noexcept {
      present->read_all(b, tick);
      present->call_for("wake", b, tick, n, [&] { present->model_.wake(b, tick, js, n); });
    };
  if (model_.test)
    table_.test = [](NeuronBlock* b, Tick tick, const std::uint32_t* js, std::uint32_t n) noexcept {
      present->read_all(b, tick);
      present->call_for("test", b, tick, n, [&] { present->model_.test(b, tick, js, n); });
    };
  if (model_.evaluate)
    table_.evaluate = [](NeuronBlock* b, Tick tick, const std::uint32_t* js, std::uint32_t n) noexcept {
      present->read_all(b, tick);
      present->call_for("evaluate", b, tick, n, [&] { present->model_.evaluate(b, tick, js, n); });
    };
  if (model_.on_control)
    table_.on_control = [](NeuronBlock* b, Tick tick, const Control* c, const std::uint32_t* js,
                           std::uint32_t n) noexcept {
      present->read_all(b, tick);
      present->call_for("on_control", b, tick, n, [&] { present->model_.on_control(b, tick, c, js, n); });
    };
  if (model_.renormalise)
    table_.renormalise = [](NeuronBlock* b, std::uint64_t frames) noexcept {
      std::uint32_t asleep = 0;
      present->call_for("renormalise", b, b->frame_begin, b->size,
                        [&] { asleep = present->model_.renormalise(b, frames); });
      return asleep;
    };
}

/// Input without order.
void WatchedModel::hand_on_slabs() {
  if (!model_.take_slab) return;
  table_.begin_slab = [](NeuronBlock* b, std::uint32_t* js, std::uint32_t n) noexcept {
    const ModeWatch watch("begin_slab", present->mode_trouble_);
    return present->model_.begin_slab(b, js, n);
  };
  table_.take_slab = [](NeuronBlock* b, const SlabEvents* drawn, MemberBits* might_cross) noexcept {
    const ModeWatch watch("take_slab", present->mode_trouble_);
    present->model_.take_slab(b, drawn, might_cross);
  };
  table_.take_out = [](NeuronBlock* b, std::uint32_t j, const std::uint32_t* keys, std::uint32_t n,
                       double weight) noexcept {
    const ModeWatch watch("take_out", present->mode_trouble_);
    present->model_.take_out(b, j, keys, n, weight);
  };
  table_.look = [](NeuronBlock* b, std::uint32_t j, Tick tick) noexcept {
    present->call_for("look", b, tick, 1, [&] { present->model_.look(b, j, tick); });
  };
}

/// Calls into the model with room for exactly `room` requests between fences, looks at what it asks for and
/// hands that on.
template <class F>
void WatchedModel::call(const char* what, NeuronBlock* b, Tick now, std::uint32_t room, F&& f) {
  const std::size_t size = (std::size_t{room} + 1) * sizeof(Request);
  if (requests_.size() < fence + size + beyond) requests_.resize(fence + size + beyond);
  std::byte* const begin = requests_.data() + fence;
  std::memset(begin - fence, mark, fence);
  std::memset(begin + size, mark, fence);
  Posting postings[limit::postings + 1];
  Outbox* const block_takes = b->out;
  Outbox asked{reinterpret_cast<Request*>(begin),
               0,
               room,
               postings,
               0,
               std::min(block_takes->posting_capacity, limit::postings)};
  b->out = &asked;
  {
    const ModeWatch watch(what, mode_trouble_);
    f();
  }
  b->out = block_takes;
  if (asked.size > room || !is_marked(begin - fence) || !is_marked(begin + size))
    breach(std::string(what) + " asked for more than it has room for (" + std::to_string(room) +
           " requests)");
  else look_at(what, asked, now);
  if (!breach_.empty()) return block_takes->fail(now, 0, breach_.c_str());
  for (std::uint32_t i = 0; i < asked.size; ++i) block_takes->push(asked.data[i]);
  for (std::uint32_t i = 0; i < std::min(asked.posting_count, asked.posting_capacity); ++i)
    block_takes->post(postings[i].tick, postings[i].control, postings[i].to);
  if (asked.posting_count > asked.posting_capacity) block_takes->posting_count = asked.posting_count;
}

/// The same for `n` neurons.
template <class F>
void WatchedModel::call_for(const char* what, NeuronBlock* b, Tick now, std::uint32_t n, F&& f) {
  call(what, b, now, limit::requests_per_neuron * (model_.environment ? b->size : n), f);
}

/// What the block itself does not look at.
void WatchedModel::look_at(const char* what, const Outbox& asked, Tick now) {
  for (std::uint32_t i = 0; i < asked.size; ++i) {
    const Ask ask = asked.data[i].ask;
    if ((ask == Ask::wake && !model_.wake) || (ask == Ask::test && !model_.test) ||
        (ask == Ask::evaluate && !model_.evaluate))
      breach(std::string(what) + " asks for " +
             (ask == Ask::wake   ? "`wake`"
              : ask == Ask::test ? "`test`"
                                 : "`evaluate`") +
             ", and the model has no such function");
  }
  for (std::uint32_t i = 0; i < std::min(asked.posting_count, asked.posting_capacity); ++i)
    if (asked.postings[i].tick <= now)
      breach(std::string(what) + " posted a control event for the present or the past");
}

void WatchedModel::read_all(const NeuronBlock* b, Tick now) {
  if (!cut_.reads) return;
  const auto copy = [](const void* memory, std::size_t size) {
    Fenced bytes(size);
    if (size) std::memcpy(bytes.data(), memory, size);
    return bytes;
  };
  const auto all = [&] {
    const std::size_t n = b->size;
    return std::vector<Fenced>{copy(b->state, n * model_.state_size),
                               copy(b->constants, n * model_.constants_size),
                               copy(b->shared, model_.shared_size), copy(b->common, model_.common_size)};
  };
  const auto before = all();
  const ModeWatch watch("read", mode_trouble_);
  const auto bits = [&](std::uint32_t j, std::uint32_t v) {
    return std::bit_cast<std::uint64_t>(model_.read(b, now, j, v));
  };
  for (std::uint32_t j = 0; j < b->size; ++j)
    for (std::uint32_t v = 0; v < model_.model.variables.count; ++v) {
      const std::uint64_t once = bits(j, v);
      if (once != bits(j, v)) return breach("two reads at one tick differ");
    }
  const auto after = all();
  for (std::size_t i = 0; i < after.size(); ++i)
    if (!after[i].same_bytes(before[i])) return breach("read has written to the state");
}

void WatchedModel::receive(NeuronBlock* b, const Arrivals* a) {
  read_all(b, a->tick);
  const std::uint32_t piece = cut_.slices ? a->count / 3 + 1 : std::max(a->count, 1u);
  for (std::uint32_t i = 0; i < a->count; i += piece) {
    Arrivals some = *a;
    some.count = std::min(piece, a->count - i);
    some.targets += i;
    if (some.weights) some.weights += i;
    if (some.weights64) some.weights64 += i;
    call("receive", b, a->tick, limit::requests_per_arrival * some.count, [&] { model_.receive(b, &some); });
  }
}

std::uint32_t WatchedModel::receive_train(NeuronBlock* b, const Train* train) {
  std::uint32_t all = 0;
  while (train->keys[all] < train->limit) ++all;
  read_all(b, train->base + (train->keys[0] >> 16));
  if (!cut_.trains) return receive_piece(b, *train, all);
  std::uint32_t taken = 0;
  for (Train rest = *train; taken < all && b->out->size == 0; rest.keys = train->keys + taken) {
    const std::uint32_t n = std::min(1 + pieces_++ % 3, all - taken);
    const std::uint32_t last = rest.keys[n - 1] >> 16;
    // Behind the limit the list goes on, as it does in the block.
    rest.limit = last == 0xFFFF ? 0xFFFFFFFFu : (last + 1) << 16;
    piece_.assign(rest.keys, rest.keys + n);
    piece_.insert(piece_.end(), {rest.limit, 0xFFFFFFFFu});
    rest.keys = piece_.data();
    const std::uint32_t m = receive_piece(b, rest, n);
    taken += m;
    if (m == 0 || m > n) break;
  }
  return taken;
}

/// `n` arrivals; returns how many the model has taken.
std::uint32_t WatchedModel::receive_piece(NeuronBlock* b, const Train& train, std::uint32_t n) {
  std::uint32_t taken = 0;
  const auto tick_of = [&](std::uint32_t i) { return train.base + (train.keys[i] >> 16); };
  Tick now = tick_of(0);
  bool asked = false;
  call("receive_train", b, now, limit::requests_per_train, [&] {
    taken = model_.receive_train(b, &train);
    asked = (b->out->size | b->out->posting_count) != 0;
  });
  if (taken == 0 || taken > n)
    breach("receive_train took " + std::to_string(taken) + " of " + std::to_string(n) + " arrivals");
  else if (taken < n && !asked) breach("receive_train stopped without asking for anything");
  if (!breach_.empty() && b->out->size == 0) b->out->fail(tick_of(0), 0, breach_.c_str());
  return std::clamp(taken, 1u, n);  // what is wrong ends the run
}

}  // namespace spinet
