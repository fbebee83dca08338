// SHA-256 against the examples of FIPS 180-4 (NIST, "SHA-256 example values").
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "network/digest.hpp"

using namespace spinet;

namespace {

std::string digest_of(std::string_view text) { return hex(sha256(std::as_bytes(std::span(text)))); }

constexpr const char* of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr const char* of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* of_two_blocks = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
constexpr const char* of_a_million = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

}  // namespace

TEST_CASE("digests are those of the standard") {
  CHECK(digest_of("") == of_nothing);
  CHECK(digest_of("abc") == of_abc);
  CHECK(digest_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") == of_two_blocks);
  CHECK(digest_of(std::string(1'000'000, 'a')) == of_a_million);
}

TEST_CASE("a digest does not depend on the pieces") {
  Sha256 hash;
  for (int i = 0; i < 1000; ++i) hash.add(std::string(1000, 'a'));
  CHECK(hex(hash.finish()) == of_a_million);
}

TEST_CASE("digests of files") {
  const auto folder = std::filesystem::temp_directory_path() / ("spinet_digest_" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "file") << std::string(1'000'000, 'a');
  CHECK(hex(sha256_of_file(folder / "file")) == of_a_million);
  CHECK_THROWS(sha256_of_file(folder / "absent"));
  CHECK_THROWS(sha256_of_file(folder));
  std::filesystem::remove_all(folder);
}
