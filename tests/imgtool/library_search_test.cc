#include "imgtool/library_search.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/imgtool/elf_file.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff::image {
namespace {

namespace fs = std::filesystem;

// A root of the test's own, with files that say what they need.
class LibrarySearch : public testing::Test {
 protected:
  void put_text(const std::string &path, const std::string &bytes) {
    fs::create_directories(fs::path(root_.path() + path).parent_path());
    std::ofstream(root_.path() + path, std::ios::binary) << bytes;
  }
  void put(const std::string &path, const ElfFile &file) { put_text(path, make_elf(file)); }
  void link(const std::string &path, const std::string &target) {
    fs::create_directories(fs::path(root_.path() + path).parent_path());
    fs::create_symlink(target, root_.path() + path);
  }

  LibraryClosure find(const std::string &program, const LibraryOptions &options = {}) {
    const Result<kernel::Fd> root = kernel::open(root_.path(), O_PATH | O_DIRECTORY);
    Result<LibraryClosure> closure = find_libraries(*root, program, options);
    EXPECT_TRUE(closure) << closure.error().message();
    return closure ? std::move(*closure) : LibraryClosure{};
  }
  static std::vector<std::string> paths(const LibraryClosure &closure) {
    std::vector<std::string> all;
    for (const LoadedFile &file : closure.files) all.push_back(file.path);
    return all;
  }

