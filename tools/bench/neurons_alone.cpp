// Neurons of one model without an engine or a network: equal_error compiles this with the model's file
// (MODEL) of a version of Spinet, since 0.1, and its headers.  1,000 neurons hear random sources, each of
// which reaches 2 % of them; the same for every version, as ticks of 1 ns.
//
//   neurons_alone OUT MS RATE_EXC RATE_INH WEIGHT_EXC WEIGHT_INH V_LOW V_HIGH [PARAMETER=VALUE]...
//
// prints CPU seconds, arrivals and spikes.  OUT: potentials every 37.1 ms by time and neuron, as doubles, a
// NaN, then tick and neuron of each spike, as doubles.
#include MODEL

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace {

using spinet::Tick;
constexpr std::uint32_t neurons = 1000, sources = 4000;
constexpr double ticks_per_ms = 1e6;

struct Event {
  Tick tick;
  std::uint32_t port, source;
  double weight;
};
struct Input {
  std::vector<std::vector<std::uint16_t>> targets;
  std::vector<Event> events;
  std::size_t arrivals = 0;
};

double cpu() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// Rates in Hz, as each neuron gets them.
Input draw(double ms, const double (&rates)[2], const double (&weights)[2]) {
  Input in{std::vector<std::vector<std::uint16_t>>(sources), {}};
  std::mt19937_64 bits(1);
  const auto uniform = [&] { return (static_cast<double>(bits() >> 11) + 0.5) * 0x1p-53; };
  for (auto& list : in.targets)
    for (std::uint32_t j = 0; j < neurons; ++j)
      if (uniform() < 0.02) list.push_back(static_cast<std::uint16_t>(j));
  const double all = rates[0] + rates[1], per_ms = all * 50 / 1e3;
  for (double t = 0; (t -= std::log(uniform()) / per_ms) < ms;) {
    const std::uint32_t port = uniform() * all < rates[1] ? 1 : 0;
    const auto source = static_cast<std::uint32_t>(bits() % sources);
    in.events.push_back({static_cast<Tick>(t * ticks_per_ms) + 1, port, source, weights[port]});
    in.arrivals += in.targets[source].size();
  }
  return in;
}

/// A block of the model's neurons and what they have asked for.
class Block {
 public:
  Block(const spinet::NeuronTable& model, const std::vector<char>& params, double low, double high)
      : model_(model), state_(memory(model.state_size)), constants_(memory(model.constants_size)) {
    out_ = {asked_.data(), 0, static_cast<std::uint32_t>(asked_.size() - 1), nullptr, 0, 0};
    block_.state = state_.get();
    block_.constants = constants_.get();
    block_.out = &out_;
    block_.size = neurons;
    block_.run = {ticks_per_ms};
    block_.frame_length = model.frame(params.data(), &block_.run);
    std::mt19937_64 bits(7);
    for (std::uint32_t j = 0; j < neurons; ++j) {
      const double initial[8] = {low + (high - low) * static_cast<double>(bits() >> 11) * 0x1p-53};
      model.init(&block_, j, params.data(), initial);
    }
    model.renormalise(&block_, 0);
    drain();
  }
  /// Goes on to `tick`, where nothing of the model's has been done yet.
  void go(Tick tick) {
    for (;;) {
      const Tick turn = block_.frame_begin + block_.frame_length;
      const Tick next = waiting_.empty() ? tick : std::get<0>(waiting_.top());
      if (std::min(next, tick) >= turn) {
        block_.frame_begin = turn;
        model_.renormalise(&block_, 1);
        drain();
      } else if (next < tick) {
        before(next);
        after(next);
      } else {
        return;
      }
    }
  }
  void take(const Input& in, const Event& e) {
    before(e.tick);
    const auto& to = in.targets[e.source];
    const spinet::Arrivals a{
        e.tick, static_cast<std::uint32_t>(to.size()), e.port, to.data(), nullptr, nullptr, e.weight, 1};
    model_.receive(&block_, &a);
    drain();
    after(e.tick);
  }
  void read(Tick tick, std::vector<double>& V) const {
    V.resize(V.size() + neurons);
    model_.read_all(&block_, tick, 0, V.data() + V.size() - neurons);
  }
  const std::vector<double>& spikes() const { return spikes_; }

 private:
  struct Free {
    void operator()(char* p) const { std::free(p); }
  };
  using Memory = std::unique_ptr<char, Free>;
  static Memory memory(std::size_t size) {
    const std::size_t all = (size * neurons / 64 + 1) * 64;
    auto* const p = static_cast<char*>(std::aligned_alloc(64, all));
    std::memset(p, 0, all);
    return Memory(p);
  }
  void before(Tick tick) {
    if (collect(tick, 0))
      model_.wake(&block_, tick, now_.data(), static_cast<std::uint32_t>(now_.size())), drain();
  }
  void after(Tick tick) {
    if (collect(tick, 1))
      model_.test(&block_, tick, now_.data(), static_cast<std::uint32_t>(now_.size())), drain();
  }
  bool collect(Tick tick, int phase) {
    now_.clear();
    for (; !waiting_.empty() && std::get<0>(waiting_.top()) == tick && std::get<1>(waiting_.top()) == phase;
         waiting_.pop())
      if (now_.empty() || now_.back() != std::get<2>(waiting_.top()))
        now_.push_back(std::get<2>(waiting_.top()));
    return !now_.empty();
  }
  void drain() {
    for (std::uint32_t i = 0; i < out_.size; ++i) {
      const spinet::Request& r = asked_[i];
      if (r.ask == spinet::Ask::fail) std::fprintf(stderr, "%s\n", spinet::reason_of(r)), std::exit(1);
      if (r.ask == spinet::Ask::emit)
        spikes_.insert(spikes_.end(), {static_cast<double>(r.tick), static_cast<double>(r.neuron)});
      else waiting_.push({r.tick, r.ask == spinet::Ask::wake ? 0 : 1, r.neuron});
    }
    out_.size = 0;
  }

  using Asked = std::tuple<Tick, int, std::uint32_t>;
  const spinet::NeuronTable& model_;
  Memory state_, constants_;
  std::vector<spinet::Request> asked_ = std::vector<spinet::Request>(10 * neurons);
  spinet::Outbox out_{};
  spinet::NeuronBlock block_{};
  std::priority_queue<Asked, std::vector<Asked>, std::greater<>> waiting_;
  std::vector<std::uint32_t> now_;
  std::vector<double> spikes_;
};

std::vector<char> params_of(const spinet::NeuronTable& model, int count, char** given) {
  std::vector<char> bytes(model.params_size);
  for (std::uint32_t i = 0; i < model.model.params.count; ++i) {
    const spinet::Field& f = model.model.params.data[i];
    double value = f.preset;
    for (int k = 0; k < count; ++k)
      if (std::string(given[k]).rfind(std::string(f.name) + "=", 0) == 0)
        value = std::atof(std::strchr(given[k], '=') + 1);
    std::memcpy(bytes.data() + f.offset, &value, sizeof value);
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 9) return 2;
  double x[7];
  for (int i = 0; i < 7; ++i) x[i] = std::atof(argv[2 + i]);
  const auto& model = *reinterpret_cast<const spinet::NeuronTable*>(SPINET_ENTRY());
  const Input in = draw(x[0], {x[1], x[2]}, {x[3], x[4]});
  constexpr Tick every = 37'123'457;
  std::vector<double> V;
  Block block(model, params_of(model, argc - 9, argv + 9), x[5], x[6]);
  double spent = -cpu();
  Tick sample = every;
  for (const Event& e : in.events) {
    for (; sample <= e.tick; sample += every) {
      block.go(sample);
      spent += cpu();
      block.read(sample, V);
      spent -= cpu();
    }
    block.go(e.tick);
    block.take(in, e);
  }
  spent += cpu();
  std::printf("%.6f %zu %zu\n", spent, in.arrivals, block.spikes().size() / 2);
  std::FILE* const out = std::fopen(argv[1], "wb");
  if (out == nullptr) return 1;
  V.push_back(std::nan(""));
  std::fwrite(V.data(), sizeof(double), V.size(), out);
  std::fwrite(block.spikes().data(), sizeof(double), block.spikes().size(), out);
  return std::fclose(out);
}
