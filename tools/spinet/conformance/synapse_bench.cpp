#include "synapse_bench.hpp"

#include <algorithm>
#include <cmath>

#include "core/block/history.hpp"

namespace spinet {
namespace {

constexpr RunInfo run_info{1e6};  // ticks of 1 ns
constexpr Tick delay = 1'500'000;

/// Every stimulus that the model answers, as schedules and environments send them: values all over their
/// ranges.
std::vector<Control> some_controls(const SynapseTable& t, std::uint32_t i, Dice& dice) {
  std::vector<Control> all;
  for (std::uint32_t k = 0; k < t.model.stimulus_count; ++k) {
    const Stimulus& s = t.model.stimuli[k];
    if (s.flags & batched && i % 20 != 17) continue;
    for (const double strength : {1.0, 4.0}) {  // as the fields of devices of their kind, and more
      Control c{k, 0, {}};
      for (std::uint32_t v = 0; v < s.count; ++v) {
        const Field& f = s.fields[v];
        c.value[v] = drawn_in_range(f, dice);
        if (f.flags & integer) continue;
        if (f.flags & lasting) c.value[v] *= 0.01;
        else if (const double more = strength * 5 * c.value[v]; more >= f.low && more <= f.high)
          c.value[v] = more;
      }
      all.push_back(c);
    }
  }
  return all;
}

/// The parameters that a schedule may change, and what it may change them to.
class Settable {
 public:
  explicit Settable(const SynapseTable& t) {
    for (std::uint32_t f = 0; f < t.model.params.count && t.set; ++f) {
      const Field& field = t.model.params.data[f];
      if (!(field.flags & scheduled)) continue;
      fields_.emplace_back(f, &field);
      for (const double x : special_values(field)) special_.emplace_back(f, x);
    }
  }
  /// Of the `k`-th change of a history: drawn ones and, every other time, ends of ranges, all of them by
  /// turns.
  std::vector<std::pair<std::uint32_t, double>> values(std::uint32_t k, Dice& dice) const {
    std::vector<std::pair<std::uint32_t, double>> set;
    constexpr std::uint32_t turns = event_count / 20;
    if (k % 2 == 0)
      for (std::size_t i = k / 2; i < special_.size(); i += turns) set.push_back(special_[i]);
    else
      for (const auto& [f, field] : fields_)
        if (dice.uniform() < 0.7) set.emplace_back(f, drawn_in_range(*field, dice));
    return set;
  }

