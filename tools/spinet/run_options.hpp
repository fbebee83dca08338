// What `spinet run` and `spinet resume` are asked for.
#pragma once
#include <string>

#include "image_run.hpp"
#include "inputs.hpp"

namespace spinet::tool {

struct RunOptions {
  NetworkOptions network;
  std::string output;
  int ranks = 0;  ///< 0: not given
  bool quiet = false, force = false, json = false;
  std::string command_line;
  std::string checkpoint_every, checkpoint_wall;  ///< model time, wall time; empty: none
  bool dry = false;
  ImageOptions images;
  double rate = 10;    ///< Hz, of neurons in a dry run
  std::string resume;  ///< a checkpoint; then `network` is not used
};

/// Runs; the result is the exit code.
int run(const RunOptions& o);

}  // namespace spinet::tool
