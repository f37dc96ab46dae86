// Input that cannot work: a clear error, exit code 1, nothing left behind.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/cli/background.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

// `create` of a bundle as it is on the disk.
Outcome create(const Rig &rig) {
  return run_program({program(), "--root", rig.root(), "create", "--bundle", rig.bundle(), rig.id()});
}

void expect_refused(const Rig &rig, const Outcome &outcome, const std::string &wanted) {
  EXPECT_EQ(outcome.code, 1) << outcome.err.substr(0, 500);
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err.find(wanted), std::string::npos) << wanted << ": " << outcome.err.substr(0, 2000);
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(BadInput, AConfigJsonThatIsMissingEmptyOrNoJsonIsNamed) {
  REQUIRE_ROOT();
  Rig rig;
  fs::remove(rig.bundle() + "/config.json");
  expect_refused(rig, create(rig), "config.json");
  for (const char *text :
       {"", " \n", "{", "null", "[]", "{\"ociVersion\": \"1.0.0\",}", "\xff\xfe", "{} {}", "\"text\""}) {
    write_file(rig.bundle() + "/config.json", text);
    expect_refused(rig, create(rig), "config.json");
  }
  fs::remove(rig.bundle() + "/config.json");
  ASSERT_EQ(::mkdir((rig.bundle() + "/config.json").c_str(), 0755), 0);
  expect_refused(rig, create(rig), "config.json");
  fs::remove(rig.bundle() + "/config.json");
  ASSERT_EQ(::mkfifo((rig.bundle() + "/config.json").c_str(), 0644), 0);
  expect_refused(rig, create(rig), "config.json");  // and does not wait for a writer
}

TEST(BadInput, DeepNestingIsRefusedAndNotACrash) {
  REQUIRE_ROOT();
  Rig rig;
  write_file(rig.bundle() + "/config.json", std::string(1000000, '['));
  expect_refused(rig, create(rig), "config.json");
}

TEST(BadInput, EveryWrongTypeIsNamedByItsPointerAllAtOnce) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["process"]["args"] = "sh";
  rig.config["process"]["user"]["uid"] = -1;
  rig.config["process"]["terminal"] = "no";
  rig.config["mounts"][1]["options"] = {{"a", 1}};
  rig.config["linux"]["namespaces"][0] = "pid";
  rig.config["hostname"] = 7;
  rig.config["linux"]["resources"]["memory"] = {{"limit", "64M"}};
  const Outcome outcome = rig.skiff({"create", rig.id()});
  for (const char *pointer : {"/process/args", "/process/user/uid", "/process/terminal", "/mounts/1/options",
                              "/linux/namespaces/0", "/hostname", "/linux/resources/memory/limit"}) {
    expect_refused(rig, outcome, pointer);
  }
}

TEST(BadInput, AConfigJsonOfAHundredMegabytesIsRefusedQuickly) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["annotations"] = {{"long", ""}};
  write_file(rig.bundle() + "/config.json", rig.config.dump());
  fs::resize_file(rig.bundle() + "/config.json", 100 << 20);
  const auto began = std::chrono::steady_clock::now();
  expect_refused(rig, create(rig), "config.json");
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(2));
}

// How long the kernel itself takes to stack binds on one directory: it walks over those that are there already, so
// neither a machine's speed nor the number alone says it. In a thread, whose mount namespace ends with it.
std::chrono::steady_clock::duration time_of_binds(int count, const std::string &source, const std::string &target) {
  std::chrono::steady_clock::duration taken{};
  std::thread([&] {
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(::mount(source.c_str(), target.c_str(), nullptr, MS_BIND, nullptr), 0);
    }
    taken = std::chrono::steady_clock::now() - began;
  }).join();
  return taken;
}

TEST(BadInput, TenThousandMountsEndInBoundedTime) {
  REQUIRE_ROOT();
  Rig rig;
  constexpr int count = 10000;
  for (int i = 0; i < count; ++i) {
    rig.config["mounts"].push_back(
        {{"destination", "/tmp/m"}, {"type", "bind"}, {"source", rig.rootfs() + "/work"}, {"options", {"bind"}}});
  }
  rig.config["mounts"].push_back(
      {{"destination", "/tmp/last"}, {"type", "bind"}, {"source", "/absent/source"}, {"options", {"bind"}}});
  const auto began = std::chrono::steady_clock::now();
  expect_refused(rig, rig.skiff({"create", rig.id()}), "mounts[10005]");
  const auto taken = std::chrono::steady_clock::now() - began;
  EXPECT_LT(taken, std::chrono::seconds(1) + 10 * time_of_binds(count, rig.rootfs() + "/work", rig.rootfs() + "/tmp"));
}

TEST(BadInput, AHugeNumberOfMountsWorks) {
  REQUIRE_ROOT();
  Rig rig;
  for (int i = 0; i < 2000; ++i) {
    rig.config["mounts"].push_back(
        {{"destination", "/tmp/m"}, {"type", "bind"}, {"source", rig.rootfs() + "/work"}, {"options", {"bind", "ro"}}});
  }
  const auto began = std::chrono::steady_clock::now();
  const Outcome outcome = rig.run("grep -c ' /tmp/m ' /proc/self/mountinfo");
  EXPECT_EQ(outcome.code, 0) << outcome.err.substr(0, 500);
  EXPECT_EQ(outcome.out, "2000\n");
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
}

TEST(BadInput, ARootfsThatIsAFileOrMissingIsNamed) {
  REQUIRE_ROOT();
  Rig rig;
  for (const char *path : {"config.json", "absent", ""}) {
    rig.config["root"]["path"] = path;
    expect_refused(rig, rig.skiff({"create", rig.id()}), "root");
  }
  rig.config.erase("root");
  expect_refused(rig, rig.skiff({"create", rig.id()}), "root");
}

