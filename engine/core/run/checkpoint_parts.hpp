// What the files that save and restore a run share.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "core/errors.hpp"
#include "core/simulation_parts.hpp"

namespace spinet {

template <class T>
std::vector<T> read_all(const CheckpointSource& from, const std::string& name) {
  const auto bytes = from.size(name);
  if (bytes % sizeof(T)) throw UnfitCheckpoint(name, "has a part of an entry");
  std::vector<T> all(bytes / sizeof(T));
  from.read(name, 0, std::as_writable_bytes(std::span(all)));
  return all;
}

}  // namespace spinet
