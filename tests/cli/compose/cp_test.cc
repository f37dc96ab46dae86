// cp: files into a container and out of it, as docker cp has them.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "tests/cli/compose/compose_rig.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

class ComposeCp : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    fs::create_directories(rig_.path("host/tree/sub"));
    write_file(rig_.path("host/file"), "of the host\n");
    write_file(rig_.path("host/tree/sub/a"), "a\n");
    ASSERT_EQ(::chown(rig_.path("host/file").c_str(), 1234, 1235), 0);
  }

  // A container "c", which runs or has run.
  void make(const std::vector<std::string> &flags, const std::string &script = "true") {
    std::vector<std::string> all = {"--name", "c"};
    all.insert(all.end(), flags.begin(), flags.end());
    (void)rig_.start(all, script + "; echo made; exec sleep 1000");
    ASSERT_TRUE(rig_.wait_for_log("c", "made"));
    if (!GetParam()) {
      const Outcome killed = rig_.compose({"kill", "c"});
      ASSERT_EQ(killed.code, 0) << killed.err;
      ASSERT_EQ(rig_.compose({"wait", "c"}).code, 0);
    }
  }
  // "" or what it complained about.
  std::string cp(const std::vector<std::string> &words, const std::string &input = "") {
    std::vector<std::string> all = {"cp"};
    all.insert(all.end(), words.begin(), words.end());
    const Outcome outcome = rig_.compose(all, input);
    EXPECT_EQ(outcome.code == 0, outcome.err.empty()) << outcome.err;
    return outcome.err;
  }
  [[nodiscard]] std::string host(const std::string &name) const { return rig_.path("host/" + name); }
  // A file of the container, by way of a second copy.
  std::string inside(const std::string &path) {
    EXPECT_EQ(cp({"c:" + path, host("seen")}), "");
    const std::string text = read_file(host("seen"));
    fs::remove(host("seen"));
    return text;
  }
  struct Owner {
    unsigned uid, gid;
    bool operator==(const Owner &) const = default;
  };
  static Owner owner(const std::string &path) {
    struct stat about{};
    EXPECT_EQ(::lstat(path.c_str(), &about), 0) << path;
    return {about.st_uid, about.st_gid};
  }
  Owner owner_inside(const std::string &path) {
    EXPECT_EQ(cp({"-a", "c:" + path, host("seen")}), "");
    const Owner found = owner(host("seen"));
    fs::remove_all(host("seen"));
    return found;
  }

  ComposeRig rig_;
};

INSTANTIATE_TEST_SUITE_P(Of, ComposeCp, ::testing::Bool(),
                         [](const auto &which) { return which.param ? "ARunningOne" : "AStoppedOne"; });

TEST_P(ComposeCp, AFileGoesInAndComesOut) {
  make({});
  EXPECT_EQ(cp({host("file"), "c:/data/new"}), "");
  EXPECT_EQ(inside("/data/new"), "of the host\n");
  EXPECT_EQ(cp({host("file"), "c:/data"}), "") << "into a directory, by its own name";
  EXPECT_EQ(inside("data/file"), "of the host\n") << "paths start at the container's root";
  EXPECT_NE(cp({host("file"), "c:/gone/new"}), "") << "no parent is made";
  EXPECT_NE(cp({host("file"), "c:/data/other/"}), "");
  EXPECT_NE(cp({"c:/data/gone", host("x")}).find("no such file"), std::string::npos);
}

TEST_P(ComposeCp, ADirectoryGoesInByItselfOrByItsContent) {
  make({});
  EXPECT_EQ(cp({host("tree"), "c:/data"}), "");
  EXPECT_EQ(inside("/data/tree/sub/a"), "a\n");
  EXPECT_EQ(cp({host("tree/."), "c:/data"}), "");
  EXPECT_EQ(inside("/data/sub/a"), "a\n");
  EXPECT_EQ(cp({host("tree"), "c:/new"}), "");
  EXPECT_EQ(inside("/new/sub/a"), "a\n");
  EXPECT_NE(cp({host("tree"), "c:/data/file"}).find("onto a file"), std::string::npos);
  EXPECT_EQ(cp({"c:/data/.", host("out")}), "");
  EXPECT_EQ(read_file(host("out/tree/sub/a")), "a\n");
}

