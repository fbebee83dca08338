// A plugin of another version of the interface: only its head can be trusted.
#include "spinet/model.hpp"
extern "C" __attribute__((visibility("default"))) const spinet::Model* spinet_model() noexcept {
  static const spinet::Model head{
      spinet::abi_version + 41, 8, spinet::Kind::neuron, 0, nullptr, nullptr, {nullptr, 9, 9},
      {nullptr, 9, 9}};
  return &head;
}
