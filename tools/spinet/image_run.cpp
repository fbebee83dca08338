#include "image_run.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstring>

#include "exits.hpp"
#include "image_devices.hpp"
#include "images/images.hpp"
#include "inputs.hpp"
#include "layers/fold.hpp"
#include "layers/plan_of.hpp"
#include "layers/spiking.hpp"
#include "log/model_file.hpp"
#include "network/layer_numbers.hpp"
#include "network/printable.hpp"
#include "text.hpp"
#include "train/course.hpp"

namespace spinet::tool {
namespace {

/// The population that shows images: an environment with a shape, whose members send numbers.
std::optional<std::uint32_t> shower_of(const Network& n) {
  std::optional<std::uint32_t> found;
  for (std::uint32_t p = 0; p < n.populations.size(); ++p) {
    const NeuronTable* const t = n.populations[p].neuron();
    if (!t || !t->environment || !t->graded || t->patterns) continue;
    if (found)
      throw UserError(fmt::format("{}: {} and {} both show images; a run has images for one population",
                                  n.source_path, n.populations[*found].name, n.populations[p].name));
    found = p;
  }
  return found;
}

std::optional<std::uint32_t> place_of(const Fields& fields, std::string_view name) {
  for (std::uint32_t i = 0; i < fields.count; ++i)
    if (fields.data[i].name == name) return i;
  return {};
}

std::uint32_t index_of(const Fields& fields, std::string_view name, const Population& p) {
  if (const auto i = place_of(fields, name)) return *i;
  throw UserError(fmt::format("population {}: model {} has no '{}', so that it can show no images", p.name,
                              p.model->name, name));
}

/// How many outputs the environment hears at its first port.
std::uint32_t answers_of(const Network& n, const Population& environment) {
  std::uint64_t most = 0;
  for (const auto& q : n.projections) {
    const auto ends_here = [&](const GidRange& r) { return r.first - environment.first < environment.size; };
    if (q.port == 0 && std::any_of(q.targets.begin(), q.targets.end(), ends_here))
      most = std::max(most, q.source_count());
  }
  if (most == 0)
    throw UserError(fmt::format("no projection ends in {}, which shows the images and would hear the outputs",
                                environment.name));
  if (most > environment.size)
    throw UserError(fmt::format("{} outputs are more than the {} members of {} that hear them", most,
                                environment.size, environment.name));
  return static_cast<std::uint32_t>(most);
}

}  // namespace

std::string difference_from_training(const std::string& file, const layers::Plan& plan) {
  if (!train::is_trained(file)) return {};
  const auto recipe = train::read_history(file).recipe;
  const auto line = train::network_line(plan);
  if (std::find(recipe.begin(), recipe.end(), line) != recipe.end()) return {};
  std::string with;
  for (const auto& o : read_model_origin(file).overrides) with += " --set " + in_shell(o);
  return fmt::format(
      "{} was trained with another gain, clamp, curve, decay, share of dropout or epsilon than "
      "this network has{}",
      printable_line(file), with.empty() ? "" : "; it was trained with" + printable_line(with));
}

namespace {

/// Weights that are meant for devices and have not been written onto them.
std::string not_programmed(const std::string& file, const Network& network) {
  std::string names;
  for (const Projection& p : network.projections)
    if (p.mapping) names += (names.empty() ? "" : ", ") + p.name;
  if (names.empty() || !train::is_trained(file)) return {};
  return fmt::format(
      "the weights of {} are meant for devices, and those of {} are numbers as they were trained; `spinet "
      "program` writes them",
      names, printable_line(file));
}

/// What is to be said of a model that fits, or "".
std::string note_on(const std::string& file, const layers::Plan& plan, const Network& network) {
  if (auto note = difference_from_training(file, plan); !note.empty()) return note;
  if (auto note = not_programmed(file, network); !note.empty()) return note;
  const auto names = layers::between_steps(plan);
  if (names.empty()) return {};
  return fmt::format(
      "neurons of {} cross their thresholds between the steps that training goes in, so that answers may "
      "differ from those of `spinet train`",
      names);
}

images::Images read_images(const ImageOptions& o, std::uint32_t classes) {
  try {
    return images::read(o.data, o.part == "train" ? images::Part::train : images::Part::test, classes);
  } catch (const images::Error& e) {
    throw UserError(printable_line(e.what()));
  }
}

/// Numbers of an image in the environment's table: pixels, or of recorded spikes time and neuron.
std::uint32_t columns_of(const images::Images& all, const ImageRange& range) {
  if (!all.recorded()) return static_cast<std::uint32_t>(all.shape.size());
  std::size_t most = 1;
  for (std::uint32_t i = range.first; i < range.first + range.count; ++i)
    most = std::max(most, all.begins[i + 1] - all.begins[i]);
  constexpr std::size_t most_numbers = std::size_t{1} << 30;
  if (2 * most * range.count > most_numbers)
    throw UserError(fmt::format("{} samples of up to {} spikes are too many at once; --images takes some",
                                range.count, most));
  return static_cast<std::uint32_t>(2 * most);
}
void put_pixels(const images::Images& all, std::uint32_t number, std::span<double> row) {
  std::vector<float> pixels(row.size());
  images::lay_out(all, all.shape, std::span(&number, 1), pixels);
  std::copy(pixels.begin(), pixels.end(), row.begin());
}
/// Ticks from the first step on, then the neuron; rounding may bring spikes into one tick.
void put_spikes(const images::Images& all, std::uint32_t number, double ticks_per_ms, std::span<double> row) {
  std::vector<std::pair<double, double>> spikes;
  for (std::size_t e = all.begins[number]; e < all.begins[number + 1]; ++e)
    spikes.emplace_back(std::round(all.events[e].ms * ticks_per_ms), all.events[e].neuron);
  std::sort(spikes.begin(), spikes.end());
  std::fill(row.begin(), row.end(), -1);
  for (std::size_t i = 0; i < spikes.size(); ++i)
    row[2 * i] = spikes[i].first, row[2 * i + 1] = spikes[i].second;
}

}  // namespace

bool shows_images(const Network& n) {
  const auto p = shower_of(n);
  return p && n.populations[*p].patterns.empty();
}

ImageRange range_of_images(const std::string& text, std::uint32_t count) {
  if (text.empty()) return {0, count};
  const auto number = [&](const std::string& s) -> std::uint64_t {
    if (s.empty() || s.size() > 10 || s.find_first_not_of("0123456789") != std::string::npos)
      throw UserError(fmt::format("--images {}: one number or the first and the last, 0..99, are expected",
                                  printable_line(text)));
    return std::stoull(s);
  };
  const auto dots = text.find("..");
  const auto first = number(text.substr(0, dots)),
             last = dots == std::string::npos ? first : number(text.substr(dots + 2));
  if (last < first) throw UserError(fmt::format("--images {}: the last is before the first", text));
  if (last >= count)
    throw UserError(fmt::format("--images {}: there are {} images, 0 to {}", text, count, count - 1));
  return {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(last - first + 1)};
}

/// The model's numbers, or those that training would begin with, put into the network.
void ImageRun::put_weights(const ImageOptions& o, Network& network, const Catalogue& catalogue) {
  try {
    const auto layered = layers::layered(network);
    auto model = layered.initial;
    if (!o.weights.empty())
      as_input([&] {
        model = read_model(o.weights, layered.plan);
        devices_ = ImageDevices::of(o.weights, layered, model, catalogue);
        note_ = put_converters(o.weights, layered.plan, network);
        if (note_.empty()) note_ = note_on(o.weights, layered.plan, network);
      });
    if (devices_) devices_->fold_into(network);
    else layers::fold(layered.plan, model, network);
  } catch (const layers::NotLayered& e) {
    if (!o.weights.empty())
      throw unfit(network, e.place, fmt::format("--weights is for layered networks: {}", e.what()));
  }
}

ImageRun::ImageRun(const ImageOptions& o, Network& network, const Catalogue& catalogue, DataFiles& files) {
  const auto shower = shower_of(network);
  if (!shower)
    throw UserError(
        fmt::format("{}: no population shows images; --data is for networks with one of model "
                    "image_task",
                    network.source_path));
  if (o.data.empty())
    throw UserError(fmt::format("{}: {} shows images: --data DIR says where they are", network.source_path,
                                network.populations[*shower].name));
  environment_ = *shower;
  if (!o.weights.empty()) files[o.weights] = o.weights;
  put_weights(o, network, catalogue);
  logged_ = network;
  show(network, o, files);
  logged_.duration = network.duration;
  record(network);
  record_energy(network);
  price_events();
}

/// Images become the patterns of the environment: pixels, then a 1 for the label.
void ImageRun::show(Network& network, const ImageOptions& o, DataFiles& files) {
  Population& p = network.populations[environment_];
  const std::uint32_t classes = answers_of(network, p);
  const auto all = read_images(o, classes);
  for (const auto& file : all.files) files[file.string()] = file;
  const auto shape = p.shape.value_or(layers::Shape{p.size, 1, 1});
  const Showing shown = showing_of(network).value_or(Showing{});
  if (const auto why = images::misfit(all, {shape, shown.code, shown.steps, shown.step}); !why.empty())
    throw UserError(fmt::format("{}: {} (population {} of {})", o.data, why, p.name, network.source_path));
  const auto range = range_of_images(o.numbers, all.count);
  p.pattern_inputs = columns_of(all, range);
  p.pattern_targets = classes;
  const std::size_t columns = std::size_t{p.pattern_inputs} + classes;
  p.patterns.assign(columns * range.count, 0);
  for (std::uint32_t i = 0; i < range.count; ++i) {
    const std::uint32_t number = range.first + i;
    const std::span row(p.patterns.data() + i * columns, p.pattern_inputs);
    if (all.recorded()) put_spikes(all, number, network.ticks_per_ms(), row);
    else put_pixels(all, number, row);
    p.patterns[i * columns + p.pattern_inputs + all.labels[number]] = 1;
    results_.numbers.push_back(number);
    results_.labels.push_back(all.labels[number]);
  }
  const Distribution& period = p.params[index_of(p.model->params, "period", p)];
  period_ = static_cast<Tick>(std::llround(period.a * network.ticks_per_ms()));
  if (period_ < 2) throw UserError(fmt::format("{}: a period of less than two ticks", p.name));
  if (period_ > (never - 1) / range.count)
    throw UserError("so many images take longer than time can be counted");
  network.duration = period_ * range.count + 1;
  results_.environment = p.name;
  results_.part = o.part;
  results_.data = o.data;
  results_.weights = o.weights;
  results_.classes = classes;
}

/// All spikes, and the outputs as the next image begins.
void ImageRun::record(Network& network) const {
  network.spikes.clear();
  for (std::uint32_t p = 0; p < network.populations.size(); ++p)
    if (network.populations[p].neuron()) network.spikes.push_back({p, {}, 0, never});
  const Population& p = network.populations[environment_];
  Report outputs{"", environment_, index_of(p.model->variables, "output", p), {}, period_, period_, never};
  for (std::uint32_t c = 0; c < results_.classes; ++c) outputs.ids.push_back(c);
  network.reports.push_back(std::move(outputs));
}

/// The energies of devices that count theirs, as each image begins.
void ImageRun::record_energy(Network& network) {
  std::string could;  // those that do not count, and how they would
  for (std::uint32_t p = 0; p < network.projections.size(); ++p) {
    const Projection& q = network.projections[p];
    const auto &variables = q.synapse->model.variables, &params = q.synapse->model.params;
    const auto variable = place_of(variables, "energy"), counted = place_of(params, "energy");
    if (!variable || !counted) continue;
    if (q.params[*counted] == 0) {
      could += fmt::format("{}{} ({})", could.empty() ? "" : ", ", q.name, q.synapse->model.name);
      continue;
    }
    network.weights.push_back({p, *variable, period_, 0, never});
    results_.energies.push_back({q.name, {}});
  }
  if (!results_.energies.empty()) return;
  results_.without_energy =
      could.empty()
          ? "no projection has devices that say what they spend"
          : fmt::format("not counted: `energy: 1` among the parameters of {} has it counted", could);
}

/// What events cost at devices that were written before the run.
void ImageRun::price_events() {
  prices_of_.resize(logged_.populations.size());
  if (!devices_) return;
  for (const auto& price : devices_->prices()) {
    prices_of_[price.population].push_back(static_cast<std::uint32_t>(paid_.size()));
    paid_.emplace_back(results_.numbers.size(), 0);
  }
  if (!paid_.empty()) results_.without_energy.clear();
  else if (results_.energies.empty())
    results_.without_energy = "not counted: `spinet program --param energy=1` has devices count it";
}

std::function<void(Tick)> ImageRun::before_windows(Simulation& simulation) {
  if (!devices_) return {};
  return [this, &simulation](Tick from) {
    devices_->show(static_cast<std::size_t>(from / period_), simulation);
  };
}

/// Whole frames, of which one says what was spent before the image that begins.
void ImageRun::add_energy(std::uint32_t recording, std::span<const float> frames) {
  Spent& spent = spent_[recording];
  auto& energies = results_.energies[recording].nJ;
  for (; !frames.empty() && spent.devices > 0; frames = frames.subspan(spent.devices)) {
    double sum = 0;
    for (std::size_t i = 0; spent.frames > 0 && i < spent.devices; ++i)
      sum += static_cast<double>(frames[i]) - static_cast<double>(spent.before[i]);
    if (spent.frames++ > 0) energies.push_back(sum);
    spent.before.assign(frames.begin(), frames.begin() + static_cast<std::ptrdiff_t>(spent.devices));
  }
}

void ImageRun::prepare(Transport& transport, const Simulation& simulation) {
  const auto mine = simulation.fan_out();
  Gathered all;
  transport.gather(std::as_bytes(std::span(mine)), all);
  report_ = static_cast<std::uint32_t>(logged_.reports.size());
  stride_ = logged_.populations.size();
  if (transport.rank() != 0) return;
  fan_out_.assign(mine.size(), 0);
  for (int r = 0; r < transport.size(); ++r)
    for (std::size_t g = 0; g < mine.size(); ++g) {
      std::uint64_t n;
      std::memcpy(&n, all.of(r).data() + g * sizeof n, sizeof n);
      fan_out_[g] += n;
    }
  for (std::size_t e = 0; e < results_.energies.size(); ++e)
    spent_.push_back({simulation.weight_widths()[logged_.weights.size() + e], 0, {}});
  spikes_.assign(stride_ * results_.numbers.size(), 0);
  events_ = spikes_;
}

/// What the network itself records goes on to the log.
class ImageRun::Counter final : public Recorder {
 public:
  Counter(ImageRun& run, Recorder& log) : run_(run), log_(log), recorded_(run.logged_.populations.size()) {
    for (const auto& r : run.logged_.spikes) recorded_[r.population].push_back(&r);
  }
  void spikes(std::span<const Spike> sorted) override {
    chosen_.clear();
    for (const Spike& s : sorted) {
      const std::uint32_t p = population_of(s.gid);
      count(s, p);
      if (!recorded_[p].empty() && is_recorded(s, p)) chosen_.push_back(s);
    }
    if (!chosen_.empty()) log_.spikes(chosen_);
  }
  void frames(std::uint32_t r, std::span<const float> values) override {
    if (r == run_.report_) run_.outputs_.insert(run_.outputs_.end(), values.begin(), values.end());
    else log_.frames(r, values);
  }
  void weights(std::uint32_t w, std::span<const float> values) override {
    const auto logged = static_cast<std::uint32_t>(run_.logged_.weights.size());
    if (w >= logged) run_.add_energy(w - logged, values);
    else log_.weights(w, values);
  }
  void metrics(std::uint32_t p, Tick tick, std::span<const double> values) override {
    log_.metrics(p, tick, values);
  }
  void edges(std::uint32_t p, std::span<const Edge> some) override {
    if (run_.logged_.records_edges(p)) log_.edges(p, some);
  }
  void edges_with_values(std::uint32_t p, std::span<const Edge> some,
                         std::span<const double> values) override {
    if (run_.logged_.records_edges(p)) log_.edges_with_values(p, some, values);
  }
  void watched(std::uint32_t r, std::span<const WatchedEdge> some) override { log_.watched(r, some); }
  void weight_events(std::uint32_t r, std::span<const WeightEvent> some) override {
    log_.weight_events(r, some);
  }
  void commit(Tick reached) override { log_.commit(reached); }
  void secure(Tick reached) override { log_.secure(reached); }

