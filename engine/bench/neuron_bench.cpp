#include "bench/neuron_bench.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "bench/small_network.hpp"
#include "core/connect.hpp"
#include "core/failure.hpp"
#include "core/input/source.hpp"
#include "core/input/train.hpp"
#include "network/grouping.hpp"

namespace spinet {
namespace {

/// What an arrival comes from: of the events on the way to slices none is drawn, the bench posts them itself;
/// those of superposed input are listed.
struct Hand {
  static constexpr const char* name = "hand";
  static constexpr const char* doc = "Events that are given by hand.";
  struct Params {};
  static constexpr bool superposable = false;
  static auto params() { return FieldTable<Params>{}; }
  static double rate(const Params&) { return 0; }
  static bool generate(const SourceUnit& u, Tick from, std::uint32_t length, EventSink& out) {
    const auto before = [](const ListedSpike& s, Tick t) { return s.tick < t; };
    const ListedSpike* const last = u.listed + u.listed_count;
    const auto* s = std::lower_bound(u.listed, last, from, before);
    for (; s != last && s->tick < from + length; ++s) {
      if (out.size == out.capacity) return false;
      out.data[out.size++] = static_cast<std::uint32_t>(s->tick - from) << 16 | s->index;
    }
    return true;
  }
};

void add_neurons(Network& net, const NeuronTable& table, const std::vector<NeuronParams>& params,
                 const NeuronParams::Changes& initial) {
  Population& neurons = add_population(net, table.model, static_cast<std::uint32_t>(params.size()));
  for (std::uint32_t f = 0; f < table.model.params.count; ++f) {
    std::vector<double> values;
    values.reserve(params.size());
    for (const NeuronParams& p : params) values.push_back(p.values()[f]);
    neurons.params.push_back(of_all(std::move(values)));
  }
  set_initial(neurons, table, initial);
}

/// A population of hands, one for each neuron, at `port`.
Projection& connect_hands(Network& net, std::uint32_t neurons, std::uint32_t port) {
  const GidRange targets{net.populations[neurons].first, net.populations[neurons].size};
  const Gid hands = add_population(net, source_table<Hand>().model, targets.count).first;
  return add_projection(net, "one_to_one", {hands, targets.count}, targets, port);
}

/// The neurons, and hands for each of their ports; superposed input is the last projection.
Network network_of(const NeuronTable& table, const std::vector<NeuronParams>& params,
                   const BenchSetting& setting) {
  Network net;
  net.name = "bench";
  net.seconds_per_tick = 1e-3 / setting.ticks_per_ms;
  net.duration = Tick{1} << 61;
  net.delay_resolution = 1;
  net.block = 1;  // a block may hold any part of the neurons
  if (setting.first) add_population(net, source_table<Hand>().model, setting.first);
  const auto self = static_cast<std::uint32_t>(net.populations.size());
  add_neurons(net, table, params, setting.initial);
  for (std::uint32_t port = 0; port < table.port_count; ++port) connect_hands(net, self, port);
  const BenchSetting::Input& input = setting.input;
  if (!input.events.empty()) {
    Projection& p = connect_hands(net, self, 0);
    p.name = "input";
    p.state = {of_all({input.weight})};
    p.delay = of_all({static_cast<double>(input.delay)});
    net.populations.back().listed = input.events;
  }
  ScheduledControl never_set;  // parameters may change: the block keeps them
  never_set.tick = never;
  never_set.to.places = {GidRange{net.populations[self].first, net.populations[self].size}};
  net.schedule.push_back(std::move(never_set));
  return net;
}

KernelGroup group_of(const Network& net, std::uint32_t population) {
  const Kernel kernel = kernel_of(net, population);
  if (kernel.fault) throw ModelFailure(net, population, 0, 0, kernel.fault);
  const NeuronTable& table = *kernel.table;
  KernelGroup group{&table, kernel.key, Buffer<std::byte>(table.shared_size), 0};
  const RunInfo run{net.ticks_per_ms()};
  if (table.frame) group.frame_length = table.frame(kernel.params.data(), &run);
  return group;
}

}  // namespace

NeuronBench::NeuronBench(const NeuronTable& table, const std::vector<NeuronParams>& params,
                         const BenchSetting& setting)
    : self_(setting.first ? 1 : 0),
      net_(network_of(table, params, setting)),
      part_(setting.part.count ? setting.part : GidRange{0, population().size}),
      group_(group_of(net_, self_)),
      watched_(*group_.table, setting.cut, setting.keys),
      partition_(net_, 1),
      locator_(partition_),
      window_(std::max<Tick>(1, static_cast<Tick>(setting.ticks_per_ms))),
      input_until_(setting.input.events.empty() ? -1
                                                : setting.input.events.back().tick + setting.input.delay),
      last_(population().size, -1) {
  group_.table = &watched_.table();
  std::vector<Gid> gids(part_.count);
  std::iota(gids.begin(), gids.end(), population().first + part_.first);
  for (std::uint32_t r = 0; r < partition_.stretches().size(); ++r)
    if (const GidStretch& stretch = partition_.stretches()[r];
        stretch.population == self_ && has(stretch.first - population().first))
      locator_.place(r, {0, stretch.first - gids.front()});
  for (std::uint32_t p = 0; p < net_.projections.size(); ++p)
    wirings_.push_back(std::make_unique<Wiring>(net_, p));
  guarded([&] {
    if (group_.table->frame && group_.frame_length <= 0)
      throw ModelFailure(net_, self_, 0, 0,
                         "its frames have " + std::to_string(group_.frame_length) + " ticks");
    const RunInfo run{net_.ticks_per_ms()};
    const Kernel kernel = kernel_of(net_, self_);
    if (group_.table->prepare)
      group_.table->prepare(group_.shared.data(), kernel.params.data(), &run, group_.frame_length);
    block_ = std::make_unique<Block>(net_, group_, std::move(gids), heart_);
    std::vector<bool> drawn(net_.projections.size(), false);
    if (input_until_ >= 0) drawn.back() = true;
    block_->connect(std::make_unique<BlockSynapses>(BlockEdges{net_, wirings_, locator_, 0}, drawn),
                    superposed(setting.input), {window_, true, 4096});
    block_->start();
  });
}

NeuronBench::~NeuronBench() = default;

SuperposedInput NeuronBench::superposed(const BenchSetting::Input& input) {
  SuperposedInput made;
  if (input.events.empty()) return made;
  const auto source = static_cast<std::uint32_t>(net_.populations.size() - 1);
  const Tick slab = Source::slab(net_, group_.frame_length ? group_.frame_length : never);
  TrainGroup& train =
      made.trains.emplace_back(input.delay, 0, slab, std::make_shared<std::vector<std::uint32_t>>());
  for (std::uint32_t unit = 0; unit * source_unit < population().size; ++unit) {
    std::vector<std::uint16_t> targets(source_unit, 0xFFFF);
    for (std::uint32_t i = 0; i < source_unit; ++i)
      if (const std::uint32_t j = unit * source_unit + i; has(j))
        targets[i] = static_cast<std::uint16_t>(j - part_.first);
    train.add(Source(net_, source, unit), std::move(targets),
              std::vector<double>(source_unit, static_cast<double>(static_cast<float>(input.weight))));
  }
  train.finish();
  return made;
}

void NeuronBench::arrival(Tick tick, std::uint32_t port, std::uint32_t j, double weight, double payload) {
  if (tick < 1 || tick < done_) throw std::logic_error("an arrival in the past");
  const Gid hand = net_.projections[port].sources[0].first + j;
  if (has(j)) arrivals_.emplace(tick, Emission{tick - 1, weight * payload, hand});
}

void NeuronBench::change(Tick tick, std::uint32_t j, std::uint32_t parameter, double value) {
  if (!has(j)) return;
  ScheduledControl& c = changes_.emplace_back();
  c.tick = tick;
  c.field = parameter;
  c.value[0] = value;
  c.to.places = {GidRange{population().first + j, 1}};
  actions_.emplace(tick, Action{tick, Ordered{&c}});
}

void NeuronBench::control(Tick tick, const Control& control, const std::vector<std::uint32_t>& js) {
  ScheduledControl c;
  c.tick = tick;
  c.kind = ScheduledControl::Kind::stimulus;
  c.stimulus = &model().stimuli[control.stimulus];
  std::copy(std::begin(control.value), std::end(control.value), std::begin(c.value));
  for (const std::uint32_t j : js)
    if (has(j)) c.to.places.push_back(GidRange{population().first + j, 1});
  if (c.to.places.empty()) return;
  actions_.emplace(tick, Action{tick, Ordered{&changes_.emplace_back(std::move(c))}});
}

void NeuronBench::sample(Tick tick, std::uint32_t j, std::uint32_t variable, std::vector<double>& samples) {
  if (has(j)) actions_.emplace(tick, Action{tick, ReadNeuron{&samples, j - part_.first, variable}});
}

void NeuronBench::run(Tick end) {
  for (bool more = true; more && failure_.empty();) guarded([&] { more = walk(end); });
  done_ = std::max(done_, end);
}

std::vector<Tick> NeuronBench::spikes(std::uint32_t j) const {
  std::vector<Tick> ticks;
  for (const Emitted& e : emitted_)
    if (e.neuron == j) ticks.push_back(e.tick);
  return ticks;
}

template <class F>
void NeuronBench::guarded(F&& f) {
  const WatchedModel::AtWork at_work(watched_);
  try {
    f();
    failure_ = watched_.breach();
    if (block_ && !block_->intact()) failure_ = "its model has written outside its memory";
  } catch (const ModelFailure& e) {
    failure_ = e.reason;
  }
}

/// The next window with anything in it, as far as tick `end`; false if there is none.
bool NeuronBench::walk(Tick end) {
  Tick soonest = done_ <= input_until_ ? done_ : block_->due();
  if (!arrivals_.empty()) soonest = std::min(soonest, arrivals_.begin()->first);
  if (!actions_.empty()) soonest = std::min(soonest, actions_.begin()->first);
  if (soonest >= end) return false;
  // A window may be walked through in pieces; each begins where the window does.
  const Tick begin = std::max(soonest, done_) / window_ * window_, to = std::min(begin + window_, end);
  if (to <= done_) return false;
  while (!arrivals_.empty() && arrivals_.begin()->first < to) {
    block_->post({&arrivals_.begin()->second, 1});
    arrivals_.erase(arrivals_.begin());
  }
  std::vector<Action> now;
  const auto first_later = actions_.lower_bound(to);
  for (auto a = actions_.begin(); a != first_later; ++a) now.push_back(a->second);
  actions_.erase(actions_.begin(), first_later);
  mark_complete(now);
  std::vector<std::vector<float>> no_reports;
  out_.clear();
  block_->walk({begin, to, to}, now, out_, no_reports);
  block_->posted.clear();
  take(out_);
  done_ = to;
  return true;
}

void NeuronBench::take(const Emissions& some) {
  for (const Emission& e : some) {
    const std::uint32_t j = e.gid - population().first;
    if (std::exchange(last_[j], e.tick) == e.tick)
      throw ModelFailure::of(net_, e.gid, e.tick, "fires twice in one tick");
    emitted_.push_back({e.tick, j, e.payload});
  }
}

NeuronBench::State NeuronBench::save() {
  State s{done_, {}, {}};
  guarded([&] {
    block_->settle(done_);
    const std::size_t each = Block::bytes_of_neuron(watched_.table());
    s.neurons.resize(each * part_.count);
    for (std::uint32_t j = 0; j < part_.count; ++j) block_->save_neuron(j, s.neurons.data() + j * each);
    s.asked = block_->save_requests();
  });
  return s;
}

void NeuronBench::restore(const State& s) {
  guarded([&] {
    const std::vector<ScheduledControl> schedule(changes_.begin(), changes_.end());
    block_->restore_begin(s.at, schedule);
    const std::size_t each = Block::bytes_of_neuron(watched_.table());
    for (std::uint32_t j = 0; j < part_.count; ++j) block_->restore_neuron(j, s.neurons.data() + j * each);
    for (const auto& a : s.asked) block_->restore_asked(a);
    block_->restore_end(s.at);
  });
  arrivals_.erase(arrivals_.begin(), arrivals_.lower_bound(s.at));
  actions_.erase(actions_.begin(), actions_.lower_bound(s.at));
  done_ = s.at;
}

}  // namespace spinet
