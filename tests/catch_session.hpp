// What Catch2 is made of takes long to compile: once, in catch_session.cpp, for all test programs.
#pragma once

/// Runs the tests chosen by Catch2's arguments; after `abort_after` failed checks the rest is left out (0:
/// never). Returns the exit code.
int run_tests(int argc, char** argv, int abort_after = 0);
