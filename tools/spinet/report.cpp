// From exceptions to messages and exit codes.
#include <fmt/core.h>

#include <new>

#include "comm/transport.hpp"
#include "commands.hpp"
#include "core/failure.hpp"
#include "log/error.hpp"
#include "network/loader.hpp"
#include "network/printable.hpp"
#ifdef SPINET_HAS_MPI
#include "comm/mpi_session.hpp"
#endif

namespace spinet::tool {
namespace {

int say(int code, const std::string& message) {
  // One write: messages of several ranks must not mix.
  const std::string line = printable(message.ends_with('\n') ? message : message + '\n');
  std::fflush(stdout);
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
  return code;
}

}  // namespace

int report(std::exception_ptr error) {
  try {
    std::rethrow_exception(error);
  } catch (const UserError& e) {
    return say(input_wrong, e.what());
  } catch (const InvalidNetwork& e) {
    return say(input_wrong, e.rendered);
  } catch (const PluginError& e) {
    return say(input_wrong, e.what());
#ifdef SPINET_HAS_MPI
  } catch (const LaunchError& e) {
    return say(input_wrong, fmt::format("spinet: {}", e.what()));
#endif
  } catch (const Stopped& e) {
    return say(run_failed, fmt::format("spinet: {}", e.what()));
  } catch (const RankFailed& e) {
    return say(run_failed, fmt::format("spinet: rank {} failed: {}", e.rank, e.what()));
  } catch (const std::bad_alloc&) {
    return say(run_failed, "spinet: out of memory; `spinet validate` says what the network needs");
  } catch (const LogError& e) {
    return say(run_failed, fmt::format("spinet: the run failed: {}", printable_line(e.what())));
  } catch (const std::exception& e) {
    return say(run_failed, fmt::format("spinet: the run failed: {}", e.what()));
  } catch (...) {
    return say(run_failed, "spinet: the run failed for an unknown reason");
  }
}

}  // namespace spinet::tool
