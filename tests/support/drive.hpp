// Runs the neurons of one model without an engine: one block, arrivals given by hand, the order within a tick
// as the contract has it (frame boundary; control and reading; wake; arrivals; test; evaluate; emission).
#pragma once
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <numeric>
#include <queue>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "network/catalogue.hpp"
#include "spinet/neuron.hpp"

namespace spinet::test {

/// The built-in neuron model of this name.
inline const NeuronTable& neuron(std::string_view name) {
  static const Catalogue catalogue = [] {
    Catalogue c;
    add_builtin(c);
    return c;
  }();
  const Model* model = catalogue.find(Kind::neuron, name);
  if (model == nullptr) throw std::runtime_error("no neuron model " + std::string(name));
  return *reinterpret_cast<const NeuronTable*>(model);
}

/// Parameters of one neuron: the presets, changed by name.
class Params {
 public:
  using Changes = std::vector<std::pair<std::string_view, double>>;
  explicit Params(const NeuronTable& table, const Changes& changes = {})
      : table_(&table), bytes_(table.params_size) {
    const Fields& f = table.model.params;
    for (std::uint32_t i = 0; i < f.count; ++i) put(f.data[i], f.data[i].preset);
    for (const auto& [name, value] : changes) set(name, value);
  }
  void set(std::string_view name, double value) {
    const Fields& f = table_->model.params;
    for (std::uint32_t i = 0; i < f.count; ++i)
      if (name == f.data[i].name) return put(f.data[i], value);
    throw std::runtime_error("no parameter " + std::string(name));
  }
  const void* data() const { return bytes_.data(); }

 private:
  void put(const Field& f, double value) {
    const auto single = static_cast<float>(value);
    if (f.type == Type::f64) std::memcpy(bytes_.data() + f.offset, &value, sizeof value);
    else std::memcpy(bytes_.data() + f.offset, &single, sizeof single);
  }
  const NeuronTable* table_;
  std::vector<std::byte> bytes_;
};

/// A spike or graded event that a neuron has emitted.
struct Emitted {
  Tick tick;
  std::uint32_t neuron;
  double payload;
  bool operator==(const Emitted&) const = default;
};

class Drive {
 public:
  /// One neuron per entry of `params`, all of the same kernel group.  `initial` changes the variables'
  /// presets by name.
  Drive(const NeuronTable& table, std::vector<Params> params, double ticks_per_ms = 1e6,
        const Params::Changes& initial = {})
      : table_(table), params_(std::move(params)) {
    const auto n = static_cast<std::uint32_t>(params_.size());
    state_.resize(n * std::size_t{table.state_size} / sizeof(Line) + 1);
    constants_.resize(n * std::size_t{table.constants_size} / sizeof(Line) + 1);
    shared_.resize(table.shared_size / sizeof(Line) + 1);
    gids_.resize(n);
    std::iota(gids_.begin(), gids_.end(), Gid{0});
    block_.state = state_.data();
    block_.constants = constants_.data();
    block_.shared = shared_.data();
    block_.gids = gids_.data();
    keys_.assign(n, {1, 1});
    block_.random = keys_.data();
    block_.out = &out_;
    block_.size = n;
    block_.run = {ticks_per_ms};
    if (table.frame != nullptr) {
      block_.frame_length = never;
      for (const Params& p : params_)
        block_.frame_length = std::min(block_.frame_length, table.frame(p.data(), &block_.run));
    }
    if (table.prepare != nullptr) prepare();
    room(4 * std::size_t{n});
    const Fields& v = table.model.variables;
    std::vector<double> values;
    for (std::uint32_t i = 0; i < v.count; ++i)
      if ((v.data[i].flags & spinet::initial) != 0) {
        values.push_back(v.data[i].preset);
        for (const auto& [name, value] : initial)
          if (name == v.data[i].name) values.back() = value;
      }
    for (std::uint32_t j = 0; j < n; ++j) table.init(&block_, j, params_[j].data(), values.data());
    if (block_.frame_length != 0 && table.renormalise != nullptr)
      asleep_ = table.renormalise(&block_, 0) != 0;
    drain(0);
  }
  Drive(const Drive&) = delete;
  Drive& operator=(const Drive&) = delete;

  /// An event of weight `weight` arrives at neuron j; arrivals of one tick keep the order of these calls.
  void arrival(Tick tick, std::uint32_t port, std::uint32_t j, double weight, double payload = 1) {
    plan(tick, Phase::arrival, j, [=, this] {
      const auto target = static_cast<std::uint16_t>(j);
      const Arrivals a{tick, 1, port, &target, nullptr, nullptr, weight, payload};
      room(2);
      table_.receive(&block_, &a);
      if (table_.ports[port].evaluates) plan(tick, Phase::evaluate, j, {});
    });
  }
  /// The schedule changes a parameter of neuron j.
  void change(Tick tick, std::uint32_t j, std::string_view name, double value) {
    plan(tick, Phase::control, j, [=, this] {
      params_[j].set(name, value);
      room(4);
      if (table_.set != nullptr) table_.set(&block_, tick, j, params_[j].data());
    });
  }
  /// A control event reaches all neurons.
  void control(Tick tick, const Control& c) {
    plan(tick, Phase::control, 0, [=, this] {
      room(4 * gids_.size());
      if (table_.on_control != nullptr) table_.on_control(&block_, tick, &c, gids_.data(), block_.size);
    });
  }
  /// A variable of neuron j is read at the begin of `tick` and appended to `samples`.
  void sample(Tick tick, std::uint32_t j, std::string_view variable, std::vector<double>& samples) {
    const std::uint32_t v = index(variable);
    plan(tick, Phase::control, j,
         [=, this, &samples] { samples.push_back(table_.read(&block_, tick, j, v)); });
  }

