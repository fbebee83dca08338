// `training`: how the layers of a network are trained.
#include <fmt/format.h>

#include <algorithm>

#include "network/layer_numbers.hpp"
#include "network/parts.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

using layers::Training;

constexpr Key entry_keys[] = {
    {"epochs", false, "integer", "times that all images are shown (20)"},
    {"batch", false, "integer", "images of a step (64)"},
    {"rate", false, "number", "learning rate (1e-3)"},
    {"optimiser", false, "optimiser", "adam (if not given) or sgd, with its numbers"},
    {"weight_decay", false, "number", "times a weight is added to its gradient (0)"},
    {"loss", false, "name", "cross_entropy"},
    {"validation", false, "number", "share of the training images that is left out to validate with (0)"},
    {"patience", false, "integer", "epochs without a better validation after which it ends; 0: never (0)"},
    {"schedule", false, "rate_schedule", "of the rate: constant, step or cosine"},
    {"fixed", false, "names", "projections of which nothing is trained"},
};
constexpr Key adam_keys[] = {
    {"beta1", false, "number", "decay of the mean of gradients (0.9)"},
    {"beta2", false, "number", "decay of the mean of their squares (0.999)"},
    {"epsilon", false, "number", "added to the root of the latter (1e-8)"},
};
constexpr Key sgd_keys[] = {{"momentum", false, "number", "share of the last step that goes on (0)"}};
constexpr Key step_keys[] = {
    {"every", true, "integer", "epochs from step to step"},
    {"factor", false, "number", "of the rate at each (0.1)"},
};
constexpr Key cosine_keys[] = {{"least", false, "number", "rate at the end (0)"}};

constexpr Named optimisers[] = {{"adam", adam_keys}, {"sgd", sgd_keys}};
constexpr Named schedules[] = {{"constant", {}}, {"step", step_keys}, {"cosine", cosine_keys}};

class TrainingReader {
 public:
  TrainingReader(Loading& l, const Node& n) : l_(l), r_(l.read), n_(n) {}

  void read() {
    if (!r_.map(n_, entry_keys, "'training'", n_.mark) || !n_.is_map()) return;
    count(n_, "epochs", 1, t_.epochs);
    count(n_, "batch", 1, t_.batch);
    count(n_, "patience", 0, t_.patience);
    number(n_, {"rate", "1", 0, 1e6, low_open}, t_.rate);
    number(n_, {"weight_decay", "1", 0, 1e6}, t_.weight_decay);
    number(n_, {"validation", "1", 0, 1, high_open}, t_.validation);
    loss();
    optimiser();
    schedule();
    fixed();
    if (t_.patience != 0 && !n_.find("validation"))
      r_.errors.error(n_.find("patience")->mark,
                      "'patience' counts epochs without a better validation, and no image is left out",
                      "validation: 10 %");
    l_.net.training = t_;
  }