TEST_P(ComposeCp, OwnersAreTheOtherSidesUnlessTheyAreKept) {
  make({}, "touch /mine; chown 33:44 /mine");
  EXPECT_EQ(cp({host("file"), "c:/in"}), "");
  EXPECT_EQ(owner_inside("/in"), (Owner{0, 0}));
  EXPECT_EQ(cp({"-a", host("file"), "c:/kept"}), "");
  EXPECT_EQ(owner_inside("/kept"), (Owner{1234, 1235}));
  EXPECT_EQ(cp({"c:/mine", host("mine")}), "");
  EXPECT_EQ(owner(host("mine")), (Owner{0, 0}));
  EXPECT_EQ(owner_inside("/mine"), (Owner{33, 44}));
}

TEST_P(ComposeCp, ALinkIsCopiedOrWhatItLeadsTo) {
  make({}, "ln -s /data/file /link; ln -s data /folder");
  EXPECT_EQ(cp({"c:/link", host("link")}), "");
  EXPECT_EQ(fs::read_symlink(host("link")), "/data/file");
  EXPECT_EQ(cp({"-L", "c:/link", host("followed")}), "");
  EXPECT_EQ(read_file(host("followed")), "of the image\n");
  EXPECT_EQ(cp({host("file"), "c:/folder"}), "") << "a target is followed";
  EXPECT_EQ(inside("/data/file"), "of the host\n");
  EXPECT_EQ(cp({"c:/folder/.", host("content")}), "");
  EXPECT_EQ(read_file(host("content/file")), "of the host\n");
  fs::create_symlink("file", host("lin"));
  EXPECT_EQ(cp({host("lin"), "c:/lin"}), "");
  EXPECT_EQ(cp({"c:/lin", host("back")}), "");
  EXPECT_EQ(fs::read_symlink(host("back")), "file");
}

TEST_P(ComposeCp, StreamsAreTarArchives) {
  make({});
  const Outcome out = rig_.compose({"cp", "c:/data", "-"});
  ASSERT_EQ(out.code, 0) << out.err;
  write_file(host("out.tar"), out.out);
  EXPECT_EQ(run_program({"/bin/tar", "tf", host("out.tar")}).out, "data/\ndata/file\n");
  const Outcome made = run_program({"/bin/tar", "-C", host(""), "--owner", "7", "--group", "8", "-czf", "-", "tree"});
  EXPECT_EQ(cp({"-", "c:/data"}, made.out), "");
  EXPECT_EQ(inside("/data/tree/sub/a"), "a\n");
  EXPECT_EQ(owner_inside("/data/tree"), (Owner{7, 8})) << "an archive's owners are its own";
  EXPECT_NE(cp({"-", "c:/data/file"}, made.out).find("goes into a directory"), std::string::npos);
  EXPECT_NE(cp({"-", "c:/gone"}, made.out), "");
  EXPECT_NE(cp({"-", "c:/data"}, made.out.substr(0, made.out.size() / 2)), "");
}

TEST_P(ComposeCp, VolumesAndBindsAreThere) {
  fs::create_directories(rig_.path("bound"));
  write_file(rig_.path("bound/b"), "bound\n");
  make({"-v", "cp-test-volume:/vol", "-v", rig_.path("bound") + ":/bound:ro"}, "echo kept >/vol/v");
  EXPECT_EQ(inside("/vol/v"), "kept\n");
  EXPECT_EQ(inside("/bound/b"), "bound\n");
  EXPECT_EQ(cp({host("file"), "c:/vol/new"}), "");
  EXPECT_EQ(read_file(rig_.state() + "/volumes/cp-test-volume/_data/new"), "of the host\n");
  EXPECT_NE(cp({host("file"), "c:/bound/new"}).find("read-only"), std::string::npos);
  EXPECT_FALSE(fs::exists(rig_.path("bound/new")));
  EXPECT_EQ(cp({"c:/vol", host("all")}), "");
  EXPECT_EQ(read_file(host("all/v")), "kept\n");
}

