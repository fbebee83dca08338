#include "exits.hpp"

#include <fmt/core.h>

#include <new>

#include "comm/transport.hpp"
#include "core/failure.hpp"
#include "log/model_file.hpp"
#include "network/catalogue.hpp"
#include "network/loader.hpp"
#include "network/printable.hpp"
#ifdef SPINET_HAS_MPI
#include "comm/mpi_session.hpp"
#endif

namespace spinet::tool {

Ending ending_of(const std::exception_ptr& error, std::string_view failed) {
  const std::string lead = failed.empty() ? "" : std::string(failed) + ": ";
  try {
    std::rethrow_exception(error);
  } catch (const UserError& e) {
    return {input_wrong, e.what()};
  } catch (const InvalidNetwork& e) {
    return {input_wrong, e.rendered};
  } catch (const PluginError& e) {
    return {input_wrong, e.what()};
#ifdef SPINET_HAS_MPI
  } catch (const LaunchError& e) {
    return {input_wrong, fmt::format("spinet: {}", e.what())};
#endif
  } catch (const Stopped& e) {
    return {run_failed, fmt::format("spinet: {}", e.what())};
  } catch (const RankFailed& e) {
    return {run_failed, fmt::format("spinet: rank {} failed: {}", e.rank, e.what())};
  } catch (const std::bad_alloc&) {
    return {run_failed, fmt::format("spinet: {}out of memory", lead)};
  } catch (const InvalidModel& e) {
    return {input_wrong, printable_line(e.what())};
  } catch (const LogError& e) {
    return {run_failed, fmt::format("spinet: {}{}", lead, printable_line(e.what()))};
  } catch (const std::exception& e) {
    return {run_failed, fmt::format("spinet: {}{}", lead, e.what())};
  } catch (...) {
    return {run_failed, fmt::format("spinet: {}it is not known why", lead)};
  }
}

int say(const Ending& ending) {
  // One write: messages of several ranks must not mix.
  const std::string& text = ending.message;
  const std::string line = printable(text.ends_with('\n') ? text : text + '\n');
  std::fflush(stdout);
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
  return ending.code;
}

int report(const std::exception_ptr& error) { return say(ending_of(error, "the run failed")); }

void as_input(const std::function<void()>& read) {
  try {
    read();
  } catch (const LogError& e) {
    throw UserError(printable_line(e.what()));  // a checkpoint names its log
  }
}

}  // namespace spinet::tool
