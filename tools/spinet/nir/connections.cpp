#include "nir/connections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "network/suggest.hpp"

namespace spinet::nir {
namespace {

constexpr std::size_t most_connections = 100'000'000;

/// What a node between populations does to an element of what it gets.
class Map {
 public:
  explicit Map(const Vertex& v) : v_(v), n_(*v.node) {
    const auto values = [&](const char* field) -> const std::vector<double>* {
      const Value* found = n_.find(field);
      return found && found->kind == Value::Kind::numbers ? &found->numbers : nullptr;
    };
    weights_ = values(v.kind == Kind::scale ? "scale" : "weight");
    delays_ = values("delay");
    bias_ = values("bias");
    if (slides()) s_ = sliding(n_, v.kind, v.in);
    if (v.kind == Kind::average_pool) share_ = 1 / static_cast<double>(s_.size[0] * s_.size[1]);
  }

  /// Calls f(element, weight) for all that element `j` goes to.
  template <class F>
  void spread(std::uint32_t j, F&& f) const {
    if (v_.kind == Kind::linear || v_.kind == Kind::affine) {
      const std::size_t columns = n_.find("weight")->shape[1], rows = n_.find("weight")->shape[0];
      for (std::size_t r = 0; r < rows; ++r) f(static_cast<std::uint32_t>(r), (*weights_)[r * columns + j]);
    } else if (slides()) {
      slide(j, f);
    } else {
      f(j, v_.kind == Kind::scale ? one_of(*weights_, j) : 1.0);
    }
  }
  /// In ns; beyond what a connection may have it is cut off, and refused later.
  std::int64_t delay(std::uint32_t j) const {
    return v_.kind == Kind::delay ? std::llround(std::clamp(one_of(*delays_, j) * 1e9, -1e17, 1e17)) : 0;
  }
  /// What is added to element `r` of what it sends.
  double bias(std::uint32_t r) const {
    if (!bias_) return 0;
    return slides() ? (*bias_)[r / (s_.out[1] * s_.out[2])] : (*bias_)[r];
  }
  bool has_bias() const { return bias_; }
  bool moves_nothing() const { return !weights_ && !delays_ && !slides(); }

 private:
  static double one_of(const std::vector<double>& v, std::uint32_t j) { return v.size() == 1 ? v[0] : v[j]; }
  bool slides() const {
    return v_.kind == Kind::conv1d || v_.kind == Kind::conv2d || v_.kind == Kind::sum_pool ||
           v_.kind == Kind::average_pool;
  }
  /// The place of the window, along `axis`, whose element `k` is `x`; false: there is none.
  bool window(int axis, std::uint64_t x, std::uint64_t k, std::uint64_t& at) const {
    const std::uint64_t shifted = x + s_.padding[axis], begin = k * s_.dilation[axis];
    if (shifted < begin || (shifted - begin) % s_.stride[axis]) return false;
    at = (shifted - begin) / s_.stride[axis];
    return at < s_.out[1 + axis];
  }
  template <class F>
  void slide(std::uint32_t j, F&& f) const {
    const std::uint64_t area = s_.in[1] * s_.in[2], channel = j / area, y = j % area / s_.in[2],
                        x = j % s_.in[2];
    const std::uint64_t ins = s_.in[0] / s_.groups, outs = s_.out[0] / s_.groups, group = channel / ins;
    std::uint64_t row, column;
    for (std::uint64_t a = 0; a < s_.size[0]; ++a) {
      if (!window(0, y, a, row)) continue;
      for (std::uint64_t b = 0; b < s_.size[1]; ++b) {
        if (!window(1, x, b, column)) continue;
        const auto to = [&](std::uint64_t c) {
          return static_cast<std::uint32_t>((c * s_.out[1] + row) * s_.out[2] + column);
        };
        if (!weights_) {
          f(to(channel), share_);
          continue;
        }
        for (std::uint64_t c = group * outs; c < (group + 1) * outs; ++c)
          f(to(c), (*weights_)[((c * ins + channel % ins) * s_.size[0] + a) * s_.size[1] + b]);
      }
    }
  }

  const Vertex& v_;
  const GraphNode& n_;
  const std::vector<double>*weights_, *delays_, *bias_;
  Sliding s_{};
  double share_ = 1;
};

class Connecting {
 public:
  explicit Connecting(const std::vector<Vertex>& all) : all_(all) {
    order();
    for (const auto v : order_) maps_.emplace_back(all[v]);
  }
  Connected work() {
    Connected c;
    for (std::uint32_t s = 0; s < all_.size(); ++s)
      if (all_[s].is_end()) from(s, c.bundles);
    constants(c.constants);
    return c;
  }