TEST_P(ComposeCp, AReadOnlyRootStaysSo) {
  make({"--read-only", "-v", rig_.path("host") + ":/host"});
  EXPECT_NE(cp({host("file"), "c:/new"}).find("read-only"), std::string::npos);
  EXPECT_EQ(cp({host("tree/sub/a"), "c:/host/new"}), "");
  EXPECT_EQ(read_file(host("new")), "a\n");
}

TEST_P(ComposeCp, IdsAreTheContainersInAUserNamespace) {
  make({"--userns", "auto"}, "touch /mine; chown 33:44 /mine; mkdir -m 700 /closed; echo x >/closed/x");
  EXPECT_EQ(cp({host("file"), "c:/in"}), "");
  EXPECT_EQ(owner_inside("/in"), (Owner{0, 0}));
  EXPECT_EQ(cp({"-a", host("file"), "c:/kept"}), "");
  EXPECT_EQ(owner_inside("/kept"), (Owner{1234, 1235}));
  EXPECT_EQ(owner_inside("/mine"), (Owner{33, 44}));
  EXPECT_EQ(inside("/closed/x"), "x\n");
}

TEST_P(ComposeCp, NothingStays) {
  make({"-v", "cp-test-volume:/vol"});
  EXPECT_EQ(cp({host("tree"), "c:/vol"}), "");
  EXPECT_NE(cp({host("tree"), "c:/data/file"}), "");
  EXPECT_EQ(rig_.compose({"rm", "-fv", "c"}).code, 0);
  EXPECT_EQ(rig_.compose({"volume", "rm", "cp-test-volume"}).code, 0);
  EXPECT_EQ(rig_.leftovers(), std::vector<std::string>());
}

// One id is mapped, his own: what the container's root makes is his.
TEST(ComposeCpRootless, AnOrdinaryUserReachesHisContainersFiles) {
  REQUIRE_ROOT();
  if (::access("/usr/bin/setpriv", X_OK) != 0) GTEST_SKIP() << "needs setpriv (util-linux)";
  constexpr unsigned user = 61236;
  const ComposeRig rig;
  write_file(rig.path("file"), "text\n");
  fs::create_directories(rig.path("out"));
  (void)run_program({"/bin/chown", "-R", std::to_string(user), rig.path("")});
  const auto compose = [&](const std::vector<std::string> &words) {
    std::vector<std::string> all = {"/usr/bin/setpriv",   "--reuid",       std::to_string(user), "--regid",
                                    std::to_string(user), "--clear-groups"};
    for (const std::string &word : rig.words(words)) all.push_back(word);
    return run_program(all);
  };
  const Outcome made =
      compose({"run", "-d", "--network", "none", "--name", "c", "-v", rig.path("out") + ":/out", "busybox", "sh", "-c",
               "mkdir -m 700 /closed; echo of the container >/closed/file; touch /out/made; sleep 1000"});
  ASSERT_EQ(made.code, 0) << made.err;
  // As that user alone: what root makes in the state directory would not be his.
  ASSERT_TRUE(wait_for_file(rig.path("out/made")));
  for (const char *round : {"running", "stopped"}) {
    SCOPED_TRACE(round);
    EXPECT_EQ(compose({"cp", rig.path("file"), std::string("c:/closed/") + round}).err, "");
    EXPECT_EQ(compose({"cp", "c:/closed", rig.path(round)}).err, "");
    EXPECT_EQ(read_file(rig.path(std::string(round) + "/file")), "of the container\n");
    EXPECT_EQ(read_file(rig.path(std::string(round) + "/" + round)), "text\n");
    struct stat about{};
    EXPECT_EQ(::stat(rig.path(std::string(round) + "/file").c_str(), &about), 0);
    EXPECT_EQ(about.st_uid, user);
    (void)compose({"kill", "c"});
    (void)compose({"wait", "c"});
  }
  const Outcome removed = compose({"rm", "-fv", "c"});
  EXPECT_EQ(removed.code, 0) << removed.err;
}

