#include "elf.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <fstream>

namespace spinet {
namespace {

/// Reads plain structs out of a file's bytes; everything outside is an error.
class Bytes {
 public:
  explicit Bytes(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw NotElf("cannot be read");
    bytes_.assign(std::istreambuf_iterator<char>(in), {});
  }
  template <class T>
  T at(std::uint64_t offset) const {
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) throw NotElf("damaged: it ends too early");
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return value;
  }
  std::string text(std::uint64_t offset) const {
    if (offset >= bytes_.size()) throw NotElf("damaged: a name lies outside the file");
    const auto end = bytes_.find('\0', offset);
    if (end == std::string::npos) throw NotElf("damaged: a name has no end");
    return bytes_.substr(offset, end - offset);
  }

 private:
  std::string bytes_;
};

}  // namespace

std::vector<std::string> imported_symbols(const std::filesystem::path& file) {
  const Bytes bytes(file);
  const auto head = bytes.at<Elf64_Ehdr>(0);
  if (std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0) throw NotElf("not an ELF file");
  if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_ident[EI_DATA] != ELFDATA2LSB) throw NotElf("not 64-bit little-endian");
  if (head.e_type != ET_DYN) throw NotElf("not a shared library");
  const auto section = [&](std::uint64_t i) { return bytes.at<Elf64_Shdr>(head.e_shoff + i * sizeof(Elf64_Shdr)); };
  for (std::uint64_t i = 0; i < head.e_shnum; ++i) {
    const auto symbols = section(i);
    if (symbols.sh_type != SHT_DYNSYM) continue;
    const auto names = section(symbols.sh_link);
    std::vector<std::string> imported;
    for (std::uint64_t at = 0; at + sizeof(Elf64_Sym) <= symbols.sh_size; at += sizeof(Elf64_Sym)) {
      const auto symbol = bytes.at<Elf64_Sym>(symbols.sh_offset + at);
      if (symbol.st_shndx != SHN_UNDEF || symbol.st_name == 0) continue;
      if (symbol.st_name >= names.sh_size) throw NotElf("damaged: a name lies outside its table");
      imported.push_back(bytes.text(names.sh_offset + symbol.st_name));
    }
    std::sort(imported.begin(), imported.end());
    return imported;
  }
  throw NotElf("it has no dynamic symbol table");
}

}  // namespace spinet
