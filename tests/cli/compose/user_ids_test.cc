// Containers of an ordinary user who is granted ids: files have the image's owners, and he gets rid of all of them.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/compose/user_rig.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

class UserIds : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = UserRig::missing(); !missing.empty()) GTEST_SKIP() << missing;
    if (::access("/usr/bin/newuidmap", X_OK) != 0) GTEST_SKIP() << "needs newuidmap (uidmap)";
  }
};

// What containers and volumes have left there.
std::vector<std::string> files_of(const UserRig &rig) {
  std::vector<std::string> found;
  for (const char *folder : {"containers", "half-made", "volumes", "run/projects"}) {
    std::error_code ignored;
    for (const auto &entry : fs::recursive_directory_iterator(rig.state() + "/" + folder, ignored)) {
      if (!entry.is_directory() || fs::path(folder) != "run/projects") found.push_back(entry.path());
    }
  }
  return found;
}

unsigned owner_of(const std::string &path) {
  struct stat about{};
  EXPECT_EQ(::lstat(path.c_str(), &about), 0) << path;
  return about.st_uid;
}

// Without a word its network, and it with it, is made inside another user namespace.
TEST_F(UserIds, FilesOfAnImageAndOfAVolumeHaveTheirOwners) {
  UserRig rig(UserRig::Ids::granted);
  rig.make_owned_image();
  const std::string script =
      "stat -c '%u:%g %a %F' / /data /data/file /device; id -u; cat /data/file; rm /data/file; "
      "mkdir /data/part; echo part >/data/part/file; echo new >/data/new";
  const std::string owners = "0:0 755 directory\n70:71 700 directory\n70:71 600 regular file\n";
  for (const bool networked : {false, true}) {
    const auto run = [&](std::vector<std::string> words) {
      if (!networked) words.insert(words.begin(), {"--network", "none"});
      words.insert(words.begin(), {"run", "--rm", "-v", "kept:/data"});
      return rig.compose(words);
    };
    const Outcome ran = run({"example/owned", "sh", "-c", script});
    EXPECT_EQ(ran.out, owners + "0:0 666 regular empty file\n70\nkept\n") << networked << ": " << ran.err;
    EXPECT_EQ(owner_of(rig.state() + "/volumes/kept/_data"), UserRig::granted + 69);
    // It is filled once: who has it next finds what was written.
    const Outcome next = run({"-u", "0", "--mount", "type=volume,source=kept,target=/part,volume-subpath=part",
                              "example/owned", "cat", "/data/new", "/part/file"});
    EXPECT_EQ(next.out, "new\npart\n") << networked << ": " << next.err;
    EXPECT_EQ(rig.compose({"volume", "rm", "kept"}).code, 0);
    EXPECT_EQ(files_of(rig), std::vector<std::string>());
  }
}

TEST_F(UserIds, WhatContainersHaveWrittenIsTheirsAndGoesWithThem) {
  UserRig rig(UserRig::Ids::granted);
  rig.make_owned_image();
  const Outcome made =
      rig.compose({"run", "-d", "--name", "one", "-u", "0", "-v", "/data", "example/owned", "sh", "-c",
                   "stat -c %u:%g /data/file >/data/said; chmod 0 /data /tmp; : >/ready; exec sleep 1000"});
  ASSERT_EQ(made.code, 0) << made.err;
  ASSERT_TRUE(
      wait_for_file(rig.state() + "/containers/" + made.out.substr(0, made.out.find('\n')) + "/bundle/rootfs/ready"));
  EXPECT_EQ(rig.compose({"cp", "one:/data/said", rig.path("said")}).code, 0);
  EXPECT_EQ(read_file(rig.path("said")), "70:71\n");
  EXPECT_EQ(rig.compose({"stop", "-t", "0", "one"}).code, 0);
  EXPECT_EQ(rig.compose({"cp", "one:/data/file", rig.path("file")}).code, 0);
  EXPECT_EQ(read_file(rig.path("file")), "kept\n");
  EXPECT_EQ(rig.compose({"cp", rig.path("file"), "one:/data/back"}).code, 0);
  const Outcome gone = rig.compose({"rm", "-v", "one"});
  EXPECT_EQ(gone.code, 0) << gone.err;
  EXPECT_EQ(files_of(rig), std::vector<std::string>());
}

