// A library whose entry function does not survive.
#include <cstdlib>
#include <stdexcept>

#include "spinet/model.hpp"

enum { entry_crash, entry_abort, entry_exit, entry_throw, entry_null };

extern "C" __attribute__((visibility("default"))) const spinet::Model* spinet_model() {
  if (FLAW == entry_crash) *reinterpret_cast<volatile int*>(8) = 1;
  if (FLAW == entry_abort) std::abort();
  if (FLAW == entry_exit) std::exit(0);
  if (FLAW == entry_throw) throw std::runtime_error("no table today");
  return nullptr;
}
