#include "comm/launcher.hpp"

#include <charconv>
#include <cstdlib>
#include <cstring>

namespace spinet {

std::optional<Launch> find_launch(const std::function<const char*(const char*)>& get) {
  const auto number = [&](const char* variable) -> std::optional<int> {
    const char* text = get(variable);
    int value = 0;
    if (!text || std::from_chars(text, text + std::strlen(text), value).ec != std::errc{} || value < 1)
      return {};
    return value;
  };
  // mpirun first: inside a Slurm job Open MPI starts its daemons with srun, whose variables the ranks
  // inherit.
  for (const char* variable : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE"})
    if (const auto n = number(variable)) return Launch{*n, variable};
  // SLURM_NTASKS is also set in a batch script that srun has not started; SLURM_STEP_NUM_TASKS only by srun.
  // An interactive `srun --pty` shell is a step too, and what is typed there has not been launched.
  if (get("SLURM_STEP_ID") && get("SLURM_PROCID") && !get("SLURM_PTY_PORT"))
    if (const auto n = number("SLURM_STEP_NUM_TASKS")) return Launch{*n, "SLURM_STEP_NUM_TASKS"};
  return {};
}

std::optional<Launch> find_launch() {
  return find_launch([](const char* variable) { return std::getenv(variable); });
}

}  // namespace spinet