 private:
  void count(const Node& map, std::string_view key, std::uint64_t least, std::uint32_t& to) {
    const Node* const v = map.find(key);
    const auto x = v ? r_.integer(*v, key, least, 1'000'000'000) : std::nullopt;
    if (x) to = static_cast<std::uint32_t>(*x);
  }
  void number(const Node& map, const Wanted& w, double& to) {
    const Node* const v = map.find(w.what);
    const auto x = v ? r_.number(*v, w) : std::nullopt;
    to = x.value_or(to);
  }
  void loss() {
    const Node* const v = n_.find("loss");
    const auto name = v ? r_.text(*v, "loss") : std::nullopt;
    if (name && *name != "cross_entropy")
      r_.errors.error(v->mark, fmt::format("there is no loss {}", in_quotes(*name)),
                      suggest(*name, {"cross_entropy"}, "losses"));
  }
  /// A name, or a map of it and its numbers: which of `all`, and the numbers.  Nothing after an error.
  struct Chosen {
    std::size_t which;
    const Node* numbers;  ///< null: none are given
  };
  std::optional<Chosen> choose(const char* key, std::span<const Named> all) {
    const Node* const given = n_.find(key);
    if (!given) return {};
    const Node& v = r_.resolved(*given);
    std::vector<std::string> known;
    for (const auto& a : all) known.emplace_back(a.name);
    const bool map = v.is_map() && v.keys.size() == 1;
    if (!v.is_scalar() && !map) {
      r_.errors.error(v.mark, fmt::format("'{}' must be a name, or a map of one and its numbers", key),
                      "one of " + joined(known));
      return {};
    }
    const std::string& name = map ? v.keys[0].name : v.text;
    const auto at = std::find(known.begin(), known.end(), name);
    if (at == known.end()) {
      r_.errors.error(map ? v.keys[0].mark : v.mark, fmt::format("there is no {} {}", key, in_quotes(name)),
                      suggest(name, known, std::string(key) + "s"));
      return {};
    }
    const auto which = static_cast<std::size_t>(at - known.begin());
    const Node* const numbers = map ? &r_.resolved(v.items[0]) : nullptr;
    const bool lacks = !map && std::any_of(all[which].keys.begin(), all[which].keys.end(),
                                           [](const Key& k) { return k.required; });
    if (lacks)
      r_.errors.error(v.mark, fmt::format("'{}' needs '{}'", name, all[which].keys[0].name),
                      fmt::format("{}: {{{}: {{{}: ...}}}}", key, name, all[which].keys[0].name));
    if (lacks ||
        (map && (!r_.map(*numbers, all[which].keys, in_quotes(name), v.keys[0].mark) || !numbers->is_map())))
      return {};
    return Chosen{which, numbers};
  }
  void optimiser() {
    const auto c = choose("optimiser", optimisers);
    if (!c) return;
    t_.optimiser = static_cast<Training::Optimiser>(c->which);
    if (!c->numbers) return;
    number(*c->numbers, {"beta1", "1", 0, 1, high_open}, t_.beta1);
    number(*c->numbers, {"beta2", "1", 0, 1, high_open}, t_.beta2);
    number(*c->numbers, {"epsilon", "1", 0, 1, low_open}, t_.epsilon);
    number(*c->numbers, {"momentum", "1", 0, 1, high_open}, t_.momentum);
  }
  void schedule() {
    const auto c = choose("schedule", schedules);
    if (!c) return;
    t_.schedule = static_cast<Training::Schedule>(c->which);
    if (!c->numbers) return;
    count(*c->numbers, "every", 1, t_.every);
    number(*c->numbers, {"factor", "1", 0, 1, low_open}, t_.factor);
    number(*c->numbers, {"least", "1", 0, t_.rate}, t_.least);
  }
  void fixed() {
    const Node* const given = n_.find("fixed");
    if (!given) return;
    const Node& v = r_.resolved(*given);
    std::vector<const Node*> items;
    if (v.is_list())
      for (const auto& i : v.items) items.push_back(&i);
    else items.push_back(&v);
    for (const Node* item : items) {
      const auto name = r_.text(*item, "fixed");
      const auto at = name ? l_.projections.index.find(*name) : l_.projections.index.end();
      if (at == l_.projections.index.end()) {
        std::vector<std::string> known;
        for (const auto& [other, index] : l_.projections.index) known.push_back(other);
        if (name && l_.projections.complete)
          r_.errors.error(item->mark, fmt::format("there is no projection {}", in_quotes(*name)),
                          suggest(*name, known, "projections"));
      } else if (!l_.projections.flawed[at->second] && !learns(l_.net, at->second)) {
        r_.errors.error(item->mark, fmt::format("{} has no weights that training changes", in_quotes(*name)),
                        "those of dense and convolution onto relu, linear and em_activation are, and onto "
                        "lif_delta and integrator where images come in steps");
      } else {
        l_.net.projections[at->second].preparation.fixed = true;
      }
    }
  }
  Loading& l_;
  Reader& r_;
  const Node& n_;
  Training t_;
};

}  // namespace

std::span<const Key> training_keys() { return entry_keys; }
std::span<const Named> optimiser_keys() { return optimisers; }
std::span<const Named> rate_schedule_keys() { return {schedules + 1, 2}; }

void load_training(Loading& l, const Node& given) { TrainingReader(l, l.read.resolved(given)).read(); }

}  // namespace spinet::reading
