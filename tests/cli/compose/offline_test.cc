// --offline: no command asks another host for anything, and what needs none runs.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/compose/compose_rig.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

class ComposeOffline : public ::testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    fs::create_directories(rig_.path("project"));
  }
  // The file of a project with one service that prints what is in /data/file and ends.
  std::vector<std::string> project(const std::string &image, const std::string &more = "") {
    write_file(rig_.path("project/compose.yaml"), "name: offline\nservices:\n  one:\n    image: '" + image +
                                                      "'\n    network_mode: none\n" + more +
                                                      "    command: cat /data/file\n");
    return {"--offline", "-f", rig_.path("project/compose.yaml")};
  }
  static std::vector<std::string> with(std::vector<std::string> words, const std::vector<std::string> &more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  // Its output, and every address of another host that it or a program of it wanted to reach.
  Outcome traced(const std::vector<std::string> &words, std::string &reached) {
    std::vector<std::string> all = {"/usr/bin/strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o",
                                    rig_.path("trace")};
    for (const std::string &word : rig_.words(words)) all.push_back(word);
    const Outcome outcome = run_program(all);
    reached.clear();
    std::istringstream trace(read_file(rig_.path("trace")));
    for (std::string line; std::getline(trace, line);) {
      if (line.find("sa_family=AF_INET") != std::string::npos) reached += line + "\n";
    }
    return outcome;
  }

  ComposeRig rig_;
};

TEST_F(ComposeOffline, NoCommandReachesForARegistry) {
  if (::access("/usr/bin/strace", X_OK) != 0) GTEST_SKIP() << "needs strace";
  fs::create_directories(rig_.path("build"));
  write_file(rig_.path("build/Dockerfile"), "FROM registry.test/none:1\n");
  const std::vector<std::string> missing = project("registry.test/none:1");
  const std::vector<std::vector<std::string>> commands = {
      {"--offline", "run", "--rm", "registry.test/none:1"},
      {"--offline", "run", "--rm", "--pull", "always", "registry.test/none:1"},
      {"--offline", "create", "registry.test/none:1"},
      {"--offline", "--no-project", "pull", "registry.test/none:1"},
      {"--offline", "--no-project", "push", "busybox"},
      {"--offline", "run", "--rm", "https://registry.test/x.tar@sha256:" + std::string(64, '0')},
      with(missing, {"up"}),
      with(missing, {"up", "--pull", "always"}),
      with(missing, {"create"}),
      with(missing, {"pull"}),
      with(missing, {"run", "one"}),
      with(missing, {"bundle", "-o", rig_.path("x.tar")}),
      with(project("none", "    build: " + rig_.path("build") + "\n"), {"build"}),
      with(project("none", "    build: " + rig_.path("build") + "\n"), {"up", "--build"}),
  };
  for (const std::vector<std::string> &words : commands) {
    SCOPED_TRACE(testing::PrintToString(words));
    std::string reached;
    const Outcome outcome = traced(words, reached);
    EXPECT_NE(outcome.code, 0);
    EXPECT_NE(outcome.err, "");
    EXPECT_EQ(reached, "");
  }
  // The way to look at it finds what is not offline.
  std::string reached;
  (void)traced({"run", "--rm", "127.0.0.1:1/none:1"}, reached);
  EXPECT_NE(reached, "");
}

