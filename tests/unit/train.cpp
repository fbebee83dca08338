// Courses of training: the same numbers however often they are stopped and on any number of ranks.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <thread>

#include "comm/loopback.hpp"
#include "comm/serial.hpp"
#include "spinet/random.hpp"
#include "train/course.hpp"

namespace {

using namespace spinet;
using namespace spinet::train;
using Catch::Contains;

layers::Part next_part(std::size_t& from, std::size_t count) {
  const layers::Part part{from, count};
  from += count;
  return part;
}

/// 1 x 6 x 6 -> [normalised convolution 3 x 3] -> relu, 2 x 4 x 4 -> [dense, dropout] -> 3
layers::Plan course_plan() {
  layers::Plan p;
  auto& n = p.parameters;
  p.layers.resize(3);
  p.layers[0].name = "image";
  p.layers[0].shape = {1, 6, 6};
  p.layers[1].name = "c1";
  p.layers[1].shape = {2, 4, 4};
  p.layers[1].answer = layers::Answer::relu;
  p.layers[1].bias = next_part(n, 2);
  p.layers[2].name = "out";
  p.layers[2].shape = {3, 1, 1};
  p.layers[2].bias = next_part(n, 3);
  p.connections.resize(2);
  auto& conv = p.connections[0];
  conv.name = "conv1";
  conv.target = 1;
  conv.join = layers::Join::convolution;
  conv.window.size[0] = conv.window.size[1] = 3;
  conv.weights = next_part(n, 18);
  conv.normalisation.on = true;
  conv.normalisation.scale = next_part(n, 1);
  conv.normalisation.shift = next_part(n, 1);
  conv.normalisation.mean = next_part(p.statistics, 1);
  conv.normalisation.variance = next_part(p.statistics, 1);
  auto& dense = p.connections[1];
  dense.name = "read";
  dense.source = 1;
  dense.target = 2;
  dense.weights = next_part(n, 96);
  dense.dropout = 0.1;
  return p;
}

layers::Model course_start(const layers::Plan& p) {
  layers::Model m;
  for (std::size_t i = 0; i < p.parameters; ++i)
    m.parameters.push_back(static_cast<float>(uniform01(draw({7, 1}, i, 0)[0]) - 0.5));
  m.parameters[p.connections[0].normalisation.scale.first] = 1;
  m.parameters[p.connections[0].normalisation.shift.first] = 0;
  m.statistics = {0, 1};
  return m;
}

/// A bright bar in one of three places, in noise.
images::Images bars(std::uint32_t count, std::uint32_t seed) {
  images::Images all;
  all.count = count;
  all.shape = {1, 6, 6};
  all.classes = 3;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t label = draw({seed, 2}, i, 0)[0] % 3;
    all.labels.push_back(label);
    for (std::uint32_t pixel = 0; pixel < 36; ++pixel) {
      const std::uint32_t noise = draw({seed, 3}, i, pixel)[0] % 120;
      all.bytes.push_back(static_cast<std::uint8_t>(noise + (pixel / 6 / 2 == label ? 100 : 0)));
    }
  }
  return all;
}

struct Bench {
  layers::Plan plan = course_plan();
  layers::Model start = course_start(plan);
  layers::Training training;
  images::Images train = bars(90, 1), test = bars(40, 2);
  Bench() {
    training.epochs = 4;
    training.batch = 16;
    training.rate = 0.02;
    training.validation = 0.2;
  }
  Task task() const { return {plan, training, 5, train, test}; }
};

Record alone(const Task& task, Record record, const Hooks& hooks = {}) {
  SerialTransport one;
  return run(task, std::move(record), one, hooks);
}

void same_numbers(const Record& a, const Record& b) {
  CHECK(a.best == b.best);
  CHECK(a.last == b.last);
  CHECK(a.state.steps == b.state.steps);
  CHECK(a.state.moments == b.state.moments);
  CHECK(a.best_epoch == b.best_epoch);
  CHECK(a.test.confusion == b.test.confusion);
  CHECK(a.worst_pixels == b.worst_pixels);
  REQUIRE(a.epochs.size() == b.epochs.size());
  for (std::size_t i = 0; i < a.epochs.size(); ++i) {
    CHECK(a.epochs[i].loss == b.epochs[i].loss);
    CHECK(a.epochs[i].accuracy == b.epochs[i].accuracy);
    CHECK(a.epochs[i].validation_loss == b.epochs[i].validation_loss);
    CHECK(a.epochs[i].test_loss == b.epochs[i].test_loss);
    CHECK(a.epochs[i].recalibrated_accuracy == b.epochs[i].recalibrated_accuracy);
  }
}

const std::filesystem::path& record_path() {
  static const struct Own {
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("spinet-train-" + std::to_string(::getpid()) + ".h5");
    ~Own() { std::filesystem::remove(path); }
  } own;
  return own.path;
}
const ModelOrigin nowhere{"0", "bars", "bars.yaml", "spinet: 1\n", {}};

}  // namespace