TEST(ComposeCpWords, OneOfThemIsAContainers) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  EXPECT_NE(rig.compose({"cp", "a", "b"}).err.find("neither is a path in a container"), std::string::npos);
  EXPECT_NE(rig.compose({"cp", "a:/x", "b:/x"}).err.find("both are paths in containers"), std::string::npos);
  EXPECT_EQ(rig.compose({"cp", "gone:/x", "x"}).code, 4);
  EXPECT_EQ(rig.compose({"cp", "gone:", "x"}).code, 2);
}

// docker compose cp: into a service is into all of its containers, out of it is out of the first.
TEST(ComposeCpService, IsAllItsContainersOrOne) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  fs::create_directories(rig.path("project"));
  write_file(rig.path("project/compose.yaml"),
             "services:\n  web:\n    image: busybox\n    network_mode: none\n    scale: 2\n"
             "    command: sh -c 'hostname >/name; exec sleep 1000'\n");
  write_file(rig.path("file"), "text\n");
  const std::vector<std::string> project = {"-f", rig.path("project/compose.yaml"), "-p", "cp-test"};
  const auto compose = [&](std::vector<std::string> words) {
    words.insert(words.begin(), project.begin(), project.end());
    return rig.compose(words);
  };
  const Outcome up = compose({"up", "-d"});
  ASSERT_EQ(up.code, 0) << up.err;
  EXPECT_EQ(compose({"cp", rig.path("file"), "web:/both"}).err, "");
  EXPECT_EQ(compose({"cp", "--index", "2", rig.path("file"), "web:/second"}).err, "");
  for (const char *index : {"1", "2"}) {
    EXPECT_EQ(compose({"cp", "--index", index, "web:/both", rig.path(std::string("out") + index)}).err, "");
    EXPECT_EQ(read_file(rig.path(std::string("out") + index)), "text\n");
  }
  EXPECT_EQ(compose({"cp", "web:/second", rig.path("none")}).code, 4) << "the first is the first";
  EXPECT_EQ(compose({"cp", "--index", "2", "web:/second", rig.path("some")}).err, "");
  EXPECT_EQ(compose({"cp", "--index", "3", "web:/second", rig.path("none")}).code, 4);
  EXPECT_EQ(
      compose({"--dry-run", "cp", rig.path("file"), "web:/dry"}).out,
      "copy " + rig.path("file") + " to cp-test-web-1:/dry\ncopy " + rig.path("file") + " to cp-test-web-2:/dry\n");
  EXPECT_EQ(compose({"cp", "web:/dry", rig.path("none")}).code, 4);
  // --all: those of `run`, too.
  EXPECT_EQ(compose({"run", "-d", "--name", "one-off", "web", "sleep", "1000"}).code, 0);
  EXPECT_EQ(compose({"cp", rig.path("file"), "web:/few"}).err, "");
  EXPECT_EQ(compose({"cp", "--all", rig.path("file"), "web:/all"}).err, "");
  EXPECT_EQ(rig.compose({"--no-project", "exec", "one-off", "sh", "-c", "test -e /all && ! test -e /few"}).code, 0);
  EXPECT_EQ(compose({"exec", "--index", "2", "web", "sh", "-c", "test -e /all && test -e /few"}).code, 0);
  EXPECT_EQ(compose({"down", "-v", "-t", "0"}).code, 0);
  EXPECT_EQ(rig.leftovers(), std::vector<std::string>());
}

}  // namespace
}  // namespace skiff::rig