 private:
  /// Nodes between populations, each after those that it gets something from.
  void order() {
    std::vector<std::size_t> missing(all_.size(), 0);
    std::vector<std::uint32_t> ready;
    std::size_t between = 0;
    for (std::uint32_t v = 0; v < all_.size(); ++v) {
      if (all_[v].is_end()) continue;
      ++between;
      for (const auto p : all_[v].from) missing[v] += !all_[p].is_end();
      if (missing[v] == 0) ready.push_back(v);
    }
    while (!ready.empty()) {
      const auto v = ready.back();
      ready.pop_back();
      order_.push_back(v);
      for (const auto t : all_[v].to)
        if (!all_[t].is_end() && --missing[t] == 0) ready.push_back(t);
    }
    if (order_.size() == between) return;
    for (std::uint32_t v = 0; v < all_.size(); ++v)
      if (!all_[v].is_end() && missing[v] > 0)
        throw Fault(
            fmt::format("node {} ({}) lies in, or behind, a circle of nodes without a neuron in it: what "
                        "it sends depends on itself at the same time",
                        in_quotes(all_[v].path), all_[v].node->type));
  }

  using Connections = std::vector<Connection>;

  /// Adds up what is alike, where it may come several ways.
  static void merge(Connections& all) {
    const auto key = [](const Connection& c) { return std::tie(c.from, c.to, c.delay); };
    std::stable_sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
    std::size_t kept = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (kept > 0 && key(all[kept - 1]) == key(all[i])) all[kept - 1].weight += all[i].weight;
      else all[kept++] = all[i];
    }
    all.resize(kept);
  }

  /// Follows what vertex `s` sends through the nodes between populations.
  void from(std::uint32_t s, std::vector<Bundle>& bundles) {
    std::vector<Connections> sent(all_.size());
    std::vector<bool> moved(all_.size(), false);
    const auto gathered = [&](std::uint32_t v, bool& is_moved) {
      Connections in;
      std::size_t ways = 0;
      for (const auto p : all_[v].from) {
        if (p == s)
          for (std::uint32_t i = 0; i < all_[s].size(); ++i) in.push_back({i, i, 1, 0});
        else in.insert(in.end(), sent[p].begin(), sent[p].end());
        ways += p == s || !sent[p].empty();
        is_moved = is_moved || moved[p];
        check_count(in.size());
      }
      is_moved = is_moved || ways > 1;
      if (ways > 1) merge(in);
      return in;
    };
    for (std::size_t k = 0; k < order_.size(); ++k) {
      const auto v = order_[k];
      bool is_moved = false;
      Connections& out = sent[v];
      for (const auto& c : gathered(v, is_moved)) {
        const auto delay = c.delay + maps_[k].delay(c.to);
        maps_[k].spread(c.to, [&](std::uint32_t to, double w) {
          out.push_back({c.from, to, c.weight * w, delay});
        });
        check_count(out.size());
      }
      if (is_moved) merge(out);
      moved[v] = is_moved || !maps_[k].moves_nothing();
    }
    for (std::uint32_t t = 0; t < all_.size(); ++t) {
      if (!all_[t].is_end()) continue;
      Bundle b{s, t};
      bool is_moved = false;
      b.connections = gathered(t, is_moved);
      if (b.connections.empty()) continue;
      b.is_identity = !is_moved;
      merge(b.connections);
      std::erase_if(b.connections, [](const Connection& c) { return c.weight == 0; });
      bundles.push_back(std::move(b));
    }
  }
  static void check_count(std::size_t n) {
    if (n > most_connections)
      throw Fault(
          fmt::format("there are more than {} connections between two populations", most_connections));
  }

  void constants(std::vector<std::vector<double>>& of) const {
    of.resize(all_.size());
    const auto gathered = [&](std::uint32_t v) {
      std::vector<double> in;
      for (const auto p : all_[v].from) {
        if (all_[p].is_end() || of[p].empty()) continue;
        in.resize(of[p].size(), 0);
        for (std::size_t i = 0; i < in.size(); ++i) in[i] += of[p][i];
      }
      return in;
    };
    for (std::size_t k = 0; k < order_.size(); ++k) {
      const auto v = order_[k];
      const auto in = gathered(v);
      if (in.empty() && !maps_[k].has_bias()) continue;
      of[v].assign(all_[v].size(), 0);
      for (std::uint32_t j = 0; j < in.size(); ++j)
        maps_[k].spread(j, [&](std::uint32_t r, double w) { of[v][r] += w * in[j]; });
      for (std::uint32_t r = 0; r < of[v].size(); ++r) of[v][r] += maps_[k].bias(r);
    }
    for (std::uint32_t v = 0; v < all_.size(); ++v)
      if (all_[v].is_end()) of[v] = gathered(v);
  }

  const std::vector<Vertex>& all_;
  std::vector<std::uint32_t> order_;
  std::vector<Map> maps_;  ///< by place in the order
};

}  // namespace

Connected connect(const std::vector<Vertex>& all) { return Connecting(all).work(); }

}  // namespace spinet::nir
