#include "comm/serial.hpp"

namespace spinet {

void SerialTransport::copy(std::span<const std::byte> mine, Gathered& all) {
  all.bytes.assign(mine.begin(), mine.end());
  all.begin.assign({0, mine.size()});
}

}  // namespace spinet
