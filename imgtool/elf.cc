#include "imgtool/elf.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <string_view>

#include "spec/names.h"

namespace skiff::image {
namespace {

// More than any linker writes; a hostile file may claim what it likes.
constexpr std::size_t most_program_headers = 4096;
constexpr std::uint64_t largest_dynamic = 4U << 20U;
constexpr std::size_t most_needed = 4096;
constexpr std::size_t longest_string = 4096;

struct Segment {
  std::uint32_t type = 0;
  std::uint64_t offset = 0, address = 0, size = 0;  // of its bytes in the file
};

struct Dynamic {
  std::uint64_t strings = 0, strings_size = 0;  // DT_STRTAB is an address
  std::uint64_t flags_1 = 0;
  std::optional<std::uint64_t> soname, rpath, runpath;
  std::vector<std::uint64_t> needed;
};

// Reads the file's own way of writing numbers.
class Source {
 public:
  explicit Source(kernel::FdView file) : file_(file) {}

  ElfMachine machine;

  // All of them, or an error that names the part.
  [[nodiscard]] Status read(std::string_view part, std::uint64_t offset, std::span<char> into) const {
    const std::uint64_t begin = offset;
    if (offset > static_cast<std::uint64_t>(INT64_MAX) - into.size()) return outside(part, begin);
    while (!into.empty()) {
      const std::size_t got = TRY(kernel::pread_some(file_, into, offset));
      if (got == 0) return outside(part, begin);
      offset += got;
      into = into.subspan(got);
    }
    return {};
  }

  // A string of a table that ends at `end`.
  [[nodiscard]] Result<std::string> read_string(std::string_view part, std::uint64_t offset, std::uint64_t end) const {
    if (offset >= end) return outside(part, offset);
    std::string text(std::min<std::uint64_t>(end - offset, longest_string), '\0');
    const std::size_t got = TRY(kernel::pread_some(file_, text, offset));
    const std::size_t length = std::string_view(text).substr(0, got).find('\0');
    if (length == std::string::npos) return fail(fmt::format("ELF: {} at byte {} does not end", part, offset));
    text.resize(length);
    return text;
  }

  [[nodiscard]] std::uint64_t number(std::span<const char> bytes, std::size_t at, std::size_t size) const {
    std::uint64_t value = 0;
    for (std::size_t index = 0; index < size; ++index) {
      const std::size_t place = machine.big_endian ? at + index : at + size - 1 - index;
      value = value << 8U | static_cast<unsigned char>(bytes[place]);
    }
    return value;
  }

 private:
  static std::unexpected<Error> outside(std::string_view part, std::uint64_t offset) {
    return fail(fmt::format("ELF: {} at byte {} lies outside the file", part, offset),
                "the file is damaged, or is no program");
  }
  kernel::FdView file_;
};

struct Header {
  Elf elf;
  std::uint64_t segments = 0;  // e_phoff
  std::size_t segment_size = 0, segment_count = 0;
};

Result<Header> read_header(Source &source, std::span<const char> ident) {
  const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(ident[index]); };
  if (byte(EI_CLASS) != ELFCLASS32 && byte(EI_CLASS) != ELFCLASS64) {
    return fail(fmt::format("ELF: class {} is neither 32 nor 64 bits", byte(EI_CLASS)));
  }
  if (byte(EI_DATA) != ELFDATA2LSB && byte(EI_DATA) != ELFDATA2MSB) {
    return fail(fmt::format("ELF: byte order {} is not known", byte(EI_DATA)));
  }
  source.machine = {byte(EI_CLASS) == ELFCLASS64, byte(EI_DATA) == ELFDATA2MSB, 0};
  const bool wide = source.machine.is_64;
  std::array<char, sizeof(Elf64_Ehdr)> raw{};
  TRY(source.read("the header", 0, std::span(raw).first(wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr))));
  Header header;
  header.elf.type = static_cast<std::uint16_t>(source.number(raw, 16, 2));
  source.machine.number = static_cast<std::uint16_t>(source.number(raw, 18, 2));
  header.elf.machine = source.machine;
  header.segments = source.number(raw, wide ? 32 : 28, wide ? 8 : 4);
  header.elf.flags = static_cast<std::uint32_t>(source.number(raw, wide ? 48 : 36, 4));
  header.segment_size = source.number(raw, wide ? 54 : 42, 2);
  header.segment_count = source.number(raw, wide ? 56 : 44, 2);
  if (header.segment_count > 0 && header.segment_size != (wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr))) {
    return fail(fmt::format("ELF: a program header of {} bytes", header.segment_size));
  }
  if (header.segment_count > most_program_headers) {
    return fail(
        fmt::format("ELF: {} program headers, at most {} are read", header.segment_count, most_program_headers));
  }
  return header;
}

