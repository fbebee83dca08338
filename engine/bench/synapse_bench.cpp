#include "bench/synapse_bench.hpp"

#include <cstring>
#include <optional>

#include "bench/small_network.hpp"
#include "core/block/histories.hpp"
#include "core/block/slices.hpp"
#include "core/partition.hpp"
#include "spinet/source.hpp"

namespace spinet {
namespace {

/// Where the events come from; they are given by hand.
struct Elsewhere {
  static constexpr const char* name = "elsewhere";
  static constexpr const char* doc = "Events that are given by hand.";
  struct Params {};
  static auto params() { return FieldTable<Params>{}; }
  static constexpr bool superposable = false;
  static double rate(const Params&) { return 0; }
  static bool generate(const SourceUnit&, Tick, std::uint32_t, EventSink&) { return true; }
};

const Field* first_initial(const Fields& fields) {
  for (std::uint32_t v = 0; v < fields.count; ++v)
    if (fields.data[v].flags & initial) return &fields.data[v];
  return nullptr;
}

/// The synapses as a list of connections, each with what it begins with.  Those before the first are there as
/// well: what `init` draws depends on a connection's place in the list.
void add_synapses(Network& net, const SynapseTable& table, const SynapseSetting& at, GidRange targets) {
  Projection& p = add_projection(net, "list", {at.source, 1}, targets, 0);
  p.synapse = &table;
  p.params = at.params;
  p.delay = of_all({static_cast<double>(at.delay)});
  p.listed_weights = true;
  const Fields& variables = table.model.variables;
  std::vector<std::uint32_t> given;
  for (std::uint32_t v = 0; v < variables.count; ++v)
    if (variables.data[v].flags & initial) given.push_back(v);
  p.state.assign(given.size(), of_all({0}));
  p.listed_state.resize(given.size());
  for (std::uint32_t i = 0; i < at.first + at.count; ++i) {
    std::vector<double> values;
    if (at.begin) values = at.begin(table, i);
    else
      for (std::uint32_t v = 0; v < variables.count; ++v) values.push_back(variables.data[v].preset);
    p.edges.push_back({0, i * at.stride, given.empty() ? 0 : values[given[0]], at.delay});
    for (std::size_t k = 1; k < given.size(); ++k) p.listed_state[k].push_back(values[given[k]]);
  }
}

}  // namespace

/// What the targets have fired.
class SynapseBench::Past {
 public:
  Past(const SynapseTable& t, const void* params, const SynapseSetting& setting, std::uint32_t targets)
      : post_tau_(t.post_tau(params) * setting.ticks_per_ms),
        pre_tau_(t.pre_tau ? t.pre_tau(params) * setting.ticks_per_ms : 0),
        targets_(targets),
        histories_(targets, post_tau_, pre_tau_, Tick{1} << 60) {}
  Past(const Past& o)
      : post_tau_(o.post_tau_),
        pre_tau_(o.pre_tau_),
        targets_(o.targets_),
        histories_(targets_, post_tau_, pre_tau_, Tick{1} << 60) {
    for (const auto& [j, tick] : o.all_) add(j, tick);
  }
  void add(std::uint32_t j, Tick tick) {
    all_.emplace_back(j, tick);
    histories_.add(j, tick);
  }
  void forget(Tick tick, Tick delay) { histories_.trimmed(tick, delay); }
  void show(Slice& s) {
    histories_.rebase(s.tick);
    s.history = histories_.heads();
    s.base = histories_.base();
  }

 private:
  double post_tau_, pre_tau_;
  std::uint32_t targets_;
  PostHistories histories_;
  std::vector<std::pair<std::uint32_t, Tick>> all_;
};

/// While it lives, the engine's calls of `init` on this thread go to the model with a state between fences.
class SynapseBench::InitAtWork {
 public:
  explicit InitAtWork(SynapseBench& bench) : before_(present) { present = &bench; }
  ~InitAtWork() { present = before_; }
  InitAtWork(const InitAtWork&) = delete;
  static void fenced(const Slice* s) noexcept {
    SynapseBench& bench = *present;
    Fenced state(bench.table_->state_size);
    std::memcpy(state.data(), s->state, state.size());
    Slice own = *s;
    own.state = state.data();
    const ModeWatch watch("init", bench.mode_trouble_);
    bench.table_->init(&own);
    std::memcpy(s->state, state.data(), state.size());
    bench.intact_ = bench.intact_ && state.intact();
  }