TEST_CASE("images are shuffled by seed and epoch alone", "[train]") {
  const auto s = split(1000, 0.1, 3);
  CHECK(s.validation.size() == 100);
  CHECK(s.training.size() == 900);
  auto all = s.training;
  all.insert(all.end(), s.validation.begin(), s.validation.end());
  std::sort(all.begin(), all.end());
  std::vector<std::uint32_t> numbers(1000);
  std::iota(numbers.begin(), numbers.end(), 0u);
  CHECK(all == numbers);
  CHECK(split(1000, 0.1, 3).validation == s.validation);
  CHECK(split(1000, 0.1, 4).validation != s.validation);
  CHECK(split(1000, 0, 3).training == numbers);

  auto first = order_of(numbers, 3, 0);
  CHECK(first == order_of(numbers, 3, 0));
  CHECK(first != order_of(numbers, 3, 1));
  CHECK(first != order_of(numbers, 4, 0));
  CHECK(order_of({}, 1, 1).empty());
  CHECK(order_of({9}, 1, 1) == std::vector<std::uint32_t>{9});
  std::sort(first.begin(), first.end());
  CHECK(first == numbers);
  // Each image is as likely to be first as any: chi-square with 9 degrees of freedom, 99.99 % quantile 33.7.
  std::vector<double> at(10);
  for (std::uint32_t epoch = 0; epoch < 2000; ++epoch)
    at[order_of({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 1, epoch)[0]] += 1;
  double chi = 0;
  for (const double n : at) chi += (n - 200) * (n - 200) / 200;
  CHECK(chi < 33.7);
}

TEST_CASE("a batch of one image is made only where there is no other", "[train]") {
  CHECK(batches_of(128, 64) == 2);
  CHECK(batches_of(130, 64) == 3);
  CHECK(batches_of(129, 64) == 2);
  CHECK(batches_of(3, 1) == 3);
  CHECK(batches_of(1, 64) == 1);
  CHECK(batches_of(0, 64) == 0);
}

TEST_CASE("losses and answers are those of the outputs", "[train]") {
  const std::vector<float> outputs{1, 3, 3, -2};
  CHECK(answer_of(outputs) == 1);
  const double z = std::exp(1) + 2 * std::exp(3) + std::exp(-2);
  CHECK(loss_of(outputs, 3) == Approx(std::log(z) + 2).epsilon(1e-14));
  const std::vector<float> far{1000, -1000};
  CHECK(loss_of(far, 1) == Approx(2000));
  CHECK(loss_of(far, 0) == 0);

  const Bench bench;
  SerialTransport one;
  std::vector<std::uint32_t> which{3, 1, 4, 15, 9};
  const auto e = examine(bench.plan, bench.start, bench.test, which, one);
  std::vector<float> pixels(which.size() * 36);
  images::lay_out(bench.test, bench.plan.input(), which, pixels);
  const auto all = layers::outputs(bench.plan, bench.start, pixels, one);
  std::vector<std::uint64_t> confusion(9);
  double loss = 0;
  for (std::size_t i = 0; i < which.size(); ++i) {
    const std::span<const float> own(all.data() + 3 * i, 3);
    loss += loss_of(own, bench.test.labels[which[i]]);
    ++confusion[3 * bench.test.labels[which[i]] + answer_of(own)];
  }
  CHECK(e.images == 5);
  CHECK(e.loss == Approx(loss / 5));
  CHECK(e.confusion == confusion);
  CHECK(e.right == confusion[0] + confusion[4] + confusion[8]);
  CHECK(e.worst.size() == 5 - e.right);
  CHECK(std::is_sorted(e.worst.begin(), e.worst.end(), [](auto& a, auto& b) { return a.loss > b.loss; }));
}

TEST_CASE("training stopped anywhere and gone on with from its file gives the same bits", "[train]") {
  const Bench bench;
  const auto task = bench.task();
  const auto whole = alone(task, beginning(task, bench.start));
  CHECK(whole.status == Status::complete);
  REQUIRE(whole.epochs.size() == 4);
  CHECK(whole.epochs[3].loss < 0.5 * whole.epochs[0].loss);
  CHECK(whole.epochs[3].test_accuracy > 0.8);
  for (const auto every : {1, 3, 7}) {  // 72 images: 5 batches an epoch
    auto r = beginning(task, bench.start);
    for (int parts = 0; r.status != Status::complete && parts < 100; ++parts) {
      int asked = 0;
      Hooks hooks;
      hooks.stop = [&] { return asked++ == every; };
      r = alone(task, std::move(r), hooks);
      write_record(record_path(), bench.plan, nowhere, r);
      r = read_record(record_path(), bench.plan);
    }
    same_numbers(whole, r);
    CHECK(read_model(record_path(), bench.plan) == whole.best);
    CHECK(difference(r.recipe, recipe_of(task)).empty());
  }
  // More epochs than were asked for at first.
  auto few = bench;
  few.training.epochs = 2;
  const auto part = few.task();
  same_numbers(whole, alone(task, alone(part, beginning(part, bench.start))));
}

TEST_CASE("training gives the same bits on any number of ranks", "[train]") {
  Bench bench;
  bench.training.epochs = 2;
  const auto task = bench.task();
  const auto whole = alone(task, beginning(task, bench.start));
  for (const int ranks : {2, 3}) {
    std::vector<Record> records(static_cast<std::size_t>(ranks));
    run_loopback(ranks, [&](Transport& t) {
      records[static_cast<std::size_t>(t.rank())] = run(task, beginning(task, bench.start), t, {});
    });
    for (const auto& r : records) same_numbers(whole, r);
  }
}

TEST_CASE("patience ends training, and the best epoch is the first of the best", "[train]") {
  Bench bench;
  bench.training.epochs = 60;
  bench.training.patience = 3;
  const auto task = bench.task();
  const auto r = alone(task, beginning(task, bench.start));
  CHECK(r.status == Status::ended_early);
  REQUIRE(r.epochs.size() == r.best_epoch + 3);
  for (std::size_t i = 0; i < r.epochs.size(); ++i)
    if (i + 1 < r.best_epoch)
      CHECK(r.epochs[i].validation_accuracy < r.epochs[r.best_epoch - 1].validation_accuracy);
    else CHECK(r.epochs[i].validation_accuracy <= r.epochs[r.best_epoch - 1].validation_accuracy);
  // Gone on with, it stays at its end.
  CHECK(alone(task, r).epochs.size() == r.epochs.size());
}

TEST_CASE("a number that is none ends training and leaves the last good model", "[train]") {
  Bench bench;
  const auto task = bench.task();
  auto good = alone(task, beginning(task, bench.start));
  good.wanted = 9;
  bench.training.epochs = 9;
  bench.training.rate = 1e38;
  const auto r = alone(bench.task(), good);
  CHECK(r.status == Status::failed);
  CHECK_THAT(r.message, Contains("epoch 5, batch 2:") && (Contains("c1") || Contains("out")));
  CHECK(r.last == good.last);
  CHECK(r.best == good.best);
  CHECK(r.state.steps == good.state.steps);
}

TEST_CASE("a recipe names what differs, and a record that is damaged is refused", "[train]") {
  Bench bench;
  const auto recipe = recipe_of(bench.task());
  bench.training.batch = 32;
  CHECK(difference(recipe, recipe_of(bench.task())) == "batch is 16 there and 32 here");
  bench.training.batch = 16;
  bench.plan.layers[1].curves.gain = 4;
  CHECK_THAT(difference(recipe, recipe_of(bench.task())), Contains("network"));
  bench.plan.layers[1].curves.gain = 3;
  ++bench.test.bytes[7];
  CHECK_THAT(difference(recipe, recipe_of(bench.task())), Contains("test images is 40"));

  bench.training.epochs = 1;
  const auto r = alone(bench.task(), beginning(bench.task(), bench.start));
  const auto damaged = [&](const std::function<void(hid_t)>& change) {
    write_record(record_path(), bench.plan, nowhere, r);
    {
      const h5::Id file(H5Fopen(record_path().c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
      change(file);
    }
    try {
      read_record(record_path(), bench.plan);
    } catch (const InvalidModel& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  const auto replace = [](hid_t f, const char* group, const char* name, std::vector<double> values) {
    const auto g = h5::open_group(f, group);
    H5Ldelete(g, name, H5P_DEFAULT);
    h5::write_dataset<double>(g, name, std::span<const double>(values));
  };
  CHECK(damaged([](hid_t) {}) == "accepted");
  CHECK_THAT(damaged([](hid_t f) { H5Ldelete(f, "training", H5P_DEFAULT); }),
             Contains("nothing of how it was"));
  CHECK_THAT(damaged([](hid_t f) { H5Ldelete(f, "last/layers", H5P_DEFAULT); }),
             Contains("layers/c1/bias is missing"));
  CHECK_THAT(damaged([&](hid_t f) {
               replace(f, "training/epochs", "loss", {1, 2});
             }),
             Contains("loss has 2 epochs"));
  CHECK_THAT(damaged([&](hid_t f) { replace(f, "training/test/worst", "label", {7}); }),
             Contains("worst has"));
  CHECK_THAT(damaged([&](hid_t f) { replace(f, "training/state", "moments", {HUGE_VAL}); }),
             Contains("not finite"));
  CHECK_THAT(damaged([](hid_t f) {
               h5::replace_attribute<std::uint64_t>(h5::open_group(f, "training"), "best_epoch", 9);
             }),
             Contains("best epoch beyond"));
}
