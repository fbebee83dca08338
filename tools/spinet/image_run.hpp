// A run that shows images to a network: `spinet run --data`.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "comm/transport.hpp"
#include "commands.hpp"
#include "core/recorder.hpp"
#include "core/simulation.hpp"
#include "image_devices.hpp"
#include "log/image_results.hpp"
#include "manifest.hpp"
#include "network/checked.hpp"

namespace spinet::tool {

struct ImageOptions {
  std::string data, weights, numbers, part = "test";
  bool given() const { return !data.empty() || !weights.empty() || !numbers.empty(); }
};
/// Adds --data, --weights, --images and --part.
void add_image_options(CLI::App& sub, ImageOptions& o);

/// Which of `count` images "0..9999", "17" or "" mean: the first, and how many.  Throws UserError.
struct ImageRange {
  std::uint32_t first, count;
};
ImageRange range_of_images(const std::string& text, std::uint32_t count);

class ImageRun {
 public:
  /// Reads images and weights and puts them into the network, with its duration and what must be recorded.
  /// `files` gets what was read.  Throws UserError.
  ImageRun(const ImageOptions& o, Network& network, const Catalogue& catalogue, DataFiles& files);
  /// What a person should know before the run, or "".
  const std::string& note() const { return note_; }
  /// The network without what is recorded only to be counted here: what the log has.
  const Network& logged() const { return logged_; }
  /// Between building and running.  Collective.
  void prepare(Transport& transport, const Simulation& simulation);
  /// Counts what goes on to `log`, which must outlive the run.
  std::unique_ptr<Recorder> over(Recorder& log);
  /// What must be done before each window, if anything: on every rank.
  std::function<void(Tick)> before_windows(Simulation& simulation);
  /// Of the images whose answers came, on rank 0.
  ImageResults results() const;

 private:
  class Counter;
  void show(Network& network, const ImageOptions& o, DataFiles& files);
  void record(Network& network) const;
  void put_weights(const ImageOptions& o, Network& network, const Catalogue& catalogue);
  void record_energy(Network& network);
  void price_events();
  void add_energy(std::uint32_t recording, std::span<const float> frames);

  Network logged_;
  std::string note_;
  std::uint32_t environment_ = 0, report_ = 0;
  Tick period_ = 0;
  std::size_t stride_ = 0;              ///< populations
  ImageResults results_;                ///< all that is known before the run
  std::vector<std::uint64_t> fan_out_;  ///< by gid, all ranks
  std::vector<float> outputs_;
  std::vector<std::uint64_t> spikes_, events_;  ///< [image][population]
  /// Of each of results_.energies: the devices' energies as the last image began, and frames so far.
  struct Spent {
    std::size_t devices = 0, frames = 0;
    std::vector<float> before{};
  };
  std::vector<Spent> spent_;
  std::unique_ptr<ImageDevices> devices_;  ///< that weights lie on; or null
  /// What images have cost at each of devices_->prices(), and which of these are of each population's spikes.
  std::vector<std::vector<double>> paid_;
  std::vector<std::vector<std::uint32_t>> prices_of_;
};

/// A model fits a network of other gains, curves, clamps or epsilons than it was trained with: what is to be
/// said of that, or "".
std::string difference_from_training(const std::string& file, const layers::Plan& plan);

/// Whether a run of the network needs images, and why it cannot do without.
bool shows_images(const Network& network);

}  // namespace spinet::tool