 private:
  static thread_local SynapseBench* present;
  SynapseBench* before_;
};
thread_local SynapseBench* SynapseBench::InitAtWork::present = nullptr;

/// The slice as the engine makes it: the block's one, of the network's one projection.
struct SynapseBench::Built {
  SynapseTable table;
  Network net;
  std::vector<Field> variables;  ///< of the targets: those that the model reads
  NeuronTable targets{};
  NeuronBlock block{};
  std::vector<Gid> gids;
  std::vector<std::unique_ptr<Wiring>> wirings;
  std::unique_ptr<BlockSynapses> synapses;
  Histories histories;
  std::optional<SliceViews> views;
  decltype(SynapseSetting::target_variable) variable;
  std::vector<std::vector<double>> values;
  std::vector<const double*> shown;

  Built(const SynapseTable& model, const SynapseSetting& at) : table(model), variable(at.target_variable) {
    if (table.init) table.init = InitAtWork::fenced;
    make_targets();
    net.name = "bench";
    net.seconds_per_tick = 1e-3 / at.ticks_per_ms;
    net.duration = Tick{1} << 61;
    net.delay_resolution = at.delay;
    net.seed = at.seed;
    add_population(net, source_table<Elsewhere>().model, at.first_target);
    const std::uint32_t n = (at.first + at.count - 1) * at.stride + 1;
    const Gid first = add_population(net, targets.model, n).first;
    add_synapses(net, table, at, {first, n});
    const Partition partition(net, 1);
    Locator locator(partition);
    for (std::uint32_t r = 0; r < partition.stretches().size(); ++r)
      if (const GidStretch& stretch = partition.stretches()[r]; stretch.population == 1)
        locator.place(r, {0, stretch.first - first});
    for (std::uint32_t j = 0; j < n; ++j) gids.push_back(first + j);
    block.size = n;
    block.gids = gids.data();
    block.run = {net.ticks_per_ms()};
    block.state = reinterpret_cast<std::byte*>(this);
    wirings.push_back(std::make_unique<Wiring>(net, 0));
    synapses =
        std::make_unique<BlockSynapses>(BlockEdges{net, wirings, locator, 0}, std::vector<bool>{false});
    histories.make(*synapses, n, net);
    views.emplace(net, targets, block, *synapses, histories);
    values.assign(table.read_count, std::vector<double>(n));
    for (const auto& v : values) shown.push_back(v.data());
  }
  Built(const Built&) = delete;