TEST(BadInput, ARootfsThatIsASymlinkIsFollowedOrNamed) {  // the bundle is the caller's own, the rootfs is not
  REQUIRE_ROOT();
  Rig rig;
  fs::create_directory_symlink(rig.rootfs(), rig.bundle() + "/link");
  rig.config["root"]["path"] = "link";
  rig.script("echo in");
  const Outcome outcome = rig.skiff({"run", rig.id()});
  if (outcome.code == 0) {
    EXPECT_EQ(outcome.out, "in\n");
    EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
  } else {
    expect_refused(rig, outcome, "root");
  }
  fs::create_directory_symlink("loop", rig.bundle() + "/loop");
  rig.config["root"]["path"] = "loop";
  expect_refused(rig, rig.skiff({"create", rig.id()}), "root");
}

TEST(BadInput, IdsThatAreNoNamesAreRefused) {
  REQUIRE_ROOT();
  Rig rig;
  write_file(rig.bundle() + "/config.json", rig.config.dump());
  for (const std::string &id : {std::string("a/b"), std::string("../c"), std::string(".."), std::string("."),
                                std::string(""), std::string(2000, 'x'), std::string(256, 'x'), std::string("a b"),
                                std::string("a\nb"), std::string("\xc3\xa4"), std::string("a:b")}) {
    for (const char *command : {"create", "run", "state", "delete"}) {
      const Outcome outcome = run_program({program(), "--root", rig.root(), command, "--", id});
      EXPECT_EQ(outcome.code, 1) << command << " " << id.substr(0, 20);
      EXPECT_NE(outcome.err, "") << command << " " << id.substr(0, 20);
    }
    EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
  }
  EXPECT_EQ(run_program({program(), "--root", rig.root(), "delete", "--force", "../c"}).code, 1);
}

TEST(BadInput, AnIdOfEveryKindOfCharacterWorks) {
  REQUIRE_ROOT();
  Rig rig;
  for (const std::string &id : {std::string("A-z_0.9+"), std::string(255, 'x'), std::string("-leading")}) {
    const Outcome outcome = rig.skiff({"run", "--", id});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
  }
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(BadInput, ARootDirectoryThatCannotBeMadeIsNamed) {
  REQUIRE_ROOT();
  Rig rig;
  write_file(rig.path("file"), "");
  write_file(rig.bundle() + "/config.json", rig.config.dump());
  for (const std::string &root :
       {rig.path("file"), rig.path("file/below"), std::string("/proc/skiff"), std::string("/sys/skiff")}) {
    const Outcome outcome = run_program({program(), "--root", root, "create", "--bundle", rig.bundle(), rig.id()});
    EXPECT_EQ(outcome.code, 1) << root;
    EXPECT_NE(outcome.err.find(root), std::string::npos) << outcome.err;
    EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
  }
}

TEST(BadInput, AReadOnlyRootDirectoryIsNamed) {
  REQUIRE_ROOT();
  Rig rig;
  ASSERT_EQ(::mkdir(rig.path("ro").c_str(), 0755), 0);
  ASSERT_EQ(::mount("tmpfs", rig.path("ro").c_str(), "tmpfs", MS_RDONLY, "size=64k"), 0);
  write_file(rig.bundle() + "/config.json", rig.config.dump());
  const Outcome outcome =
      run_program({program(), "--root", rig.path("ro"), "create", "--bundle", rig.bundle(), rig.id()});
  EXPECT_EQ(::umount(rig.path("ro").c_str()), 0);
  expect_refused(rig, outcome, "read-only file system");
}

TEST(BadInput, AFullDiskFailsCreateAndLeavesNothing) {
  REQUIRE_ROOT();
  Rig rig;
  ASSERT_EQ(::mkdir(rig.path("full").c_str(), 0755), 0);
  rig.config["annotations"] = {{"long", std::string(30000, 'x')}};
  write_file(rig.bundle() + "/config.json", rig.config.dump());
  // From no page at all to enough for the configuration, the record and both of its versions.
  for (const char *size : {"nr_inodes=2", "nr_inodes=3", "nr_inodes=4", "nr_inodes=5", "size=4k", "size=16k",
                           "size=36k", "size=48k", "size=72k", "size=80k", "size=96k", "size=104k"}) {
    ASSERT_EQ(::mount("tmpfs", rig.path("full").c_str(), "tmpfs", 0, size), 0);
    const Outcome outcome =
        run_program({program(), "--root", rig.path("full"), "create", "--bundle", rig.bundle(), rig.id()});
    if (outcome.code == 0) {
      EXPECT_EQ(run_program({program(), "--root", rig.path("full"), "delete", "--force", rig.id()}).code, 0);
    } else {
      EXPECT_EQ(outcome.code, 1);
      EXPECT_NE(outcome.err.find("no space left on device"), std::string::npos) << size << ": " << outcome.err;
    }
    EXPECT_TRUE(fs::is_empty(rig.path("full"))) << size;
    ASSERT_EQ(::umount(rig.path("full").c_str()), 0);
    ASSERT_TRUE(rig.leftovers().empty()) << size << ": " << rig.leftovers().front();
  }
}

TEST(BadInput, ABundleThatIsMissingOrAFileIsNamed) {
  REQUIRE_ROOT();
  Rig rig;
  write_file(rig.path("file"), "");
  for (const std::string &bundle : {rig.path("absent"), rig.path("file")}) {
    const Outcome outcome = run_program({program(), "--root", rig.root(), "create", "--bundle", bundle, rig.id()});
    expect_refused(rig, outcome, bundle);
  }
}

}  // namespace
}  // namespace skiff::rig