// It makes root one of the granted ids.
TEST_F(UserIds, KeepIdShiftsTheOwners) {
  UserRig rig(UserRig::Ids::granted);
  rig.make_owned_image();
  const Outcome kept = rig.compose({"run", "--rm", "--network", "none", "--userns", "keep-id", "example/owned", "sh",
                                    "-c", "stat -c %u:%g / /data; cat /data/file"});
  EXPECT_EQ(kept.out, "0:0\n70:71\nkept\n") << kept.err;
  EXPECT_EQ(files_of(rig), std::vector<std::string>());
}

TEST_F(UserIds, AProjectGoesUpAgainAndDownWithoutAFile) {
  UserRig rig(UserRig::Ids::granted);
  rig.make_owned_image();
  const auto write = [&](const std::string &command) {
    rig.write("compose.yaml", R"(
services:
  keeper:
    image: example/owned
    command: [sh, -c, ")" + command +
                                  R"("]
    stop_grace_period: 0s
    network_mode: none
    volumes: [kept:/data]
    secrets: [{source: word, uid: "70", gid: "71", mode: 0400}, {source: word, target: plain}]
volumes: {kept: {}}
secrets: {word: {environment: WORD}}
)");
  };
  const auto compose = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"-f", rig.path("compose.yaml"), "-p", "p", "--progress", "plain"});
    return rig.compose(words, {"/usr/bin/env", "WORD=secret"});
  };
  for (const char *command : {"exec sleep 1000", "exec sleep 2000"}) {
    write(command);
    const Outcome up = compose({"up", "-d"});
    ASSERT_EQ(up.code, 0) << up.err;
    const Outcome read = compose({"exec", "-T", "keeper", "cat", "/run/secrets/word", "/run/secrets/plain"});
    EXPECT_EQ(read.out, "secretsecret") << read.err;
  }
  const Outcome down = compose({"down", "-v"});
  EXPECT_EQ(down.code, 0) << down.err;
  EXPECT_EQ(files_of(rig), std::vector<std::string>());
}

TEST_F(UserIds, WithoutGrantedOnesTheImagesUserIsTheCaller) {
  UserRig rig;
  rig.make_owned_image();
  const Outcome ran = rig.compose({"run", "--rm", "--network", "none", "-v", "/data", "example/owned", "sh", "-c",
                                   "id -u; stat -c %u:%g /data; cat /data/file"});
  EXPECT_EQ(ran.out, "0\n0:0\nkept\n") << ran.err;
  EXPECT_TRUE(ran.err.contains("the image's user keeper is you")) << ran.err;
  EXPECT_TRUE(ran.err.contains("/etc/subuid")) << ran.err;
  EXPECT_EQ(files_of(rig), std::vector<std::string>());
}

// At a different moment each time: the next command removes what is there, whoever its owner is.
TEST_F(UserIds, ACreateThatIsKilledAnywhereLeavesNothing) {
  UserRig rig(UserRig::Ids::granted);
  rig.make_owned_image();
  for (int milliseconds = 20; milliseconds < 400; milliseconds += 61) {
    const std::string seconds = (milliseconds < 100 ? "0.0" : "0.") + std::to_string(milliseconds);
    (void)rig.compose({"create", "--name", "one", "--network", "none", "-v", "/data", "example/owned"},
                      {"/usr/bin/timeout", "-s", "KILL", seconds});
    // Whoever goes with it holds its mark until it has gone, and what is held nobody sweeps up.
    EXPECT_EQ(rig.leftovers(), std::vector<std::string>()) << milliseconds;
    const Outcome next = rig.compose({"run", "--rm", "--network", "none", "example/owned", "cat", "/etc/passwd"});
    EXPECT_EQ(next.code, 0) << milliseconds << ": " << next.err;
    (void)rig.compose({"rm", "-f", "-v", "one"});
    EXPECT_EQ(files_of(rig), std::vector<std::string>()) << milliseconds;
  }
}

}  // namespace
}  // namespace skiff::rig
