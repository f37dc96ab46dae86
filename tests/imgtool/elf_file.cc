#include "tests/imgtool/elf_file.h"

#include <elf.h>

#include <utility>

namespace skiff::image {
namespace {

class Bytes {
 public:
  explicit Bytes(const ElfMachine &machine) : machine_(machine) {}

  std::string text;

  void number(std::uint64_t value, std::size_t size) {
    for (std::size_t index = 0; index < size; ++index) {
      text += static_cast<char>(value >> 8 * (machine_.big_endian ? size - 1 - index : index) & 0xffU);
    }
  }
  // An address or an offset.
  void word(std::uint64_t value) { number(value, machine_.is_64 ? 8 : 4); }

 private:
  ElfMachine machine_;
};

constexpr std::uint64_t load_address = 0x10000;

void add_segment(Bytes &out, const ElfMachine &machine, std::uint32_t type, std::uint64_t offset, std::uint64_t size) {
  out.number(type, 4);
  if (machine.is_64) out.number(PF_R, 4);
  out.word(offset);
  out.word(load_address + offset);
  out.word(load_address + offset);
  out.word(size);
  out.word(size);
  if (!machine.is_64) out.number(PF_R, 4);
  out.word(8);
}

}  // namespace

std::string make_elf(const ElfFile &file) {
  const std::uint64_t half = file.machine.is_64 ? 8 : 4;
  const std::uint64_t header = file.machine.is_64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
  const std::uint64_t segment = file.machine.is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
  std::string strings(1, '\0');
  std::vector<std::pair<std::uint64_t, std::uint64_t>> entries;
  const auto add = [&](std::uint64_t tag, const std::string &text) {
    entries.emplace_back(tag, strings.size());
    strings += text + '\0';
  };
  for (const std::string &name : file.needed) add(DT_NEEDED, name);
  if (!file.soname.empty()) add(DT_SONAME, file.soname);
  if (file.rpath) add(DT_RPATH, *file.rpath);
  if (file.runpath) add(DT_RUNPATH, *file.runpath);
  if (file.flags_1 != 0) entries.emplace_back(DT_FLAGS_1, file.flags_1);
  const std::uint64_t segments = file.interpreter.empty() ? 2 : 3;
  const std::uint64_t interpreter_at = header + segments * segment;
  const std::string interpreter = file.interpreter.empty() ? "" : file.interpreter + '\0';
  const std::uint64_t strings_at = interpreter_at + interpreter.size();
  entries.emplace_back(DT_STRTAB, load_address + strings_at);
  entries.emplace_back(DT_STRSZ, strings.size());
  entries.emplace_back(DT_NULL, 0);
  const std::uint64_t dynamic_at = strings_at + strings.size();
  const std::uint64_t end = dynamic_at + entries.size() * 2 * half;

  Bytes out(file.machine);
  out.text = std::string("\177ELF") + static_cast<char>(file.machine.is_64 ? ELFCLASS64 : ELFCLASS32) +
             static_cast<char>(file.machine.big_endian ? ELFDATA2MSB : ELFDATA2LSB) + '\1' + std::string(9, '\0');
  out.number(ET_DYN, 2);
  out.number(file.machine.number, 2);
  out.number(1, 4);
  out.word(0);
  out.word(header);
  out.word(0);
  out.number(0, 4);
  for (const std::uint64_t value : {header, segment, segments, std::uint64_t{0}, std::uint64_t{0}, std::uint64_t{0}}) {
    out.number(value, 2);
  }
  add_segment(out, file.machine, PT_LOAD, 0, end);
  add_segment(out, file.machine, PT_DYNAMIC, dynamic_at, end - dynamic_at);
  if (!interpreter.empty()) add_segment(out, file.machine, PT_INTERP, interpreter_at, interpreter.size());
  out.text += interpreter + strings;
  for (const auto &[tag, value] : entries) {
    out.word(tag);
    out.word(value);
  }
  return out.text;
}

}  // namespace skiff::image
