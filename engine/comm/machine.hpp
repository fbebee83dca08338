// What the machine that this process runs on offers.  Reads files of the system only; needs no MPI.
#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

#include "comm/transport.hpp"

namespace spinet {

/// Bytes that the processes of this machine may use together: physical memory, or the limit of a control
/// group that this process is in, or of one above it, where that is lower (containers, jobs of a cluster's
/// scheduler; version 1 and 2). `root`: where /proc and /sys lie, for tests.
std::uint64_t machine_memory(const std::filesystem::path& root = "/");

/// The ranks on this rank's machine, which share its memory; ascending, this one among them.  Collective.
std::vector<int> ranks_here(Transport& transport);

}  // namespace spinet
