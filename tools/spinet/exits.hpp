// How a command ends: the one place that turns exceptions into messages and exit codes.
#pragma once
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace spinet::tool {

enum Exit : int { fine = 0, input_wrong = 2, run_failed = 3 };

/// Something the user can put right: printed as it is, exit code 2.
struct UserError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What an exception means to who has typed the command.
struct Ending {
  Exit code;
  std::string message;
};
/// `failed` stands before what no user can have caused: "the run failed", say, or nothing.
Ending ending_of(const std::exception_ptr& error, std::string_view failed);
/// Prints a message on stderr, in one write; returns the code.
int say(const Ending& ending);
/// Both, of a run.
int report(const std::exception_ptr& error);

/// Does what reads a file: one that is no log, or damaged, is the user's to put right there.
void as_input(const std::function<void()>& read);

}  // namespace spinet::tool
