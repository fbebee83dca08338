// A small network and its synthetic data, for the tests of the log: nothing is simulated.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/recorder.hpp"
#include "log/h5.hpp"
#include "log/writer.hpp"
#include "network/checked.hpp"

namespace spinet::test {

/// Populations exc (100), inh (25), quiet (7) and noise (132, a source); spikes of the first three are
/// recorded, two reports of exc and one of inh, and the edges of a projection between single and of one
/// between several populations.
Network small_network();

/// The data that belong to a network like small_network(), a function of tick and index alone, so that a
/// reader can tell what must be there.  A window is 1000 ticks.
inline constexpr Tick window = 1000;
/// Spikes of window `w`: of exc and inh, `per_window` of them, sorted by (tick, gid).
std::vector<Spike> spikes_of_window(const Network& n, std::uint64_t w, std::uint32_t per_window);
/// Frame `f` of report `r`.
std::vector<float> frame(const Network& n, std::uint32_t r, std::uint64_t f);
/// Edges of projection p: every source to every target, by target.
std::vector<Edge> edges(const Network& n, std::uint32_t p);

/// Hands window `w` to the log as a simulation would, and commits it.
void record_window(RunLog& log, const Network& n, std::uint64_t w, std::uint32_t per_window);

/// What is in a log is exactly the data of all windows before its `reached_ticks`, which is at least `least`.
/// Returns an empty text or what is wrong.
enum class Edges { unless_killed_before, all };
std::string check_data(const std::filesystem::path& path, const Network& n, std::uint32_t per_window,
                       Tick least, Edges written = Edges::unless_killed_before);

/// An empty HDF5 file.
h5::Id new_file(const std::filesystem::path& path);

/// An empty folder that is removed at the end; in memory where the system has such a place, if so asked.
class Folder {
 public:
  enum class In { files, memory };
  explicit Folder(In in = In::files);
  ~Folder();
  std::filesystem::path operator/(const char* name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace spinet::test
