// What a hostile container tries while somebody copies.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/compose/compose_rig.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

class ComposeCpAttack : public ::testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    fs::create_directories(rig_.path("victim"));
    write_file(rig_.path("victim/file"), "secret\n");
    write_file(rig_.path("file"), "mine\n");
  }
  void start(const std::string &script) {
    (void)rig_.start({"--name", "c"}, script + "; exec sleep 1000");
    ASSERT_TRUE(rig_.wait_for_log("c", "ready"));
  }
  Outcome cp(const std::string &from, const std::string &to) { return rig_.compose({"cp", from, to}); }
  void expect_victim_is_whole() const {
    EXPECT_EQ(read_file(rig_.path("victim/file")), "secret\n");
    EXPECT_EQ(std::distance(fs::directory_iterator(rig_.path("victim")), {}), 1);
  }

  ComposeRig rig_;
};

TEST_F(ComposeCpAttack, LinksLeadToTheContainersOwnFiles) {
  const std::string victim = rig_.path("victim");
  start("ln -s " + victim + " /abs; ln -s ../../../../../.." + victim + " /rel; ln -s " + victim +
        "/file /leaf; echo ready");
  for (const char *link : {"/abs", "/rel"}) {
    EXPECT_NE(cp("c:" + std::string(link) + "/file", rig_.path("out")).code, 0) << link;
    EXPECT_NE(cp(rig_.path("file"), "c:" + std::string(link) + "/new").code, 0) << link;
  }
  EXPECT_NE(rig_.compose({"cp", "-L", "c:/leaf", rig_.path("out")}).code, 0);
  EXPECT_FALSE(fs::exists(rig_.path("out")));
  expect_victim_is_whole();
  // A dangling target is made where it leads in the container.
  EXPECT_NE(cp(rig_.path("file"), "c:/leaf").code, 0) << "no directory is made for it";
  expect_victim_is_whole();
}

// CVE-2018-15664: the path is exchanged for a link between the look and the use. A few rounds of both ways against a
// container that does nothing else.
TEST_F(ComposeCpAttack, AnExchangeMeanwhileLeadsNowhereElse) {
  const std::string victim = rig_.path("victim");
  start("mkdir -p /work/dir /work" + victim + "; echo inside >/work/dir/file; ln -s " + victim +
        " /work/link; cd /work; echo ready; while true; do mv -T dir tmp; mv -T link dir; mv -T dir link; "
        "mv -T tmp dir; done & true");
  for (int round = 0; round < 15; ++round) {
    (void)cp("c:/work/dir/file", rig_.path("out"));
    const std::string text = read_file(rig_.path("out"));
    EXPECT_TRUE(text.empty() || text == "inside\n" || text == "mine\n") << text;
    (void)cp(rig_.path("file"), "c:/work/dir/file");
    (void)rig_.compose({"cp", "-L", "c:/work/dir", rig_.path("copied")});
    EXPECT_NE(read_file(rig_.path("copied/file")), "secret\n");
    fs::remove_all(rig_.path("copied"));
    fs::remove(rig_.path("out"));
  }
  expect_victim_is_whole();
}

// CVE-2019-14271: docker loaded libnss out of the container into a process with the host's rights. Here the container's
// libraries, loader and name service are traps, and so is everything on its $PATH.
TEST_F(ComposeCpAttack, NothingOfTheContainerIsRun) {
  const std::string traps =
      "mkdir -p /lib /lib64 /usr/lib /etc /trap; for f in libnss_files.so.2 libnss_dns.so.2 libc.so.6 ld.so.preload; "
      "do "
      "echo trap >/lib/$f; echo trap >/usr/lib/$f; done; echo /lib/libnss_files.so.2 >/etc/ld.so.preload; "
      "for p in tar skiff-image untar; do printf '#!/bin/sh\\ntouch /trap/sprung\\n' >/bin/$p; chmod +x /bin/$p; done; "
      "mkdir /in; echo text >/in/file; echo ready";
  start(traps);
  EXPECT_EQ(cp("c:/in", rig_.path("out")).err, "");
  EXPECT_EQ(read_file(rig_.path("out/file")), "text\n");
  EXPECT_EQ(cp(rig_.path("file"), "c:/in/new").err, "");
  EXPECT_EQ(rig_.compose({"exec", "c", "ls", "/trap"}).out, "");
  // No file of the container is mapped for execution by what worked on it: all that was run is the host's.
  if (::access("/usr/bin/strace", X_OK) != 0) GTEST_SKIP() << "the second half needs strace";
  std::vector<std::string> words = {
      "/usr/bin/strace", "-f", "-qq", "-o", rig_.path("trace"), "-e", "trace=execve,execveat,chroot,pivot_root,setns"};
  for (const std::string &word : rig_.words({"cp", "c:/in", rig_.path("again")})) words.push_back(word);
  ASSERT_EQ(run_program(words).code, 0);
  const std::string trace = read_file(rig_.path("trace"));
  EXPECT_NE(trace.find("skiff-image"), std::string::npos);
  EXPECT_EQ(trace.find("chroot("), std::string::npos) << trace;
  EXPECT_EQ(trace.find("pivot_root("), std::string::npos) << trace;
  EXPECT_EQ(trace.find("CLONE_NEWNS"), std::string::npos) << "no process enters its mount namespace";
}

TEST_F(ComposeCpAttack, TheKernelsOwnFilesAreRefused) {
  start("ln -s /proc/1 /one; echo ready");
  for (const char *path : {"/proc/cpuinfo", "/proc", "/one/environ", "/sys/kernel"}) {
    EXPECT_NE(cp("c:" + std::string(path), rig_.path("out")).code, 0) << path;
  }
  EXPECT_NE(cp(rig_.path("file"), "c:/proc/1/root/new").code, 0) << "a magic link is no way";
  EXPECT_FALSE(fs::exists(rig_.path("out")));
}

// What comes out may have any names; the caller's links are not written through.
TEST_F(ComposeCpAttack, LinksOfTheHostAreNotWrittenThrough) {
  start("mkdir /evil; echo x >/evil/file; echo ready");
  fs::create_directories(rig_.path("target"));
  fs::create_directory_symlink(rig_.path("victim"), rig_.path("target/evil"));
  EXPECT_NE(cp("c:/evil", rig_.path("target")).code, 0);
  expect_victim_is_whole();
}

}  // namespace
}  // namespace skiff::rig
