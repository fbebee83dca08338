#include "elf.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string_view>

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
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T))
      throw NotElf("damaged: it ends too early");
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

/// The sections of a shared library, and the symbols of its tables.
class Library {
 public:
  explicit Library(const std::filesystem::path& file) : bytes_(file), head_(bytes_.at<Elf64_Ehdr>(0)) {
    if (std::memcmp(head_.e_ident, ELFMAG, SELFMAG) != 0) throw NotElf("not an ELF file");
    if (head_.e_ident[EI_CLASS] != ELFCLASS64 || head_.e_ident[EI_DATA] != ELFDATA2LSB)
      throw NotElf("not 64-bit little-endian");
    if (head_.e_type != ET_DYN) throw NotElf("not a shared library");
  }
  std::uint64_t sections() const { return head_.e_shnum; }
  Elf64_Shdr section(std::uint64_t i) const {
    return bytes_.at<Elf64_Shdr>(head_.e_shoff + i * sizeof(Elf64_Shdr));
  }
  std::string section_name(const Elf64_Shdr& s) const {
    return bytes_.text(section(head_.e_shstrndx).sh_offset + s.sh_name);
  }
  /// Calls `f(symbol, name)` for what has a name in the first table of `type`; returns whether there is such
  /// a table.
  template <class F>
  bool symbols(std::uint32_t type, F&& f) const {
    for (std::uint64_t i = 0; i < sections(); ++i) {
      const auto table = section(i);
      if (table.sh_type != type) continue;
      const auto names = section(table.sh_link);
      for (std::uint64_t at = 0; at + sizeof(Elf64_Sym) <= table.sh_size; at += sizeof(Elf64_Sym)) {
        const auto symbol = bytes_.at<Elf64_Sym>(table.sh_offset + at);
        if (symbol.st_name == 0) continue;
        if (symbol.st_name >= names.sh_size) throw NotElf("damaged: a name lies outside its table");
        f(symbol, bytes_.text(names.sh_offset + symbol.st_name));
      }
      return true;
    }
    return false;
  }

 private:
  Bytes bytes_;
  Elf64_Ehdr head_;
};

/// Of the compiler's start-up code, the C library and the processor's description.
bool is_of_runtime(std::string_view name) {
  for (const char* begin : {"__", "_DYNAMIC", "_GLOBAL_OFFSET_TABLE_", "completed.", "DW.ref."})
    if (name.starts_with(begin)) return true;
  return false;
}

}  // namespace

std::vector<std::string> imported_symbols(const std::filesystem::path& file) {
  std::vector<std::string> imported;
  const bool found = Library(file).symbols(SHT_DYNSYM, [&](const Elf64_Sym& symbol, const std::string& name) {
    if (symbol.st_shndx == SHN_UNDEF) imported.push_back(name);
  });
  if (!found) throw NotElf("it has no dynamic symbol table");
  std::sort(imported.begin(), imported.end());
  return imported;
}

std::vector<std::string> writable_variables(const std::filesystem::path& file) {
  const Library library(file);
  std::vector<bool> writable(library.sections());
  for (std::uint64_t i = 0; i < writable.size(); ++i) {
    const auto s = library.section(i);
    const auto name = library.section_name(s);
    // Constants that hold addresses are written to once, when the library is loaded.
    const bool constant = name.starts_with(".data.rel.ro");
    writable[i] = (s.sh_flags & SHF_WRITE) && !constant;
  }
  std::vector<std::string> found;
  library.symbols(SHT_SYMTAB, [&](const Elf64_Sym& symbol, const std::string& name) {
    const auto type = ELF64_ST_TYPE(symbol.st_info);
    if (type != STT_OBJECT && type != STT_TLS) return;
    if (symbol.st_shndx < writable.size() && writable[symbol.st_shndx] && !is_of_runtime(name))
      found.push_back(name);
  });
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace spinet
