#include "imgtool/elf.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/imgtool/elf_file.h"

namespace skiff::image {
namespace {

kernel::Fd file_of(const std::string &bytes) {
  Result<kernel::Fd> file = kernel::memfd_create("elf", 0);
  EXPECT_TRUE(file && kernel::write_all(*file, bytes));
  return std::move(*file);
}

const ElfFile sample = {.interpreter = "/lib64/ld-linux-x86-64.so.2",
                        .soname = "libself.so.1",
                        .needed = {"libc.so.6", "libm.so.6"},
                        .rpath = "/opt/lib",
                        .runpath = "$ORIGIN/../lib",
                        .flags_1 = DF_1_NODEFLIB};

TEST(Elf, ReadsEveryClassAndByteOrderAlike) {
  for (const bool is_64 : {true, false}) {
    for (const bool big_endian : {true, false}) {
      ElfFile written = sample;
      written.machine = {is_64, big_endian, EM_PPC};
      const Result<std::optional<Elf>> elf = read_elf(file_of(make_elf(written)));
      ASSERT_TRUE(elf) << elf.error().message();
      ASSERT_TRUE(*elf);
      EXPECT_EQ((*elf)->machine, written.machine);
      EXPECT_EQ((*elf)->interpreter, written.interpreter);
      EXPECT_EQ((*elf)->soname, written.soname);
      EXPECT_EQ((*elf)->needed, written.needed);
      EXPECT_EQ((*elf)->rpath, written.rpath);
      EXPECT_EQ((*elf)->runpath, written.runpath);
      EXPECT_TRUE((*elf)->no_default_paths);
      EXPECT_EQ((*elf)->type, ET_DYN);
    }
  }
}

TEST(Elf, WhatBeginsOtherwiseIsNone) {
  for (const std::string_view text : {"", "\177E", "#!/bin/sh\n", "\177ELG_______________"}) {
    const Result<std::optional<Elf>> elf = read_elf(file_of(std::string(text)));
    ASSERT_TRUE(elf) << elf.error().message();
    EXPECT_FALSE(*elf);
  }
}

TEST(Elf, ReadsThisTest) {
  const Result<kernel::Fd> self = kernel::open("/proc/self/exe", O_RDONLY);
  ASSERT_TRUE(self);
  const Result<std::optional<Elf>> elf = read_elf(*self);
  ASSERT_TRUE(elf && *elf);
  EXPECT_FALSE((*elf)->interpreter.empty());
  EXPECT_NE(std::ranges::find((*elf)->needed, "libc.so.6"), (*elf)->needed.end());
}

// A file that was cut anywhere is an error or an ELF file with less in it, and nothing else.
TEST(Elf, ACutFileIsAnErrorThatNamesThePart) {
  const std::string whole = make_elf(sample);
  for (std::size_t size = 20; size < whole.size(); ++size) {
    const Result<std::optional<Elf>> elf = read_elf(file_of(whole.substr(0, size)));
    ASSERT_FALSE(elf) << size;
    EXPECT_TRUE(elf.error().text.starts_with("ELF: ")) << elf.error().text;
  }
}

TEST(Elf, AnyByteMayBeWrong) {
  const std::string whole = make_elf(sample);
  std::mt19937 random(1);  // NOLINT(bugprone-random-generator-seed): the same bytes in every run
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = whole;
    for (int change = 0; change < 3; ++change) bytes[4 + random() % (bytes.size() - 4)] = static_cast<char>(random());
    const Result<std::optional<Elf>> elf = read_elf(file_of(bytes));
    if (!elf || !*elf) continue;
    EXPECT_LE((*elf)->needed.size(), 4U);
  }
}

TEST(Elf, FindsTheNamesAProgramMayOpenLater) {
  std::string bytes = "\177ELF";
  for (const std::string_view word :
       {"libfoo.so.1", "libbar.so", "notlibfoo.so", "lib.so", "libfoo.so.x", "libfoo.so.", "libdir/libin.so.2"}) {
    bytes += std::string(1, '\0') + std::string(word) + std::string(1, '\0');
  }
  const Result<std::vector<std::string>> names = find_library_names(file_of(bytes));
  ASSERT_TRUE(names);
  EXPECT_EQ(*names, (std::vector<std::string>{"libbar.so", "libfoo.so.1", "libin.so.2"}));
}

TEST(Elf, ANameAcrossTwoPiecesIsFound) {
  const std::string bytes = std::string((1U << 16U) - 5, '\0') + "libacross.so.3" + std::string(1, '\0');
  EXPECT_EQ(*find_library_names(file_of(bytes)), std::vector<std::string>{"libacross.so.3"});
}

}  // namespace
}  // namespace skiff::image
