#include "imgtool/tar_reader.h"

#include <gtest/gtest.h>

#include "tests/imgtool/archive.h"

namespace skiff::image {
namespace {

// Hands the bytes out in chunks of this size.
NextChunk chunks(const std::string &bytes, std::size_t size) {
  return [&bytes, size, at = std::size_t{0}]() mutable -> Result<std::span<const char>> {
    const std::size_t count = std::min(size, bytes.size() - at);
    at += count;
    return std::span(bytes).subspan(at - count, count);
  };
}

struct Read {
  TarEntry entry;
  std::string data;
};

Result<std::vector<Read>> read_all(const std::string &bytes, TarLimits limits = {}, std::size_t size = 4096) {
  TarReader reader(chunks(bytes, size), limits);
  std::vector<Read> out;
  while (TRY(reader.next())) {
    Read read{.entry = reader.entry(), .data = {}};
    if (read.entry.sparse) read.data.resize(read.entry.size, '.');
    for (;;) {
      const TarPiece piece = TRY(reader.read());
      if (piece.bytes.empty()) break;
      EXPECT_LE(piece.offset, read.data.size());
      read.data.replace(piece.offset, piece.bytes.size(), piece.bytes.data(), piece.bytes.size());
    }
    out.push_back(std::move(read));
  }
  TRY(reader.drain());
  return out;
}

std::string error_of(const std::string &bytes, TarLimits limits = {}) {
  const auto read = read_all(bytes, limits);
  return read ? "no error" : read.error().message();
}

Read only(const std::string &bytes) {
  auto read = read_all(bytes);
  EXPECT_TRUE(read) << (read ? "" : read.error().message());
  if (!read || read->size() != 1) return {};
  return std::move(read->front());
}

TEST(TarReader, ReadsTheSameWhateverTheChunksAre) {
  const std::string bytes = archive({directory("etc/"), file("etc/a", std::string(1500, 'x')), file("etc/b", "y"),
                                     symlink("etc/c", "a"), hard_link("etc/d", "etc/a")});
  for (const std::size_t size : {1U, 7U, 511U, 512U, 513U, 4096U, 1U << 20U}) {
    const auto read = read_all(bytes, {}, size);
    ASSERT_TRUE(read) << read.error().message();
    ASSERT_EQ(read->size(), 5U);
    EXPECT_EQ((*read)[0].entry.type, EntryType::directory);
    EXPECT_EQ((*read)[1].data, std::string(1500, 'x'));
    EXPECT_EQ((*read)[2].data, "y");
    EXPECT_EQ((*read)[3].entry.link, "a");
    EXPECT_EQ((*read)[4].entry.type, EntryType::hard_link);
    EXPECT_EQ((*read)[4].entry.number, 5U);
    EXPECT_EQ((*read)[4].entry.mtime.tv_sec, 1'000'000'000);
  }
}

TEST(TarReader, PaxRecordsReplaceTheHeader) {
  Header header = file("short");
  header.pax = {{"path", std::string(300, 'p')},
                {"uid", "4000000000"},
                {"gid", "7"},
                {"mtime", "1234567890.123456789"},
                {"SCHILY.xattr.user.a", std::string("v\0w", 3)},
                {"LIBARCHIVE.xattr.user.b%3d", "aGVsbG8"}};
  const Read read = only(archive({header}));
  EXPECT_EQ(read.entry.name, std::string(300, 'p'));
  EXPECT_EQ(read.entry.uid, 4'000'000'000U);
  EXPECT_EQ(read.entry.gid, 7U);
  EXPECT_EQ(read.entry.mtime.tv_sec, 1234567890);
  EXPECT_EQ(read.entry.mtime.tv_nsec, 123456789);
  ASSERT_EQ(read.entry.xattrs.size(), 2U);
  EXPECT_EQ(read.entry.xattrs[0].value, std::string("v\0w", 3));
  EXPECT_EQ(read.entry.xattrs[1].name, "user.b=");
  EXPECT_EQ(read.entry.xattrs[1].value, "hello");
}

TEST(TarReader, ANegativeMtimeWithAFractionIsBeforeTheSecond) {
  Header header = file("a");
  header.pax = {{"mtime", "-1.25"}};
  const Read read = only(archive({header}));
  EXPECT_EQ(read.entry.mtime.tv_sec, -2);
  EXPECT_EQ(read.entry.mtime.tv_nsec, 750'000'000);
}

TEST(TarReader, AGlobalHeaderHoldsUntilAnEntrySaysOtherwise) {
  Header own = file("b");
  own.pax = {{"uid", "6"}};
  const auto read = read_all(entry({.type = 'g', .name = "g", .data = pax_record("uid", "5")}) +
                             archive({file("a"), own, file("c")}));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ((*read)[0].entry.uid, 5U);
  EXPECT_EQ((*read)[1].entry.uid, 6U);
  EXPECT_EQ((*read)[2].entry.uid, 5U);
}

TEST(TarReader, LongNamesOfGnu) {
  const std::string name(200, 'n');
  const std::string target(150, 't');
  const Read read =
      only(entry({.type = 'L', .name = "././@LongLink", .data = name + '\0'}) +
           entry({.type = 'K', .name = "././@LongLink", .data = target + '\0'}) + archive({symlink("cut", "cut")}));
  EXPECT_EQ(read.entry.name, name);
  EXPECT_EQ(read.entry.link, target);
}

TEST(TarReader, ThePrefixOfUstarGoesInFront) {
  std::string block = header_block(file("name"));
  put(block, 345, "a/long/prefix");
  seal(block);
  EXPECT_EQ(only(block + std::string(1024, '\0')).entry.name, "a/long/prefix/name");
}

TEST(TarReader, NumbersInBase256) {
  std::string block = header_block(file("a"));
  put(block, 108, std::string("\x80\0\0\0\xee\x6b\x28\x00", 8));
  seal(block);
  EXPECT_EQ(only(block + std::string(1024, '\0')).entry.uid, 0xee6b2800U);
}

TEST(TarReader, SparseFilesOfAllFourKinds) {
  const std::string wanted = "abc......def....";
  Header old_gnu = file("s", "abcdef");
  old_gnu.type = 'S';
  old_gnu.magic = std::string("ustar  \0", 8);
  std::string block = header_block(old_gnu);
  put(block, 386, octal(0, 11) + octal(3, 11) + octal(9, 11) + octal(3, 11));
  put(block, 483, octal(16, 11));
  seal(block);
  Header zero = file("GNUSparseFile.0/s", "abcdef");
  zero.pax = {{"GNU.sparse.size", "16"},
              {"GNU.sparse.numblocks", "2"},
              {"GNU.sparse.offset", "0"},
              {"GNU.sparse.numbytes", "3"},
              {"GNU.sparse.offset", "9"},
              {"GNU.sparse.numbytes", "3"},
              {"path", "s"}};
  Header one = file("GNUSparseFile.0/s", "abcdef");
  one.pax = {{"GNU.sparse.size", "16"}, {"GNU.sparse.map", "0,3,9,3"}, {"GNU.sparse.name", "s"}};
  Header one_zero = file("GNUSparseFile.0/s", padded("2\n0\n3\n9\n3\n") + "abcdef");
  one_zero.pax = {
      {"GNU.sparse.major", "1"}, {"GNU.sparse.minor", "0"}, {"GNU.sparse.realsize", "16"}, {"GNU.sparse.name", "s"}};
  for (const std::string &bytes :
       {block + padded("abcdef") + std::string(1024, '\0'), archive({zero}), archive({one}), archive({one_zero})}) {
    const Read read = only(bytes);
    EXPECT_TRUE(read.entry.sparse);
    EXPECT_EQ(read.entry.name, "s");
    EXPECT_EQ(read.data, wanted);
  }
}

TEST(TarReader, ASparseMapThatLiesIsAnError) {
  for (const std::string map : {"0,3,2,3", "9,3,0,3", "0,3,14,3", "0,3", "0,3,9,4", "0,9223372036854775807,1,1"}) {
    Header header = file("s", "abcdef");
    header.pax = {{"GNU.sparse.size", "16"}, {"GNU.sparse.map", map}, {"GNU.sparse.name", "s"}};
    EXPECT_NE(error_of(archive({header})).find("\"s\" (entry 1)"), std::string::npos) << map;
  }
}

TEST(TarReader, WhatIsDamagedIsAnErrorWithTheEntry) {
  std::string bytes = archive({file("a", "x"), file("b", "y")});
  bytes[1024 + 3] = 'z';
  EXPECT_NE(error_of(bytes).find("entry 2: the checksum of its header is wrong"), std::string::npos) << error_of(bytes);

  bytes = archive({file("a", std::string(2000, 'x'))});
  bytes.resize(1500);
  EXPECT_NE(error_of(bytes).find("\"a\" (entry 1): the archive ends"), std::string::npos) << error_of(bytes);
  bytes.resize(300);
  EXPECT_NE(error_of(bytes).find("in the middle of a block"), std::string::npos) << error_of(bytes);

  bytes = archive({file("a")}) + entry(file("b"));
  EXPECT_EQ(error_of(bytes), "no error") << "what follows the end is no entry";
  bytes = entry(file("a")) + std::string(512, '\0') + entry(file("b"));
  EXPECT_NE(error_of(bytes).find("one block of zeros"), std::string::npos) << error_of(bytes);
}

// umoci 0.5.1, containerd CVE-2023-25153
TEST(TarReader, ASizeThatIsNegativeOrTooLargeIsAnError) {
  Header header = file("a");
  header.size_field = std::string(12, '\xff');
  EXPECT_NE(error_of(archive({header})).find("its size is negative"), std::string::npos);
  header.size_field = "\x80" + std::string(3, '\0') + std::string(8, '\x7f');
  EXPECT_NE(error_of(archive({header})).find("--max-layer-size"), std::string::npos) << error_of(archive({header}));
  header.size_field = "\x80" + std::string(11, '\xff');
  EXPECT_NE(error_of(archive({header})).find("its size is no number"), std::string::npos);
  header.size_field = "99999999999";
  EXPECT_NE(error_of(archive({header})).find("its size is no number"), std::string::npos);
  header.size_field = octal(std::uint64_t{10} << 30U, 11);
  EXPECT_NE(error_of(archive({header}), {.file_bytes = std::uint64_t{1} << 30U}).find("a file of 10737418240 bytes"),
            std::string::npos);
  Header sparse = file("s", "a");
  sparse.pax = {{"GNU.sparse.size", "1099511627776"}, {"GNU.sparse.map", "0,1"}, {"GNU.sparse.name", "s"}};
  EXPECT_NE(error_of(archive({sparse})).find("--max-layer-size"), std::string::npos);
}

TEST(TarReader, LimitsAreErrorsThatNameTheFlag) {
  EXPECT_NE(error_of(archive({file("a"), file("b"), file("c")}), {.entries = 2}).find("--max-entries"),
            std::string::npos);
  Header header = file("a");
  header.pax = {{"path", std::string(65536, 'n')}};
  EXPECT_NE(error_of(archive({header})).find("--max-path"), std::string::npos);
  const std::string gnu = entry({.type = 'L', .name = "l", .data = std::string(65536, 'n')}) + archive({file("a")});
  EXPECT_NE(error_of(gnu).find("--max-path"), std::string::npos);
  const std::string huge = header_block({.type = 'x', .name = "p", .size_field = octal(1U << 30U, 11)});
  EXPECT_NE(error_of(huge).find("a pax header of 1073741824 bytes"), std::string::npos);
}

// 2^32 - 1 is "no change" to chown(2); beyond, it would wrap to another owner.
TEST(TarReader, AnOwnerThatIsNoneIsAnError) {
  for (const std::string id : {"4294967295", "4294967296", "18446744073709551615", "-1"}) {
    Header header = file("a");
    header.pax = {{"uid", id}};
    EXPECT_NE(error_of(archive({header})), "no error") << id;
  }
}

TEST(TarReader, PaxRecordsThatLieAreErrors) {
  for (const std::string records : {"4 a=\n", "99 path=x\n", "x path=y\n", "9 path=x", " 9 path=x\n", "0 a=b\n",
                                    "00000000000000011 a=b\n", "6 ab c\n"}) {
    EXPECT_NE(error_of(entry({.type = 'x', .name = "p", .data = records}) + archive({file("a")})), "no error")
        << records;
  }
}

TEST(TarReader, AnUnknownTypeIsAnError) {
  EXPECT_NE(error_of(archive({{.type = 'Z', .name = "a"}})).find("its type \"Z\" is not known"), std::string::npos);
}

TEST(TarReader, NothingAtAllIsAnEmptyArchive) {
  EXPECT_EQ(error_of(""), "no error");
  EXPECT_EQ(error_of(std::string(1024, '\0')), "no error");
}

}  // namespace
}  // namespace skiff::image