Result<std::vector<Segment>> read_segments(const Source &source, const Header &header) {
  std::string raw(header.segment_count * header.segment_size, '\0');
  TRY(source.read("the program headers", header.segments, raw));
  std::vector<Segment> segments;
  const bool wide = source.machine.is_64;
  for (std::size_t at = 0; at < raw.size(); at += header.segment_size) {
    const auto field = [&](std::size_t offset_64, std::size_t offset_32) {
      return source.number(raw, at + (wide ? offset_64 : offset_32), wide ? 8 : 4);
    };
    segments.push_back({.type = static_cast<std::uint32_t>(source.number(raw, at, 4)),
                        .offset = field(8, 4),
                        .address = field(16, 8),
                        .size = field(32, 16)});
  }
  return segments;
}

Result<Dynamic> read_dynamic(const Source &source, const Segment &segment) {
  if (segment.size > largest_dynamic) {
    return fail(fmt::format("ELF: a dynamic section of {} bytes, at most {} are read", segment.size, largest_dynamic));
  }
  std::string raw(segment.size, '\0');
  TRY(source.read("the dynamic section", segment.offset, raw));
  const std::size_t half = source.machine.is_64 ? 8 : 4;
  Dynamic dynamic;
  for (std::size_t at = 0; at + 2 * half <= raw.size(); at += 2 * half) {
    const std::uint64_t tag = source.number(raw, at, half);
    const std::uint64_t value = source.number(raw, at + half, half);
    if (tag == DT_NULL) break;
    if (tag == DT_STRTAB) dynamic.strings = value;
    if (tag == DT_STRSZ) dynamic.strings_size = value;
    if (tag == DT_FLAGS_1) dynamic.flags_1 = value;
    if (tag == DT_SONAME) dynamic.soname = value;
    if (tag == DT_RPATH) dynamic.rpath = value;
    if (tag == DT_RUNPATH) dynamic.runpath = value;
    if (tag == DT_NEEDED) dynamic.needed.push_back(value);
    if (dynamic.needed.size() > most_needed) {
      return fail(fmt::format("ELF: more than {} DT_NEEDED entries", most_needed));
    }
  }
  return dynamic;
}

// Where in the file what will stand at an address is.
std::optional<std::uint64_t> file_offset(std::span<const Segment> segments, std::uint64_t address) {
  for (const Segment &segment : segments) {
    if (segment.type != PT_LOAD || address < segment.address) continue;
    const std::uint64_t inside = address - segment.address;
    if (inside < segment.size && segment.offset <= UINT64_MAX - inside) return segment.offset + inside;
  }
  return std::nullopt;
}

Status read_names(const Source &source, std::span<const Segment> segments, const Dynamic &dynamic, Elf &elf) {
  elf.no_default_paths = (dynamic.flags_1 & DF_1_NODEFLIB) != 0;
  if (dynamic.needed.empty() && !dynamic.soname && !dynamic.rpath && !dynamic.runpath) return {};
  const std::optional<std::uint64_t> table = file_offset(segments, dynamic.strings);
  if (!table || dynamic.strings_size > UINT64_MAX - *table) {
    return fail(fmt::format("ELF: DT_STRTAB {:#x} lies in no segment of the file", dynamic.strings));
  }
  const std::uint64_t end = *table + dynamic.strings_size;
  const auto name = [&](std::string_view part, std::uint64_t offset) -> Result<std::string> {
    return source.read_string(part, offset < dynamic.strings_size ? *table + offset : end, end);
  };
  for (const std::uint64_t offset : dynamic.needed) elf.needed.push_back(TRY(name("DT_NEEDED", offset)));
  if (dynamic.soname) elf.soname = TRY(name("DT_SONAME", *dynamic.soname));
  if (dynamic.rpath) elf.rpath = TRY(name("DT_RPATH", *dynamic.rpath));
  if (dynamic.runpath) elf.runpath = TRY(name("DT_RUNPATH", *dynamic.runpath));
  return {};
}