  TemporaryDirectory root_;
};

using Paths = std::vector<std::string>;

TEST_F(LibrarySearch, RunpathCountsForTheFileAloneRpathForAllBelow) {
  put("/app/run", {.needed = {"libone.so"}, .runpath = "$ORIGIN/lib"});
  put("/app/lib/libone.so", {.needed = {"libtwo.so"}});
  put("/app/lib/libtwo.so", ElfFile{});
  put("/app/rpath", {.needed = {"libone.so"}, .rpath = "${ORIGIN}/lib"});
  const LibraryClosure run = find("/app/run");
  EXPECT_EQ(paths(run), (Paths{"/app/run", "/app/lib/libone.so"}));
  ASSERT_EQ(run.missing.size(), 1U);
  EXPECT_EQ(run.missing[0].name, "libtwo.so");
  EXPECT_EQ(run.missing[0].by, "/app/lib/libone.so");
  const LibraryClosure rpath = find("/app/rpath");
  EXPECT_EQ(paths(rpath), (Paths{"/app/rpath", "/app/lib/libone.so", "/app/lib/libtwo.so"}));
  EXPECT_EQ(rpath.files[2].why, "RPATH of /app/rpath");
}

// ld.so(8): "If DT_RUNPATH is present, DT_RPATH is ignored", and LD_LIBRARY_PATH stands between them.
TEST_F(LibrarySearch, TheOrderIsRpathThenEnvironmentThenRunpathThenDefaults) {
  for (const std::string_view place : {"/rpath", "/env", "/runpath", "/lib"}) {
    put(std::string(place) + "/libx.so", ElfFile{});
  }
  put("/bin/old", {.needed = {"libx.so"}, .rpath = "/rpath"});
  put("/bin/both", {.needed = {"libx.so"}, .rpath = "/rpath", .runpath = "/runpath"});
  put("/bin/none", {.needed = {"libx.so"}});
  const LibraryOptions env{.library_path = {"/env"}};
  EXPECT_EQ(paths(find("/bin/old", env)).at(1), "/rpath/libx.so");
  EXPECT_EQ(paths(find("/bin/both", env)).at(1), "/env/libx.so");
  EXPECT_EQ(paths(find("/bin/both")).at(1), "/runpath/libx.so");
  EXPECT_EQ(paths(find("/bin/none")).at(1), "/lib/libx.so");
}

TEST_F(LibrarySearch, AFileOfAnotherMachineOrNoneAtAllIsPassedOver) {
  put("/bin/x", {.needed = {"libx.so"}, .runpath = "/a:/b:/c:/d"});
  put("/a/libx.so", {.machine = {false, false, EM_386}});
  put("/b/libx.so", {.machine = {true, false, EM_AARCH64}});
  put_text("/c/libx.so", "/* GNU ld script */");
  put("/d/libx.so", ElfFile{});
  EXPECT_EQ(paths(find("/bin/x")).at(1), "/d/libx.so");
}

TEST_F(LibrarySearch, AlreadyLoadedByItsSonameIsNotLookedForAgain) {
  put("/bin/x", {.needed = {"/priv/libx.so.1.2", "libx.so.1"}});
  put("/priv/libx.so.1.2", {.soname = "libx.so.1"});
  const LibraryClosure closure = find("/bin/x");
  EXPECT_EQ(paths(closure), (Paths{"/bin/x", "/priv/libx.so.1.2"}));
  EXPECT_TRUE(closure.missing.empty());
}

TEST_F(LibrarySearch, OriginIsWhereTheProgramReallyIs) {
  link("/usr/bin/x", "../../opt/x/bin/x");
  put("/opt/x/bin/x", {.needed = {"libx.so"}, .runpath = "$ORIGIN/../lib"});
  put("/opt/x/lib/libx.so", ElfFile{});
  EXPECT_EQ(paths(find("/usr/bin/x")), (Paths{"/usr/bin/x", "/opt/x/bin/../lib/libx.so"}));
}

TEST_F(LibrarySearch, LibAndPlatformAreTheMachines) {
  put("/bin/x", {.needed = {"libx.so", "liby.so"}, .runpath = "/opt/$LIB:/opt/$PLATFORM"});
  put("/opt/lib/x86_64-linux-gnu/libx.so", ElfFile{});
  put("/opt/x86_64/liby.so", ElfFile{});
  EXPECT_EQ(paths(find("/bin/x")), (Paths{"/bin/x", "/opt/lib/x86_64-linux-gnu/libx.so", "/opt/x86_64/liby.so"}));
}

TEST_F(LibrarySearch, WhatOnlyTheCacheFindsIsSaid) {
  put("/bin/x", {.needed = {"libx.so", "liby.so"}});
  put("/opt/libx.so", ElfFile{});
  put("/usr/lib/liby.so", ElfFile{});
  put_text("/etc/ld.so.cache", print_loader_cache({{0x303, 0, "libx.so", "/opt/libx.so"},
                                                   {0x303, 2, "liby.so", "/fast/liby.so"},
                                                   {0x303, 0, "liby.so", "/usr/lib/liby.so"}},
                                                  false));
  const LibraryClosure closure = find("/bin/x");
  EXPECT_EQ(paths(closure), (Paths{"/bin/x", "/opt/libx.so", "/usr/lib/liby.so"}));
  ASSERT_EQ(closure.cached.size(), 1U);
  EXPECT_EQ(closure.cached[0].path, "/opt/libx.so");
  EXPECT_EQ(closure.files[1].why, "the loader's cache");
}

TEST_F(LibrarySearch, NodeflibLeavesTheDefaultsOut) {
  put("/bin/x", {.needed = {"libx.so"}, .flags_1 = DF_1_NODEFLIB});
  put("/lib/libx.so", ElfFile{});
  EXPECT_EQ(find("/bin/x").missing.size(), 1U);
}

TEST_F(LibrarySearch, MuslReadsItsOwnPathAndIsItsOwnLibc) {
  put("/lib/ld-musl-x86_64.so.1", ElfFile{});
  put_text("/etc/ld-musl-x86_64.path", "/first\n/second:/third\n");
  put("/bin/x", {.interpreter = "/lib/ld-musl-x86_64.so.1", .needed = {"libx.so", "libc.musl-x86_64.so.1"}});
  put("/third/libx.so", {.needed = {"libc.so", "liby.so"}, .runpath = "/y"});
  put("/y/liby.so", {.needed = {"libz.so"}});
  put("/y/libz.so", ElfFile{});
  put("/usr/lib/libx.so", ElfFile{});
  const LibraryClosure closure = find("/bin/x");
  EXPECT_EQ(paths(closure),
            (Paths{"/bin/x", "/lib/ld-musl-x86_64.so.1", "/third/libx.so", "/y/liby.so", "/y/libz.so"}));
  EXPECT_EQ(closure.settings, Paths{"/etc/ld-musl-x86_64.path"});
  EXPECT_TRUE(closure.missing.empty());
}

TEST_F(LibrarySearch, MuslWithoutItsPathHasThreeDirectories) {
  put("/lib/ld-musl-x86_64.so.1", ElfFile{});
  put("/bin/x", {.interpreter = "/lib/ld-musl-x86_64.so.1", .needed = {"libx.so"}});
  put("/usr/local/lib/libx.so", ElfFile{});
  put("/usr/lib/libx.so", ElfFile{});
  EXPECT_EQ(paths(find("/bin/x")).at(2), "/usr/local/lib/libx.so");
}

// The tree is not the caller's: a link that leads out of it, a FIFO that nobody writes, a circle.
TEST_F(LibrarySearch, NothingOfTheTreeLeadsOutOfItOrWaits) {
  put("/bin/x", {.needed = {"libx.so", "liby.so", "libz.so"}});
  link("/lib/libx.so", "/../../../../../../../../proc/self/exe");
  ASSERT_EQ(::mkfifo((root_.path() + "/lib/liby.so").c_str(), 0600), 0);
  link("/lib/libz.so", "libz.so");
  const LibraryClosure closure = find("/bin/x");
  EXPECT_EQ(closure.files.size(), 1U);
  EXPECT_EQ(closure.missing.size(), 3U);
}

TEST_F(LibrarySearch, WhatIsOpenedLaterIsFoundToo) {
  put("/bin/x", ElfFile{});
  put("/lib/libplug.so", {.needed = {"libmore.so"}});
  put("/lib/libmore.so", ElfFile{});
  const LibraryClosure closure = find("/bin/x", {.opened = {"libplug.so"}});
  EXPECT_EQ(paths(closure), (Paths{"/bin/x", "/lib/libplug.so", "/lib/libmore.so"}));
  EXPECT_EQ(closure.files[1].why, "--dlopen, default directory");
}

// ---- the host's own, as its loader sees them ----

std::set<std::string> by_ldd(const std::string &program, bool &fine) {
  std::string out;
  std::FILE *ldd = ::popen(("/usr/bin/ldd " + program + " 2>/dev/null").c_str(), "re");
  for (int letter = std::getc(ldd); letter != EOF; letter = std::getc(ldd)) out += static_cast<char>(letter);
  fine = ::pclose(ldd) == 0;
  std::set<std::string> found;
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(line.find("=>") == std::string::npos ? 0 : line.find("=>") + 2));
    std::string path;
    words >> path;
    if (path.starts_with('/')) found.insert(fs::canonical(path));
    if (path == "not") fine = false;
  }
  return found;
}