TEST_F(ComposeOffline, WhatIsOnTheDiskRuns) {
  const auto image = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {SKIFF_IMAGE_PROGRAM, "--progress", "none", "--store", rig_.path("store")});
    const Outcome outcome = run_program(words);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
  };
  image({"copy", "busybox", "oci:" + rig_.path("layout") + ":1"});
  image({"copy", "busybox", "oci-archive:" + rig_.path("archive.tar")});
  image({"copy", "busybox", "file:" + rig_.path("tree")});
  const std::string digest = run_program({"/usr/bin/sha256sum", rig_.path("archive.tar")}).out.substr(0, 64);
  for (const std::string &source :
       {"tar://" + rig_.path("archive.tar"), "tar://" + rig_.path("archive.tar") + "@sha256:" + digest,
        "oci:" + rig_.path("layout") + ":1"}) {
    SCOPED_TRACE(source);
    for (const std::string offline : {"--offline", "--no-project=false"}) {
      std::vector<std::string> words = with(project(source), {"pull", "-q"});
      words.front() = offline;
      const Outcome pull = rig_.compose(words);
      EXPECT_EQ(pull.code, 0) << pull.err;
    }
    const Outcome up = rig_.compose(with(project(source), {"up", "--pull", "always"}));
    EXPECT_NE(up.out.find("of the image"), std::string::npos) << up.out << up.err;
    EXPECT_EQ(rig_.compose(with(project(source), {"down"})).code, 0);
  }
  const Outcome wrong =
      rig_.compose(with(project("tar://" + rig_.path("archive.tar") + "@sha256:" + std::string(64, '0')), {"up"}));
  EXPECT_NE(wrong.err.find("its digest is sha256:" + digest), std::string::npos) << wrong.err;
  EXPECT_EQ(rig_.compose(with(project("oci:" + rig_.path("nonesuch") + ":1"), {"pull"})).code, 1);
  const std::string tree = "file:" + rig_.path("tree");
  EXPECT_EQ(rig_.compose(with(project(tree), {"pull"})).code, 0);
  EXPECT_NE(
      rig_.compose({"--offline", "run", "--rm", "--network", "none", "--pull", "always", tree, "cat", "/data/file"})
          .out.find("of the image"),
      std::string::npos);
  // file:// is .ctst's, and a root filesystem.
  write_file(rig_.path("project/compose.ctst"),
             "COMPONENT one {\n  image = \"file://" + rig_.path("tree") +
                 "\"\n  network = \"none\"\n  command = [\"/bin/cat\", \"/data/file\"]\n}\n");
  EXPECT_EQ(rig_.compose({"--offline", "-f", rig_.path("project/compose.ctst"), "pull"}).code, 0);
  const Outcome ctst = rig_.compose({"--offline", "-f", rig_.path("project/compose.ctst"), "up"});
  EXPECT_NE(ctst.out.find("of the image"), std::string::npos) << ctst.out << ctst.err;
  EXPECT_EQ(rig_.compose({"-f", rig_.path("project/compose.ctst"), "down"}).code, 0);
}

// The name of an archive says nothing of what is in it.
TEST_F(ComposeOffline, AnArchiveThatHasChangedIsAnotherImage) {
  const auto pack = [&](const std::string &text) {
    fs::create_directories(rig_.path("data"));
    write_file(rig_.path("data/file"), text);
    EXPECT_EQ(run_program({"/bin/tar", "-cf", rig_.path("image.tar"), "--transform", "s,^file,data/file,", "-C",
                           rig_.path("bundle/rootfs"), "bin", "-C", rig_.path("data"), "file"})
                  .code,
              0);
  };
  const std::vector<std::string> words = project("tar://" + rig_.path("image.tar"), "    environment: {PATH: /bin}\n");
  pack("first\n");
  EXPECT_NE(rig_.compose(with(words, {"up"})).out.find("first"), std::string::npos);
  EXPECT_NE(rig_.compose(with(words, {"plan"})).out.find("one"), std::string::npos);
  const std::string id = rig_.inspect("offline-one-1").at("Id");
  (void)rig_.compose(with(words, {"up"}));
  EXPECT_EQ(rig_.inspect("offline-one-1").at("Id"), id);
  pack("second, which is longer\n");
  const Outcome plan = rig_.compose(with(words, {"plan"}));
  EXPECT_NE(plan.out.find("its image has changed"), std::string::npos) << plan.out << plan.err;
  EXPECT_NE(rig_.compose(with(words, {"up"})).out.find("second"), std::string::npos);
  EXPECT_NE(rig_.inspect("offline-one-1").at("Id"), id);
  // A stick that is not in.
  fs::rename(rig_.path("image.tar"), rig_.path("away.tar"));
  EXPECT_EQ(rig_.compose(with(words, {"plan"})).code, 0);
  EXPECT_EQ(rig_.compose(with(words, {"down"})).code, 0);
}

}  // namespace
}  // namespace skiff::rig