 private:
  std::vector<std::pair<std::uint32_t, const Field*>> fields_;
  std::vector<std::pair<std::uint32_t, double>> special_;
};

}  // namespace

std::vector<SynapseEvent> synapse_history(const SynapseTable& table, std::uint32_t seed) {
  Dice dice(seed + 10);
  const Settable settable(table);
  std::vector<SynapseEvent> events;
  Tick tick = delay;
  for (std::uint32_t i = 0; i < event_count; ++i) {
    tick += 1 + static_cast<Tick>(5e8 * std::pow(dice.uniform(), 8));
    const double payload = dice.uniform() * 2;
    SynapseEvent e{tick, i % 3 != 0 ? payload : 1.0, {}, {}};
    if (i % 10 == 7)
      for (const Control& c : some_controls(table, i, dice))
        e.controls.push_back({c, SynapseEvent::everyone});
    if (i % 10 == 4)
      for (const Control& c : some_controls(table, i, dice))  // what networks may send to single synapses
        if (table.model.stimuli[c.stimulus].flags & wired)
          e.controls.push_back({c, dice.below(synapse_count)});
    if (i % 10 == 2) e.set = settable.values(i / 10, dice);
    events.push_back(std::move(e));
  }
  return events;
}

/// What plastic synapses see of their targets: every target spikes at times of its own; all of the run is
/// there at once, so that a model that looks past `seen()` gives itself away.
class Targets {
 public:
  Targets(const SynapseTable& t, const ParameterSet& set, Gid first) {
    const Fenced params = set.bytes(t.model.params, t.params_size);
    const double tau = t.post_tau ? t.post_tau(params.data()) * run_info.ticks_per_ms : 0;
    const double pre_tau = t.pre_tau ? t.pre_tau(params.data()) * run_info.ticks_per_ms : 0;
    histories_ = std::make_unique<PostHistories>(count, tau, pre_tau, Tick{1} << 60);
    for (std::uint32_t j = 0; j < count; ++j) {
      gids_.push_back(first + j);
      Dice dice(100 + j);
      Tick tick = 0;
      for (int k = 0; k < 200; ++k)
        histories_->add(j, tick += 1'000'000 + static_cast<Tick>(2e8 * std::pow(dice.uniform(), 4)));
    }
    neuron_.read = variable;
    for (std::uint32_t k = 0; k < t.read_count; ++k) reads_.push_back(k);
    values_.resize(t.read_count, std::vector<double>(count));
  }
  /// As the engine does from time to time: what all synapses have seen goes, but for each neuron's last
  /// spike.
  void forget(Tick tick) { histories_->swept(tick, delay); }
  void show(Slice& s, bool histories, bool values) {
    histories_->rebase(s.tick);
    s.history = histories ? histories_->heads() : nullptr;
    s.base = histories_->base();
    s.gids = gids_.data();
    s.neuron = &neuron_;
    s.block = &block_;
    s.reads = reads_.data();
    if (!values || values_.empty()) return;
    shown_.clear();
    for (std::uint32_t k = 0; k < values_.size(); ++k) {
      for (std::uint32_t j = 0; j < count; ++j) values_[k][j] = variable(&block_, s.tick, j, k);
      shown_.push_back(values_[k].data());
    }
    s.values = shown_.data();
  }