bool in_file_name(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
         letter == '.' || letter == '_' || letter == '-' || letter == '+';
}

// "lib" NAME ".so", and a version of digits and dots behind it.
bool is_library_name(std::string_view word) {
  const std::size_t so = word.rfind(".so");
  if (!word.starts_with("lib") || so == std::string_view::npos || so <= 3 || word.size() > 255) return false;
  const std::string_view version = word.substr(so + 3);
  return version.empty() ||
         (version.size() > 1 && version.front() == '.' && version.find_first_not_of(".0123456789") == version.npos);
}

}  // namespace

Result<std::optional<Elf>> read_elf(kernel::FdView file) {
  std::array<char, EI_NIDENT> ident{};
  const std::size_t got = TRY(kernel::pread_some(file, ident, 0));
  if (got < SELFMAG || std::memcmp(ident.data(), ELFMAG, SELFMAG) != 0) return std::nullopt;
  Source source(file);
  Header header = TRY(read_header(source, ident));
  const std::vector<Segment> segments = TRY(read_segments(source, header));
  for (const Segment &segment : segments) {
    if (segment.type == PT_INTERP && segment.size > 0) {
      header.elf.interpreter = TRY(source.read_string(
          "PT_INTERP", segment.offset, segment.offset + std::min<std::uint64_t>(segment.size, longest_string)));
    }
    if (segment.type == PT_DYNAMIC) {
      header.elf.dynamic = true;
      TRY(read_names(source, segments, TRY(read_dynamic(source, segment)), header.elf));
    }
  }
  return std::move(header.elf);
}

std::string describe(const ElfMachine &machine) {
  struct Known {
    std::uint16_t number;
    std::string_view name;
  };
  static constexpr std::array<Known, 9> names = {{{EM_X86_64, "x86-64"},
                                                  {EM_386, "i386"},
                                                  {EM_AARCH64, "arm64"},
                                                  {EM_ARM, "arm"},
                                                  {EM_RISCV, "riscv"},
                                                  {EM_PPC64, "ppc64"},
                                                  {EM_S390, "s390"},
                                                  {EM_MIPS, "mips"},
                                                  {EM_LOONGARCH, "loongarch"}}};
  const auto *const known = std::ranges::find(names, machine.number, &Known::number);
  const std::string name = known == names.end() ? fmt::format("machine {}", machine.number) : std::string(known->name);
  return fmt::format("{}, {} bits{}", name, machine.is_64 ? 64 : 32, machine.big_endian ? ", big endian" : "");
}

std::string image_architecture(const ElfMachine &machine) {
  struct Known {
    ElfMachine machine;
    std::string_view name;
  };
  static constexpr std::array<Known, 11> names = {{{{true, false, EM_X86_64}, "amd64"},
                                                   {{false, false, EM_386}, "386"},
                                                   {{true, false, EM_AARCH64}, "arm64"},
                                                   {{false, false, EM_ARM}, "arm"},
                                                   {{true, false, EM_RISCV}, "riscv64"},
                                                   {{true, false, EM_PPC64}, "ppc64le"},
                                                   {{true, true, EM_PPC64}, "ppc64"},
                                                   {{true, true, EM_S390}, "s390x"},
                                                   {{true, false, EM_MIPS}, "mips64le"},
                                                   {{false, false, EM_MIPS}, "mipsle"},
                                                   {{true, false, EM_LOONGARCH}, "loong64"}}};
  const auto *const known = std::ranges::find(names, machine, &Known::machine);
  return known == names.end() ? "" : std::string(known->name);
}

Result<std::vector<std::string>> find_library_names(kernel::FdView file) {
  std::set<std::string> found;
  std::string word;
  std::string piece(std::size_t{1} << 16U, '\0');
  for (std::uint64_t offset = 0;;) {
    const std::size_t got = TRY(kernel::pread_some(file, piece, offset));
    if (got == 0) break;
    offset += got;
    for (const char letter : std::string_view(piece).substr(0, got)) {
      if (in_file_name(letter)) {
        // Longer than any file name: it goes on as none.
        if (word.size() < 512) word += letter;
        continue;
      }
      if (letter == '\0' && is_library_name(word)) found.insert(word);
      word.clear();
    }
  }
  return std::vector<std::string>(found.begin(), found.end());
}

}  // namespace skiff::image
