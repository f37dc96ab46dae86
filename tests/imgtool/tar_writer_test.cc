#include "imgtool/tar_writer.h"

#include <gtest/gtest.h>

#include "imgtool/tar_reader.h"

namespace skiff::image {
namespace {

ReadBytes reader_of(std::string bytes) {
  return [bytes = std::move(bytes), at = std::size_t{0}](std::span<char> into) mutable -> Result<std::size_t> {
    const std::size_t count = bytes.copy(into.data(), into.size(), at);
    at += count;
    return count;
  };
}

struct Written {
  TarEntry entry;
  std::string data;
};

std::string archive_of(const std::vector<Written> &all) {
  std::string out;
  TarWriter writer([&](std::span<const char> bytes) -> Status {
    out.append(bytes.data(), bytes.size());
    return {};
  });
  for (const Written &one : all) EXPECT_TRUE(writer.add(one.entry, reader_of(one.data)));
  EXPECT_TRUE(writer.finish());
  return out;
}

std::vector<Written> read_back(const std::string &archive) {
  bool given = false;
  TarReader reader(
      [&]() -> Result<std::span<const char>> {
        if (std::exchange(given, true)) return std::span<const char>();
        return std::span<const char>(archive);
      },
      {});
  std::vector<Written> all;
  for (;;) {
    const Result<bool> more = reader.next();
    EXPECT_TRUE(more) << more.error().message();
    if (!more || !*more) return all;
    Written one{.entry = reader.entry(), .data = {}};
    for (;;) {
      const Result<TarPiece> piece = reader.read();
      EXPECT_TRUE(piece);
      if (!piece || piece->bytes.empty()) break;
      one.data.append(piece->bytes.data(), piece->bytes.size());
    }
    all.push_back(std::move(one));
  }
}

TarEntry file(std::string name, std::uint64_t size = 0) {
  TarEntry entry;
  entry.name = std::move(name);
  entry.size = size;
  entry.mode = 04751;
  entry.uid = 1000;
  entry.gid = 7;
  entry.mtime = {.tv_sec = 1'700'000'000, .tv_nsec = 0};
  return entry;
}

// layer.md, "File Attributes": what a layer has to keep.
TEST(TarWriter, WhatIsWrittenIsRead) {
  std::vector<Written> all;
  all.push_back({file("plain", 5), "12345"});
  all.push_back({file("block", 512), std::string(512, 'x')});
  all.push_back({file("empty"), ""});
  TarEntry odd = file("odd", 3);
  odd.uid = 3'000'000'000;
  odd.gid = 2'097'152;
  odd.mtime = {.tv_sec = 1'700'000'000, .tv_nsec = 123'456'789};
  odd.xattrs = {{"security.capability", std::string("\1\0\n=\2", 5)}, {"user.b", ""}};
  all.push_back({odd, "abc"});
  TarEntry old = file("old");
  old.mtime = {.tv_sec = -2, .tv_nsec = 500'000'000};
  all.push_back({old, ""});
  all.push_back({file(std::string(90, 'd') + "/" + std::string(90, 'f')), ""});
  all.push_back({file(std::string(300, 'n')), ""});
  all.push_back({file("\xc3\xa4/\xff"), ""});
  TarEntry link = file("link");
  link.type = EntryType::symlink;
  link.link = "/" + std::string(200, 't');
  all.push_back({link, ""});
  TarEntry hard = file("hard");
  hard.type = EntryType::hard_link;
  hard.link = "plain";
  all.push_back({hard, ""});
  TarEntry device = file("device");
  device.type = EntryType::character;
  device.device_major = 5;
  device.device_minor = 1;
  all.push_back({device, ""});
  const std::vector<Written> back = read_back(archive_of(all));
  ASSERT_EQ(back.size(), all.size());
  for (std::size_t index = 0; index < all.size(); ++index) {
    const TarEntry &a = all[index].entry;
    const TarEntry &b = back[index].entry;
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.type, b.type) << a.name;
    EXPECT_EQ(a.link, b.link) << a.name;
    EXPECT_EQ(a.mode, b.mode) << a.name;
    EXPECT_EQ(a.uid, b.uid) << a.name;
    EXPECT_EQ(a.gid, b.gid) << a.name;
    EXPECT_EQ(a.mtime.tv_sec, b.mtime.tv_sec) << a.name;
    EXPECT_EQ(a.mtime.tv_nsec, b.mtime.tv_nsec) << a.name;
    EXPECT_EQ(a.xattrs, b.xattrs) << a.name;
    EXPECT_EQ(a.device_major, b.device_major) << a.name;
    EXPECT_EQ(all[index].data, back[index].data) << a.name;
  }
}

TEST(TarWriter, ADirectoryEndsInASlash) {
  TarEntry directory = file("dir");
  directory.type = EntryType::directory;
  EXPECT_EQ(read_back(archive_of({{directory, ""}})).at(0).entry.name, "dir/");
}

TEST(TarWriter, TheSameEntriesAreTheSameBytes) {
  TarEntry a = file("x");
  a.xattrs = {{"user.b", "2"}, {"user.a", "1"}};
  TarEntry b = a;
  std::swap(b.xattrs[0], b.xattrs[1]);
  EXPECT_EQ(archive_of({{a, ""}}), archive_of({{b, ""}}));
}

TEST(TarWriter, DataThatIsMissingIsAnErrorThatNamesTheFile) {
  TarWriter writer([](std::span<const char> /*bytes*/) -> Status { return {}; });
  const Status added = writer.add(file("short", 10), reader_of("123"));
  ASSERT_FALSE(added);
  EXPECT_TRUE(added.error().text.starts_with("short: ")) << added.error().text;
}

}  // namespace
}  // namespace skiff::image
