#include "network/digest.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace spinet {

struct Sha256::Context {
  EVP_MD_CTX* md = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(md); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  if (!context_->md || EVP_DigestInit_ex(context_->md, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("SHA-256 is not available in libcrypto");
}
Sha256::~Sha256() = default;

void Sha256::add(std::span<const std::byte> bytes) {
  if (EVP_DigestUpdate(context_->md, bytes.data(), bytes.size()) != 1)
    throw std::runtime_error("SHA-256 failed");
}

Digest Sha256::finish() {
  Digest digest;
  unsigned bytes = 0;
  if (EVP_DigestFinal_ex(context_->md, digest.data(), &bytes) != 1 || bytes != digest.size())
    throw std::runtime_error("SHA-256 failed");
  return digest;
}

Digest sha256(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.finish();
}

Digest sha256_of_file(const std::filesystem::path& file) {
  struct Descriptor {
    int fd;
    ~Descriptor() {
      if (fd >= 0) ::close(fd);
    }
  };
  const Descriptor in{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  std::vector<std::byte> buffer(1 << 18);
  Sha256 hash;
  for (;;) {
    const ssize_t n = in.fd < 0 ? -1 : ::read(in.fd, buffer.data(), buffer.size());
    if (n < 0 && in.fd >= 0 && errno == EINTR) continue;
    if (n < 0) throw std::runtime_error(file.string() + ": cannot be read: " + std::strerror(errno));
    if (n == 0) return hash.finish();
    hash.add(std::span(buffer).first(static_cast<std::size_t>(n)));
  }
}

std::string hex(const Digest& digest) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t b : digest) (text += digits[b >> 4]) += digits[b & 15];
  return text;
}

}  // namespace spinet
