// How a command ends.
#pragma once
#include <stdexcept>

namespace spinet::tool {

enum Exit : int { fine = 0, input_wrong = 2, run_failed = 3 };

/// Something the user can put right: printed as it is, exit code 2.
struct UserError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace spinet::tool
