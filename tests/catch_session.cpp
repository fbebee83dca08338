#define CATCH_CONFIG_RUNNER
#include "catch_session.hpp"

#include <catch2/catch.hpp>

int run_tests(int argc, char** argv, int abort_after) {
  Catch::Session session;
  if (const int code = session.applyCommandLine(argc, argv)) return code;
  if (abort_after > 0) session.configData().abortAfter = abort_after;
  return session.run();
}