  /// Everything before tick `end` happens; nothing more once a neuron cannot go on.
  void run(Tick end) {
    while (failure_.empty()) {
      Tick now = queue_.empty() ? end : std::min(end, queue_.top().tick);
      if (block_.frame_length != 0) {
        const Tick boundary = block_.frame_begin + block_.frame_length;
        // A sleeping block skips frames until something happens to it.
        if (asleep_ && now < end && now >= boundary) {
          enter(now / block_.frame_length * block_.frame_length);
          continue;
        }
        if (!asleep_ && boundary <= now && boundary < end) {
          enter(boundary);
          continue;
        }
      }
      if (now >= end) return;
      asleep_ = false;
      const Phase phase = queue_.top().phase;
      if (phase == Phase::control || phase == Phase::arrival) {
        const auto act = queue_.top().act;
        queue_.pop();
        act();
      } else {
        std::vector<std::uint32_t> js;
        while (!queue_.empty() && queue_.top().tick == now && queue_.top().phase == phase) {
          if (js.empty() || js.back() != queue_.top().neuron) js.push_back(queue_.top().neuron);
          queue_.pop();
        }
        const auto call = phase == Phase::wake   ? table_.wake
                          : phase == Phase::test ? table_.test
                                                 : table_.evaluate;
        room(4 * js.size());
        if (call != nullptr) call(&block_, now, js.data(), static_cast<std::uint32_t>(js.size()));
      }
      drain(now);
    }
  }

  /// All emissions so far, by tick.
  const std::vector<Emitted>& emitted() const { return emitted_; }
  /// Ticks of neuron j's emissions.
  std::vector<Tick> spikes(std::uint32_t j = 0) const {
    std::vector<Tick> ticks;
    for (const Emitted& e : emitted_)
      if (e.neuron == j) ticks.push_back(e.tick);
    return ticks;
  }
  double read(Tick tick, std::uint32_t j, std::string_view variable) const {
    return table_.read(&block_, tick, j, index(variable));
  }
  NeuronBlock& block() { return block_; }
  bool asleep() const { return asleep_; }
  /// Why a neuron cannot go on, or nothing.
  const std::string& failure() const { return failure_; }
  std::uint64_t requests() const { return requests_; }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  enum class Phase { control, wake, arrival, test, evaluate };
  struct Planned {
    Tick tick;
    Phase phase;
    std::uint32_t neuron;
    std::uint64_t order;
    std::function<void()> act;
    bool operator<(const Planned& o) const {  // the queue has the greatest on top
      // Wakes and tests go by neuron, what the test plans by the order of planning.
      const bool own = phase == Phase::control || phase == Phase::arrival;
      return std::tuple(tick, phase, own ? 0 : neuron, order) >
             std::tuple(o.tick, o.phase, own ? 0 : o.neuron, o.order);
    }
  };

  void plan(Tick tick, Phase phase, std::uint32_t neuron, std::function<void()> act) {
    queue_.push({tick, phase, neuron, order_++, std::move(act)});
  }
  void prepare() { table_.prepare(shared_.data(), params_[0].data(), &block_.run, block_.frame_length); }
  void enter(Tick frame_begin) {
    const auto frames = static_cast<std::uint64_t>((frame_begin - block_.frame_begin) / block_.frame_length);
    block_.frame_begin = frame_begin;
    room(4 * gids_.size());
    asleep_ = table_.renormalise != nullptr && table_.renormalise(&block_, frames) != 0;
    drain(frame_begin);
  }
  /// Exactly the room that the contract promises, so that a model that asks for more fails.
  void room(std::size_t n) {
    data_.resize(n);
    out_ = {data_.data(), 0, static_cast<std::uint32_t>(n), nullptr, 0, 0};
  }
  void drain(Tick now) {
    REQUIRE(out_.size <= out_.capacity);
    for (std::uint32_t i = 0; i < out_.size; ++i) {
      const Request& r = out_.data[i];
      REQUIRE(r.neuron < block_.size);
      if (r.ask == Ask::emit) {
        REQUIRE(r.tick == now);
        emitted_.push_back({r.tick, r.neuron, r.payload});
        continue;
      }
      REQUIRE(r.tick >= now);
      if (r.ask == Ask::fail) {
        failure_ = reason_of(r);
        continue;
      }
      ++requests_;
      const Phase phase = r.ask == Ask::wake   ? Phase::wake
                          : r.ask == Ask::test ? Phase::test
                                               : Phase::evaluate;
      plan(r.tick, phase, r.neuron, {});
    }
    out_.size = 0;
  }
  std::uint32_t index(std::string_view variable) const {
    const Fields& v = table_.model.variables;
    for (std::uint32_t i = 0; i < v.count; ++i)
      if (variable == v.data[i].name) return i;
    throw std::runtime_error("no variable " + std::string(variable));
  }

  const NeuronTable& table_;
  std::vector<Params> params_;
  std::vector<Line> state_, constants_, shared_;
  std::vector<Gid> gids_;
  std::vector<spinet::RandomKey> keys_;
  std::vector<Request> data_;
  Outbox out_{};
  NeuronBlock block_{};
  std::priority_queue<Planned> queue_;
  std::vector<Emitted> emitted_;
  std::uint64_t order_ = 0, requests_ = 0;
  bool asleep_ = false;
  std::string failure_;
};

}  // namespace spinet::test