 private:
  void count(const Spike& s, std::uint32_t p) {
    if (s.tick >= image_end_) {
      row_ = static_cast<std::size_t>(s.tick / run_.period_) * run_.stride_;
      image_end_ = (s.tick / run_.period_ + 1) * run_.period_;
    }
    if (row_ + p >= run_.spikes_.size()) return;  // the tick after the last image
    ++run_.spikes_[row_ + p];
    run_.events_[row_ + p] += run_.fan_out_[s.gid];
    for (const std::uint32_t k : run_.prices_of_[p])
      run_.paid_[k][row_ / run_.stride_] +=
          run_.devices_->prices()[k].nJ[s.gid - run_.logged_.populations[p].first];
  }
  std::uint32_t population_of(Gid gid) {
    const auto& all = run_.logged_.populations;
    if (gid - all[last_].first >= all[last_].size)
      for (last_ = 0; gid - all[last_].first >= all[last_].size;) ++last_;
    return last_;
  }
  bool is_recorded(const Spike& s, std::uint32_t p) const {
    const std::uint32_t id = s.gid - run_.logged_.populations[p].first;
    for (const SpikeRecording* r : recorded_[p])
      if (s.tick >= r->from && s.tick < r->to &&
          (r->ids.empty() || std::binary_search(r->ids.begin(), r->ids.end(), id)))
        return true;
    return false;
  }
  ImageRun& run_;
  Recorder& log_;
  std::vector<std::vector<const SpikeRecording*>> recorded_;  ///< by population
  std::vector<Spike> chosen_;
  Tick image_end_ = 0;
  std::size_t row_ = 0;
  std::uint32_t last_ = 0;
};

std::unique_ptr<Recorder> ImageRun::over(Recorder& log) { return std::make_unique<Counter>(*this, log); }

ImageResults ImageRun::results() const {
  ImageResults r = results_;
  std::size_t count = std::min(r.numbers.size(), outputs_.size() / r.classes);
  for (const auto& e : r.energies) count = std::min(count, e.nJ.size());
  r.numbers.resize(count);
  r.labels.resize(count);
  r.outputs.assign(outputs_.begin(), outputs_.begin() + static_cast<std::ptrdiff_t>(count * r.classes));
  for (std::size_t i = 0; i < count; ++i) {
    const auto* const first = r.outputs.data() + i * r.classes;
    r.predicted.push_back(static_cast<std::uint32_t>(std::max_element(first, first + r.classes) - first));
  }
  for (std::size_t p = 0; p < stride_; ++p) {
    if (!logged_.populations[p].neuron()) continue;
    ImageResults::Layer layer{logged_.populations[p].name, {}, {}};
    for (std::size_t i = 0; i < count; ++i) {
      layer.spikes.push_back(spikes_[i * stride_ + p]);
      layer.events.push_back(events_[i * stride_ + p]);
    }
    r.layers.push_back(std::move(layer));
  }
  for (std::size_t k = 0; k < paid_.size(); ++k)
    r.energies.push_back({devices_->prices()[k].projection, paid_[k]});
  for (auto& e : r.energies) e.nJ.resize(count);
  return r;
}

void add_image_options(CLI::App& sub, ImageOptions& o) {
  auto* data = sub.add_option("--data", o.data,
                              "Folder with the images that the network is shown: IDX files (.gz or not), "
                              "test-images.npy or test.h5");
  data->type_name("DIR")->check(not_empty)->excludes("--duration");  // the images say how long it takes
  sub.add_option("--weights", o.weights, "A model of `spinet train`; else the network's own weights")
      ->type_name("MODEL.h5")
      ->check(not_empty)
      ->needs(data);
  sub.add_option("--images", o.numbers, "Which images: 0..9999, or one number (all)")
      ->type_name("A..B")
      ->check(not_empty)
      ->needs(data);
  sub.add_option("--part", o.part, "Of which part of the data: test or train (test)")
      ->type_name("PART")
      ->check(CLI::IsMember({"test", "train"}))
      ->needs(data);
}

}  // namespace spinet::tool
