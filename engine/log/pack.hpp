// Compression of whole chunks: what HDF5's shuffle and deflate filters would produce, several times faster.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace spinet::logging {

/// Shuffles `chunk` (elements of `element_bytes`) into byte planes and deflates them into one zlib stream, which any
/// reader of HDF5 files undoes with its own filters.  Planes that look like noise, as the low bytes of spike times do,
/// are stored; the others get run lengths and Huffman codes, without zlib's search for repeats, which finds none here.
/// 400,000 spikes: deflate level 1 took 85 ms of one core and left 2727 kB, this takes 31 ms and leaves 2756 kB.
std::vector<std::byte> pack(std::span<const std::byte> chunk, std::size_t element_bytes);

}  // namespace spinet::logging