TEST(LibrarySearchOfTheHost, AgreesWithLddForTwentyPrograms) {
  if (!fs::exists("/usr/bin/ldd")) GTEST_SKIP() << "no ldd";
  const Result<kernel::Fd> root = kernel::open("/", O_PATH | O_DIRECTORY);
  std::vector<std::string> programs;
  for (const auto &entry : fs::directory_iterator("/usr/bin")) {
    std::error_code error;
    if (entry.is_regular_file(error)) programs.push_back(entry.path());
  }
  std::ranges::sort(programs);
  // From all over the alphabet, those with the most libraries among them.
  std::vector<std::pair<std::size_t, std::string>> dynamic;
  for (const std::string &program : programs) {
    const Result<kernel::Fd> file = find_regular_file(*root, program);
    if (!file || !file->valid()) continue;
    const Result<std::optional<Elf>> elf = read_elf(*file);
    if (elf && *elf && !(*elf)->interpreter.empty()) dynamic.emplace_back((*elf)->needed.size(), program);
  }
  if (dynamic.size() < 20) GTEST_SKIP() << "less than twenty dynamic programs in /usr/bin";
  std::ranges::stable_sort(dynamic, std::ranges::greater{});
  const std::size_t step = dynamic.size() / 20;
  int compared = 0;
  for (std::size_t index = 0; index < 20; ++index) {
    const std::string &program = dynamic[index < 10 ? index : index * step].second;
    bool fine = true;
    const std::set<std::string> expected = by_ldd(program, fine);
    if (!fine) continue;  // another architecture, or broken on this host
    const Result<LibraryClosure> closure = find_libraries(*root, program, {});
    ASSERT_TRUE(closure) << closure.error().message();
    std::set<std::string> found;
    for (const LoadedFile &file : closure->files) found.insert(fs::canonical(file.path));
    found.erase(fs::canonical(program));
    EXPECT_EQ(found, expected) << program;
    EXPECT_TRUE(closure->missing.empty()) << program;
    ++compared;
  }
  EXPECT_GE(compared, 15);
}

}  // namespace
}  // namespace skiff::image
