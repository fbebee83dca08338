#include "core/block/block.hpp"

#include <algorithm>

#include "core/block/packet_arrivals.hpp"
#include "core/block/sorted_arrivals.hpp"
#include "network/lookup.hpp"

namespace spinet {

Block::Block(const Network& net, const KernelGroup& group, std::vector<Gid> gids, Heart& heart)
    : network_(net),
      table_(*group.table),
      heart_(heart),
      members_(net, group, std::move(gids)),
      population_name_(
          this->gids().empty() ? "" : net.populations[population_of(net, this->gids()[0])].name.c_str()),
      faults_(net, table_, members_.gids()),
      requests_(members_.block, table_, members_.gids(), faults_, posted),
      watched_(net, faults_) {
  const AtWork at_work(*this);
  members_.init(requests_, faults_, heart_);
  for (const auto& report : net.reports) {
    const Population& p = net.populations[report.population];
    auto& js = sampled.emplace_back();
    for (auto [j, end] = members_.of(p); j < end; ++j)
      if (std::binary_search(report.ids.begin(), report.ids.end(), this->gids()[j] - p.first))
        js.push_back(j);
  }
}

void Block::connect(std::unique_ptr<BlockSynapses> synapses, SuperposedInput input, const Setup& setup) {
  synapses_ = std::move(synapses);
  window_ = setup.window;
  requests_.window(window_);
  for (Store& store : synapses_->stores())
    if (store.targets.size() > 0)
      store.weight_sign = table_.ports[store.port].sign * static_cast<int>(store.sign);
  faults_.of(*synapses_);
  histories_.make(*synapses_, members_.size(), network_);
  if (!histories_.empty()) requests_.enter_into(histories_);
  slices_.emplace(network_, table_, members_.block, *synapses_, histories_);

  // The one choice between blocks with few slices and with many.
  std::uint32_t most_steps = 0;
  for (std::uint32_t s = 0; s < synapses_->slice_count(); ++s)
    most_steps = std::max(most_steps, synapses_->delay_steps(s));
  const Ring ring(window_, network_.delay_resolution, most_steps, network_.duration);
  if (synapses_->slice_count() <= setup.small_slices) {
    arrivals_ = std::make_unique<PacketArrivals>(ring, *synapses_, network_);
    slices_->keep_all();
  } else {
    const auto payloads = setup.graded ? Payloads::each : Payloads::all_one;
    arrivals_ = std::make_unique<SortedArrivals>(ring, *synapses_, payloads);
  }
  delivery_.emplace(Delivery::Parts{table_, members_.block, *slices_, requests_, watched_, faults_, heart_});
  watched_.look_at(*slices_);
  controls_.emplace(network_, members_, *slices_, watched_, heart_);
  input_.emplace(members_.block, table_, requests_, faults_, std::move(input));
  timed_ = members_.block.frame_length != 0 || !input_->empty() || !histories_.empty();
}

bool Block::hears(std::uint32_t family) const {
  const GidRange all = network_.family(family);
  return all.count && synapses_->slices_begin(all.first) != synapses_->slices_end(all.first + all.count - 1);
}

void Block::start() {
  const AtWork at_work(*this);
  requests_.emit_to(nullptr, never);                       // nothing is emitted before the run
  requests_.take(0, requests_.most_for(members_.size()));  // what `init` has asked for
  if (!members_.block.frame_length || !table_.renormalise) return;
  asleep_ = table_.renormalise(&members_.block, 0) != 0;
  requests_.take(0, requests_.most_for(members_.size()));
}

// --- a window ---

/// The order within a tick is that of the calls below; it is promised to models (spinet/neuron.hpp) and to
/// networks (engine/README.md).  Superposed arrivals between two such ticks are taken many ticks at once.
void Block::walk(const Window& window, std::span<const Action> actions, Emissions& out,
                 std::vector<std::vector<float>>& samples) {
  const Tick from = window.from, to = window.to;
  requests_.emit_to(&out, from);
  const AtWork at_work(*this);
  arrivals_->open(from);
  for (;;) {
    if ((++turns_ & 63) == 0) heart_.beat();
    // The next tick with anything but superposed arrivals.
    Tick now = std::min(arrivals_->due(), requests_.next());
    if (!actions.empty()) now = std::min(now, actions.front().tick);
    if (timed_) {
      now = std::min({now, histories_.trim_at(), frame_end(), input_->turn()});
      if (take_input(std::min(now, to))) continue;  // and look again: it may have asked for something
    }
    if (now >= to) break;

    if (timed_) pass_time(now);
    requests_.begin(now);
    controls_->forget_reads();
    for (; !actions.empty() && actions.front().tick == now; actions = actions.subspan(1))
      act(actions.front(), samples);
    if (requests_.waits(Ask::wake, now)) do_phase(Ask::wake, now);
    while (arrivals_->due() == now) delivery_->deliver(arrivals_->take(), now);
    delivery_->finish(now);
    if (!input_->empty()) input_->take_at(now);
    if (requests_.waits(Ask::test, now)) do_phase(Ask::test, now);
    if (requests_.waits(Ask::evaluate, now)) do_phase(Ask::evaluate, now);
  }
  due_at_ = next(to, window.horizon);
}

/// Some of the superposed arrivals before `until`; says whether there were any.  A sleeping block wakes up
/// first.
bool Block::take_input(Tick until) {
  if (input_->empty()) return false;
  const Tick soonest = input_->next(until);
  if (soonest >= until) return false;
  if (asleep_) wake_up(soonest);
  else input_->take_before(until);
  return true;
}

/// What the time itself does, before anything else at tick `now`: the block wakes up, its frame ends, plastic
/// synapses take in what would be forgotten, a slab of unordered input ends and the next begins.
void Block::pass_time(Tick now) {
  if (asleep_) wake_up(now);
  else if (now == frame_end()) next_frame(now);
  if (now == histories_.trim_at()) histories_.trim(now, *slices_, heart_);
  histories_.rebase(now);
  if (now != input_->turn()) return;
  input_->take_turn(now);
  asleep_ = false;
}

void Block::do_phase(Ask phase, Tick now) {
  const std::span<const std::uint32_t> js = requests_.due(phase, now);
  if (js.empty()) return;
  const auto n = static_cast<std::uint32_t>(js.size());
  NeuronBlock* const b = &members_.block;
  make_exact(js, phase, now);
  if (phase == Ask::wake && table_.wake) table_.wake(b, now, js.data(), n);
  if (phase == Ask::test && table_.test) table_.test(b, now, js.data(), n);
  if (phase == Ask::evaluate && table_.evaluate) table_.evaluate(b, now, js.data(), n);
  const Ask next = static_cast<Ask>(static_cast<std::uint32_t>(phase) + 1);
  requests_.take(now, requests_.most_for(n), next);
}

/// Wakes come before the superposed arrivals of their tick, tests and evaluations after them.
void Block::make_exact(std::span<const std::uint32_t> js, Ask phase, Tick now) {
  if (!members_.block.exact) return;
  for (const std::uint32_t& j : js) {
    if (phase == Ask::test && table_.out_of_date && table_.out_of_date(&members_.block, now, j)) continue;
    input_->make_exact({&j, 1}, phase == Ask::wake ? now : now + 1);
  }
}

Tick Block::next(Tick from, Tick horizon) {
  Tick soonest = std::min(
      {arrivals_->next(from), requests_.next_of_all(), histories_.trim_at(), frame_end(), input_->turn()});
  if (soonest > from && !input_->empty()) soonest = std::min(soonest, input_->next(horizon));
  return std::max(soonest, from);
}

// --- frames ---

/// Where the present frame ends; `never` for a block that sleeps or has no frames.
Tick Block::frame_end() const {
  const NeuronBlock& b = members_.block;
  return asleep_ || !b.frame_length ? never : b.frame_begin + b.frame_length;
}

/// Brings a sleeping block into the frame of `tick`.
void Block::wake_up(Tick tick) {
  NeuronBlock& b = members_.block;
  if (!b.frame_length) return;
  asleep_ = false;
  const Tick begin = tick / b.frame_length * b.frame_length;
  if (begin == b.frame_begin) return;
  const auto frames = static_cast<std::uint64_t>((begin - b.frame_begin) / b.frame_length);
  b.frame_begin = begin;
  if (table_.renormalise) table_.renormalise(&b, frames);
  requests_.take(begin, requests_.most_for(b.size));
}

void Block::next_frame(Tick begin) {
  NeuronBlock& b = members_.block;
  b.frame_begin = begin;
  if (table_.renormalise) asleep_ = table_.renormalise(&b, 1) != 0;
  requests_.take(begin, requests_.most_for(b.size));
}

// --- actions ---

void Block::act(const Action& a, std::vector<std::vector<float>>& samples) {
  if (const Ordered* const o = a.ordered()) return obey(*o, a.tick);
  if (const auto* s = std::get_if<SampleWeights>(&a.what))
    return watched_.take_samples(s->recording, a.tick, samples[network_.reports.size() + s->recording]);
  if (const auto* s = std::get_if<SampleEvents>(&a.what)) {
    const auto which = s->all ? Watched::Values::all : Watched::Values::changed;
    return watched_.note_recording(s->recording, a.tick, which);
  }
  if (const auto* read = std::get_if<ReadNeuron>(&a.what))
    return read->to->push_back(input_->read(a.tick, read->j, read->variable));
  const std::uint32_t r = std::get<SampleReport>(a.what).report;
  const std::uint32_t variable = network_.reports[r].variable;
  for (const auto j : sampled[r]) {
    const double x = input_->read(a.tick, j, variable);
    samples[r].push_back(faults_.sampled(x, Faults::NeuronVariable{j, variable}, a.tick));
  }
}

void Block::obey(const Ordered& o, Tick tick) {
  const ScheduledControl& s = *o.entry;
  switch (s.kind) {
    case ScheduledControl::Kind::transmission:
      for (const Place& place : s.to.places)
        if (const auto k = synapses_->store_of(*projection_of(place)); k < synapses_->stores().size())
          delivery_->set_gain(k, synapses_->stores()[k].sign * s.value_at(tick));
      return;
    case ScheduledControl::Kind::set:
      if (!s.to.names_neurons()) return controls_->set(o, tick);
      break;
    case ScheduledControl::Kind::stimulus:  // the synapses first, then the neurons
      controls_->hand_over(s, tick);
      if (s.stimulus->logs) watched_.after(s, tick);
      if (s.stimulus->flags & wired || !table_.on_control || !answers(table_.model, *s.stimulus)) return;
  }
  addressed_.clear();
  members_.addressed(s.to, addressed_);
  if (addressed_.empty()) return;
  controls_->forget_reads();
  input_->make_exact(addressed_, tick);
  const auto n = static_cast<std::uint32_t>(addressed_.size());
  if (s.sets()) {
    members_.set(o, tick, addressed_);
  } else {
    Control control = s.control_at(tick);
    control.stimulus = stimulus_of(table_.model, *s.stimulus);
    table_.on_control(&members_.block, tick, &control, addressed_.data(), n);
  }
  requests_.take(tick, requests_.most_for(n));
}

}  // namespace spinet