  void make_targets() {
    for (std::uint32_t k = 0; k < table.read_count; ++k) {
      Field f{};
      f.name = table.reads[k];
      variables.push_back(f);
    }
    targets.model.name = "targets";
    targets.model.variables = {variables.data(), table.read_count, sizeof(Field)};
    targets.read = [](const NeuronBlock* b, Tick tick, std::uint32_t j, std::uint32_t v) noexcept -> double {
      const auto of_targets = reinterpret_cast<const Built*>(b->state)->variable;
      return of_targets ? of_targets(tick, j, v) : 0;
    };
  }
  void show_values(Slice& s) {
    for (std::uint32_t k = 0; k < values.size(); ++k)
      for (std::uint32_t j = 0; j < gids.size(); ++j) values[k][j] = targets.read(&block, s.tick, j, k);
    if (!shown.empty()) s.values = shown.data();
  }
};

SynapseBench::SynapseBench(const SynapseTable& model, SynapseSetting setting)
    : setting_([&] {
        for (std::uint32_t f = static_cast<std::uint32_t>(setting.params.size());
             f < model.model.params.count; ++f)
          setting.params.push_back(model.model.params.data[f].preset);
        return std::move(setting);
      }()),
      extended_(extended(model, setting_.params, setting_.drawn)),
      table_(extended_ ? &extended_->table() : &model),
      built_(build()),
      params_(table_->params_size),
      shared_(table_->shared_size),
      state_(std::size_t{table_->state_size} * setting_.count),
      slice_state_(table_->slice_state_size) {
  put_params(params_, setting_.params);
  prepare(shared_, params_);
  std::memcpy(state_.data(), built_->synapses->stores()[0].state_of(setting_.first), state_.size());
  if (table_->post_tau)
    past_ = std::make_shared<Past>(*table_, params_.data(), setting_,
                                   static_cast<std::uint32_t>(built_->gids.size()));
}

SynapseBench::SynapseBench(const SynapseBench& saved, const SynapseTable& table) : SynapseBench(saved) {
  extended_ = extended(table, setting_.params, setting_.drawn);
  table_ = extended_ ? &extended_->table() : &table;
  std::memset(shared_.data(), 0, shared_.size());
  prepare(shared_, params_);
}

std::shared_ptr<SynapseBench::Built> SynapseBench::build() {
  const InitAtWork at_work(*this);
  const ModeWatch watch("prepare", mode_trouble_);
  return std::make_shared<Built>(*table_, setting_);
}

void SynapseBench::put_params(Fenced& to, const std::vector<double>& values) const {
  const Fields& fields = table_->model.params;
  for (std::uint32_t f = 0; f < fields.count; ++f) put(to.data(), fields.data[f], values[f]);
}

void SynapseBench::prepare(Fenced& shared, const Fenced& params) {
  const ModeWatch watch("prepare", mode_trouble_);
  const RunInfo run{setting_.ticks_per_ms};
  if (table_->prepare) table_->prepare(shared.data(), params.data(), &run);
}

SynapseBench::Past& SynapseBench::own_past() {
  if (past_.use_count() > 1) past_ = std::make_shared<Past>(*past_);
  return *past_;
}

Slice SynapseBench::at(Tick tick, double payload) {
  Slice s = built_->views->at(0, tick, payload);
  s.count = count();
  s.targets += first();
  if (s.copies) s.copies += first();
  s.state = state_.data();
  if (s.slice_state) s.slice_state = slice_state_.data();
  s.shared = shared_.data();
  s.params = params_.data();
  s.extras = table_->extras;
  if (past_) past_->show(s);
  if (shows_values_) built_->show_values(s);
  return s;
}

void SynapseBench::control(Tick tick, const Control& c, std::uint32_t to) {
  if (!table_->on_control) return;
  Slice s = at(tick, 0);
  const ModeWatch watch("on_control", mode_trouble_);
  if (to == everyone) return table_->on_control_of(s, c);
  if (to < first() || to >= first() + count()) return;
  const std::uint32_t i = to - first();
  s.count = 1;
  s.targets += i;
  s.state = static_cast<std::byte*>(s.state) + std::size_t{i} * table_->state_size;
  if (s.copies) s.copies += i;
  table_->on_control_of(s, c);
}

void SynapseBench::set(Tick tick, const std::vector<double>& params) {
  Fenced next(params_.size()), shared(shared_.size());
  put_params(next, params);
  if (table_->check && table_->check(next.data())) return;
  prepare(shared, next);
  const Slice s = at(tick, 0);
  const ModeWatch watch("set", mode_trouble_);
  if (table_->catch_up) table_->catch_up(&s);
  table_->set(&s, next.data(), shared.data());
  std::memcpy(shared_.data(), shared.data(), shared.size());
  std::memcpy(params_.data(), next.data(), next.size());
  setting_.params = params;
  intact_ = intact_ && shared.intact();
}

/// Weights that a model has written, or those that synapses are.
void SynapseBench::append(Fenced& made, std::vector<double>& weights) {
  for (std::size_t i = 0; i < made.size() / sizeof(double); ++i) {
    double w;
    std::memcpy(&w, made.data() + i * sizeof w, sizeof w);
    weights.push_back(w);
  }
  intact_ = intact_ && made.intact();
}

void SynapseBench::deliver(Tick tick, double payload, std::vector<double>& weights) {
  if (!table_->on_pre) {
    const Fields& variables = table_->model.variables;
    for (std::uint32_t i = 0; i < count(); ++i)
      weights.push_back(get(state_.data() + std::size_t{i} * table_->state_size, variables.data[0]));
    return;
  }
  Fenced made(sizeof(double) * count());
  const Slice s = at(tick, payload);
  const ModeWatch watch("on_pre", mode_trouble_);
  table_->on_pre_of(s, reinterpret_cast<double*>(made.data()));
  append(made, weights);
}

void SynapseBench::deliver_together(std::vector<SynapseBench>& parts, Tick tick, double payload,
                                    std::vector<double>& weights) {
  std::vector<Slice> slices;
  std::uint32_t all = 0;
  for (SynapseBench& p : parts) slices.push_back(p.at(tick, payload)), all += p.count();
  std::vector<const Slice*> some;
  for (const Slice& s : slices) some.push_back(&s);
  Fenced made(sizeof(double) * all);
  const ModeWatch watch("on_pre", parts[0].mode_trouble_);
  parts[0].table_->on_pre(some.data(), static_cast<std::uint32_t>(some.size()),
                          reinterpret_cast<double*>(made.data()));
  parts[0].append(made, weights);
}

double SynapseBench::read(std::uint32_t i, Tick tick, std::uint32_t variable) {
  const Slice s = at(tick);
  const ModeWatch watch("read", mode_trouble_);
  return table_->read(&s, i, variable);
}

void SynapseBench::catch_up(Tick tick) {
  const Slice s = at(tick);
  const ModeWatch watch("catch_up", mode_trouble_);
  table_->catch_up(&s);
}

void SynapseBench::spike(std::uint32_t j, Tick tick) {
  if (past_) own_past().add(j, tick);
}

void SynapseBench::forget(Tick tick) {
  if (table_->catch_up) catch_up(tick);
  if (past_) own_past().forget(tick, setting_.delay);
}

double SynapseBench::given(std::uint32_t i) const {
  const Field* const f = first_initial(table_->model.variables);
  return f ? get(state_.data() + std::size_t{i} * table_->state_size, *f) : 0;
}

}  // namespace spinet
