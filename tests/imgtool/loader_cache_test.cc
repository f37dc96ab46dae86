#include "imgtool/loader_cache.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "runtime/kernel/fd.h"

namespace skiff::image {
namespace {

const std::vector<LoaderCacheEntry> sample = {{0x303, 0, "libz.so.1", "/usr/lib/libz.so.1"},
                                              {0x303, 0, "liba.so.10", "/opt/liba.so.10"},
                                              {0x303, 0, "liba.so.9", "/opt/liba.so.9"},
                                              {0x003, 0, "liba.so.9", "/opt/32/liba.so.9"}};

TEST(LoaderCache, WhatIsPrintedIsRead) {
  for (const bool big_endian : {false, true}) {
    const Result<std::vector<LoaderCacheEntry>> read = parse_loader_cache(print_loader_cache(sample, big_endian));
    ASSERT_TRUE(read) << read.error().message();
    ASSERT_EQ(read->size(), sample.size());
    for (const LoaderCacheEntry &entry : sample) EXPECT_TRUE(std::ranges::find(*read, entry) != read->end());
  }
}

// The binary search of the loader wants the highest first, and numbers as numbers.
TEST(LoaderCache, StandsInTheOrderOfTheLoader) {
  const std::vector<LoaderCacheEntry> read = *parse_loader_cache(print_loader_cache(sample, false));
  EXPECT_EQ(read[0].name, "libz.so.1");
  EXPECT_EQ(read[1].name, "liba.so.10");
  EXPECT_EQ(read[2].name, "liba.so.9");
}

TEST(LoaderCache, PrintsTheOrderOfTheHosts) {
  const Result<kernel::Fd> file = kernel::open("/etc/ld.so.cache", O_RDONLY);
  if (!file) GTEST_SKIP() << "no /etc/ld.so.cache";
  const Result<std::vector<LoaderCacheEntry>> host = parse_loader_cache(*kernel::read_all(*file, 64U << 20U));
  ASSERT_TRUE(host) << host.error().message();
  ASSERT_FALSE(host->empty());
  const std::vector<LoaderCacheEntry> again = *parse_loader_cache(print_loader_cache(*host, false));
  ASSERT_EQ(again.size(), host->size());
  for (std::size_t index = 0; index < again.size(); ++index) EXPECT_EQ(again[index].name, (*host)[index].name);
}

TEST(LoaderCache, ACutOrAnotherFileIsAnError) {
  const std::string whole = print_loader_cache(sample, false);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_loader_cache(std::string_view(whole).substr(0, size))) << size;
  }
  std::string many = whole;
  many[23] = '\x7f';
  EXPECT_FALSE(parse_loader_cache(many));
}

}  // namespace
}  // namespace skiff::image