 private:
  static constexpr std::uint32_t count = 3 * synapse_count;
  static double variable(const NeuronBlock*, Tick tick, std::uint32_t j, std::uint32_t v) noexcept {
    return uniform01(draw({7, v}, j, static_cast<std::uint64_t>(tick))[0]);
  }
  std::unique_ptr<PostHistories> histories_;
  std::vector<Gid> gids_;
  std::vector<std::uint32_t> reads_;
  std::vector<std::vector<double>> values_;
  std::vector<const double*> shown_;
  NeuronTable neuron_{};
  NeuronBlock block_{};
};

namespace {

/// Some sets of parameters have those drawn that may be.
std::shared_ptr<const ExtendedTable> extended_of(const SynapseTable& table, const ParameterSet& set) {
  std::vector<std::uint32_t> drawn;
  for (std::uint32_t f = 0; f < table.model.params.count && set.spreads; ++f)
    if (table.model.params.data[f].flags & spread) drawn.push_back(f);
  return extended(table, set.values, drawn);
}

}  // namespace

SliceBench::SliceBench(const SynapseTable& table, const ParameterSet& set, std::uint32_t seed,
                       std::uint32_t from, std::uint32_t count, const Identity& who)
    : extended_(extended_of(table, set)),
      t_(extended_ ? &extended_->table() : &table),
      params_(set),
      param_bytes_(set.bytes(table.model.params, table.params_size)),
      from_(from),
      count_(count),
      who_(who),
      shared_(table.shared_size),
      state_(std::size_t{t_->state_size} * count),
      slice_state_(table.slice_state_size),
      targets_(count),
      copies_(count),
      neurons_(std::make_shared<Targets>(table, set, who.first_target)) {
  prepare();
  for (std::uint32_t i = 0; i < count_; ++i) targets_[i] = static_cast<std::uint16_t>(3 * (from_ + i));
  put_variables(seed);
}

void SliceBench::put_variables(std::uint32_t seed) {
  const Fields& variables = t_->model.variables;
  const std::uint32_t drawn = t_->extras ? t_->extras->devices * t_->extras->drawn_count : 0;
  for (std::uint32_t i = 0; i < count_; ++i) {
    std::byte* s = state_.data() + std::size_t{i} * t_->state_size;
    Dice dice(seed + 5000 + from_ + i);
    for (std::uint32_t v = 0; v < variables.count; ++v) put(s, variables.data[v], variables.data[v].preset);
    for (std::uint32_t v = 0; v < variables.count - drawn; ++v)
      if (const Field& f = variables.data[v]; f.flags & initial) {
        // Defaults, ends of the range and others, by turns.
        const std::uint32_t turn = (from_ + i + v) % 4;
        const bool low = turn == 1 && std::isfinite(f.low) && !(f.flags & low_open),
                   high = turn == 2 && std::isfinite(f.high) && !(f.flags & high_open);
        put(s, f, turn == 0 ? f.preset : low ? f.low : high ? f.high : drawn_in_range(f, dice));
      }
    if (drawn != 0) draw_parameters(s, dice);
    Slice one = at(0);
    one.count = 1;
    one.targets += i;
    one.state = s;
    if (one.copies) one.copies += i;
    const ModeWatch watch("init", mode_trouble_);
    if (t_->init) t_->init(&one);
  }
}

/// Some percent from what the others have, where the model takes that.
void SliceBench::draw_parameters(std::byte* state, Dice& dice) const {
  const Fields& variables = t_->model.variables;
  const Extras& extras = *t_->extras;
  for (std::uint32_t v = variables.count - extras.devices * extras.drawn_count; v < variables.count; ++v) {
    const Field& f = variables.data[v];
    const double x = f.preset * (0.95 + 0.1 * dice.uniform());
    if (!(x > f.low && x < f.high)) continue;
    put(state, f, x);
    for (std::uint32_t d = 0; d < extras.devices && t_->check; ++d) {
      Fenced own = params_.bytes(t_->model.params, t_->params_size);
      extras.put_drawn(state, d, own.data());
      if (t_->check(own.data())) put(state, f, f.preset);
    }
  }
}

SliceBench::SliceBench(const SliceBench& saved, const SynapseTable& table) : SliceBench(saved) {
  extended_ = extended_of(table, params_);
  t_ = extended_ ? &extended_->table() : &table;
  std::memset(shared_.data(), 0, shared_.size());
  prepare();
}

void SliceBench::prepare() {
  const ModeWatch watch("prepare", mode_trouble_);
  if (t_->prepare) t_->prepare(shared_.data(), param_bytes_.data(), &run_info);
}

void SliceBench::change(const SynapseEvent& e) {
  if (e.set.empty()) return;
  ParameterSet next = params_;
  for (const auto& [f, x] : e.set) next.values[f] = x;
  const Fenced bytes = next.bytes(t_->model.params, t_->params_size);
  if (t_->check && t_->check(bytes.data())) return;
  Fenced shared(t_->shared_size);
  if (t_->prepare) t_->prepare(shared.data(), bytes.data(), &run_info);
  const Slice s = at(e.tick, 0);
  const ModeWatch watch("set", mode_trouble_);
  if (t_->catch_up) t_->catch_up(&s);
  t_->set(&s, bytes.data(), shared.data());
  std::memcpy(shared_.data(), shared.data(), shared.size());
  std::memcpy(param_bytes_.data(), bytes.data(), bytes.size());
  params_ = next;
  intact_ = intact_ && shared.intact();
}

Slice SliceBench::at(Tick tick, double payload) {
  Slice s{};
  s.tick = tick;
  s.delay = delay;
  s.payload = payload;
  s.count = count_;
  s.source = who_.source;
  s.targets = targets_.data();
  s.state = state_.data();
  s.slice_state = slice_state_.data();
  s.shared = shared_.data();
  if (t_->draws)
    s.copies = copies_.data(),
    s.random = who_.key;  // as the engine: a model that does not say that it draws has no key
  s.run = run_info;
  s.extras = t_->extras;
  s.params = param_bytes_.data();
  neurons_->show(s, t_->post_tau != nullptr, shows_values_);
  return s;
}

void SliceBench::control(const SynapseEvent::Sent& sent, Tick tick) {
  if (!t_->on_control) return;
  Slice s = at(tick, 0);
  const ModeWatch watch("on_control", mode_trouble_);
  if (sent.to == SynapseEvent::everyone) return t_->on_control_of(s, sent.control);
  if (sent.to < from_ || sent.to >= from_ + count_) return;
  const std::uint32_t i = sent.to - from_;
  s.count = 1;
  s.targets += i;
  s.state = static_cast<std::byte*>(s.state) + std::size_t{i} * t_->state_size;
  if (s.copies) s.copies += i;
  t_->on_control_of(s, sent.control);
}

/// Weights that a model has written, or those that it is.
void SliceBench::take(const SynapseTable& table, Fenced& out, std::uint32_t count,
                      std::vector<double>& weights) {
  for (std::uint32_t i = 0; i < count; ++i) {
    double wide;
    float narrow;
    if (table.on_pre) std::memcpy(&wide, out.data() + i * sizeof wide, sizeof wide);
    else
      std::memcpy(&narrow, out.data() + i * sizeof narrow, sizeof narrow), wide = static_cast<double>(narrow);
    weights.push_back(wide);
  }
}

void SliceBench::deliver(const SynapseEvent& e, std::vector<double>& weights) {
  change(e);
  for (const auto& c : e.controls) control(c, e.tick);
  Fenced out((t_->on_pre ? sizeof(double) : sizeof(float)) * count_);
  const Slice s = at(e.tick, e.payload);
  const ModeWatch watch("on_pre", mode_trouble_);
  if (t_->on_pre) t_->on_pre_of(s, reinterpret_cast<double*>(out.data()));
  else std::memcpy(out.data(), state_.data(), out.size());
  take(*t_, out, count_, weights);
  intact_ = intact_ && out.intact();
}

void SliceBench::deliver_together(std::vector<SliceBench>& parts, const SynapseEvent& e,
                                  std::vector<double>& weights) {
  const SynapseTable& t = *parts[0].t_;
  for (auto& p : parts) {
    p.change(e);
    for (const auto& c : e.controls) p.control(c, e.tick);
  }
  std::vector<Slice> slices;
  std::uint32_t all = 0;
  for (auto& p : parts) slices.push_back(p.at(e.tick, e.payload)), all += p.count_;
  std::vector<const Slice*> some;
  for (const auto& s : slices) some.push_back(&s);
  Fenced out(sizeof(double) * all);
  const ModeWatch watch("on_pre", parts[0].mode_trouble_);
  t.on_pre(some.data(), static_cast<std::uint32_t>(some.size()), reinterpret_cast<double*>(out.data()));
  take(t, out, all, weights);
}

double SliceBench::read(std::uint32_t i, Tick tick, std::uint32_t variable) {
  const Slice s = at(tick);
  const ModeWatch watch("read", mode_trouble_);
  return t_->read(&s, i, variable);
}

void SliceBench::catch_up(Tick tick) {
  const Slice s = at(tick);
  const ModeWatch watch("catch_up", mode_trouble_);
  t_->catch_up(&s);
}

void SliceBench::sweep(Tick tick) {
  if (t_->catch_up) catch_up(tick);
  neurons_->forget(tick);
}

double SliceBench::given(std::uint32_t i) const {
  const Fields& variables = t_->model.variables;
  std::uint32_t v = 0;
  while (!(variables.data[v].flags & initial)) ++v;  // check_table has found one
  return get(state_.data() + std::size_t{i} * t_->state_size, variables.data[v]);
}

}  // namespace spinet
