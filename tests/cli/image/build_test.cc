// skiff-image build: what is in the image, what is taken from the cache, what a failure says and leaves.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/image/image_rig.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

const std::string name = "docker.io/library/t:latest";
constexpr const char *base =
    "FROM scratch AS base\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\n";

class ImageBuild : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    rig_.put("busybox", "");
    fs::copy_file("/bin/busybox", rig_.path("context/busybox"), fs::copy_options::overwrite_existing);
  }
  void TearDown() override { EXPECT_EQ(rig_.leftovers(), std::vector<std::string>()); }
  // Of a build that has to succeed.
  Outcome build(const std::string &dockerfile, std::vector<std::string> flags = {},
                const std::vector<std::string> &environment = {}) {
    flags.insert(flags.end(), {"-t", "t"});
    Outcome outcome = rig_.build(dockerfile, flags, environment);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome;
  }
  std::string error_of(const std::string &dockerfile) {
    const Outcome outcome = rig_.build(dockerfile, {"-t", "failed"});
    EXPECT_NE(outcome.code, 0);
    EXPECT_EQ(rig_.image({"inspect", "failed"}).code, 2);
    return outcome.err;
  }
  static int cached(const Outcome &outcome) {
    int count = 0;
    for (std::size_t at = outcome.err.find("cached\n"); at != std::string::npos;
         at = outcome.err.find("cached\n", at + 1)) {
      ++count;
    }
    return count;
  }
  ImageRig rig_;
};

TEST_F(ImageBuild, StagesCommandsAndFiles) {
  rig_.put("sub/a", "of the context");
  rig_.put("sub/left.log", "ignored");
  rig_.put(".dockerignore", "**/*.log\n");
  build(
      std::string(base) +
          "ENV A=1\nWORKDIR /work\nRUN echo $A > made && id -u > who && rm /bin/wget\n"
          "FROM base AS unneeded\nRUN exit 9\n"
          "FROM base\nARG WHO=nobody\nCOPY --chown=5:6 --chmod=640 sub /data/\nCOPY --from=base /work/ma* /from/\n"
          "COPY <<EOF /doc\n$WHO\nEOF\nRUN <<EOF\nset -e\necho $WHO > /script\nEOF\nUSER 7:8\nLABEL l=m\nCMD [\"x\"]\n",
      {"--build-arg", "WHO=me"});
  const std::string root = rig_.unpack(name);
  EXPECT_EQ(read_file(root + "/data/a"), "of the context");
  EXPECT_FALSE(fs::exists(root + "/data/left.log"));
  struct stat status{};
  ASSERT_EQ(::lstat((root + "/data/a").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 5U);
  EXPECT_EQ(status.st_gid, 6U);
  EXPECT_EQ(status.st_mode & 07777U, 0640U);
  EXPECT_EQ(read_file(root + "/doc"), "me\n");
  EXPECT_EQ(read_file(root + "/script"), "me\n");
  EXPECT_EQ(read_file(root + "/from/made"), "1\n");
  EXPECT_FALSE(fs::exists(root + "/data/left.log"));
}

TEST_F(ImageBuild, WhatARunRemovesIsAWhiteout) {
  build(std::string(base) + "RUN rm /bin/wget && echo x > /new\n");
  const std::string root = rig_.unpack(name);
  EXPECT_TRUE(fs::exists(root + "/bin/.wh.wget"));
  EXPECT_EQ(read_file(root + "/new"), "x\n");
  // What the container's mounts needed is no part of the image.
  for (const char *path : {"/proc", "/sys", "/dev", "/etc"}) EXPECT_FALSE(fs::exists(root + path)) << path;
}

TEST_F(ImageBuild, WhatDependsOnTheSameIsTakenFromTheCache) {
  rig_.put("file", "one");
  const std::string text = std::string(base) + "ARG V=1\nCOPY file /file\nRUN echo $V > /v\n";
  EXPECT_EQ(cached(build(text)), 0);
  EXPECT_EQ(cached(build(text)), 4);
  // A time does not count, a content does, and a variable for what it is used by.
  fs::last_write_time(rig_.path("context/file"), fs::file_time_type());
  EXPECT_EQ(cached(build(text)), 4);
  EXPECT_EQ(cached(build(text, {"--build-arg", "V=2"})), 3);
  rig_.put("file", "two");
  EXPECT_EQ(cached(build(text)), 2);
  EXPECT_EQ(read_file(rig_.unpack(name) + "/file"), "two");
  EXPECT_EQ(cached(build(text, {"--no-cache"})), 0);
}

// CVE-2024-9675, CVE-2024-1753: a source leads nowhere but to where it is looked for.
TEST_F(ImageBuild, NoLinkLeadsOutOfTheContextOrOfAStage) {
  write_file(rig_.path("secret"), "of the host");
  fs::create_symlink(rig_.path("secret"), rig_.path("context/absolute"));
  fs::create_symlink("../../../../../../../../" + rig_.path("secret"), rig_.path("context/relative"));
  fs::create_directory_symlink("..", rig_.path("context/up"));
  for (const std::string source : {"absolute", "relative", "up/secret", "../secret"}) {
    const std::string error = error_of("FROM scratch\nCOPY " + source + " /x\n");
    EXPECT_NE(error.find("Dockerfile:2: COPY: "), std::string::npos) << error;
    EXPECT_NE(error.find("not in the context"), std::string::npos) << error;
  }
  const std::string stage =
      std::string(base) + "RUN ln -s " + rig_.path("secret") + " /link && ln -s / /root\nFROM scratch\n";
  EXPECT_NE(error_of(stage + "COPY --from=base /link /x\n").find("not in stage base"), std::string::npos);
  EXPECT_NE(error_of(stage + "COPY --from=base /root" + rig_.path("secret") + " /x\n").find("not in stage base"),
            std::string::npos);
}

// And what is written stays in the image, whatever an earlier layer has put in its way.
TEST_F(ImageBuild, ADestinationThroughALinkStaysInTheImage) {
  rig_.put("file", "content");
  fs::create_directory(rig_.path("outside"));
  build(std::string(base) + "RUN ln -s " + rig_.path("outside") + " /out && mkdir /real && ln -s /real /alias\n" +
        "COPY file /out/\nCOPY file /alias/\nRUN cat /real/file > /seen\n");
  EXPECT_TRUE(fs::is_empty(rig_.path("outside")));
  EXPECT_EQ(read_file(rig_.unpack(name) + "/seen"), "content");
}

TEST_F(ImageBuild, AFailureNamesLineInstructionAndExitStatusAndLeavesTheStore) {
  EXPECT_NE(error_of(std::string(base) + "\nRUN true \\\n && exit 3\n").find("Dockerfile:5: RUN: exit status 3"),
            std::string::npos);
  EXPECT_NE(error_of("FROM scratch\nRUNN x").find("Dockerfile:2: \"RUNN\": no such instruction; did you mean RUN?"),
            std::string::npos);
  EXPECT_NE(error_of("FROM scratch\nADD https://example.org/x /x").find("nothing is fetched"), std::string::npos);
  EXPECT_NE(error_of("FROM scratch\nCOPY missing /x").find("Dockerfile:2: COPY: \"missing\": not in the context"),
            std::string::npos);
  EXPECT_EQ(rig_.image({"images", "-q"}).out, "");
}

TEST_F(ImageBuild, AddUnpacksAnArchiveAndCopyDoesNot) {
  fs::create_directories(rig_.path("tree/dir"));
  write_file(rig_.path("tree/dir/file"), "in the archive");
  for (const std::string kind : {"z", "J", "j"}) {
    const Outcome tar =
        run_program({"/bin/tar", "-c" + kind, "-f", rig_.path("context/a.tar"), "-C", rig_.path("tree"), "dir"});
    ASSERT_EQ(tar.code, 0) << tar.err;
    build("FROM scratch\nADD a.tar /added/\nCOPY a.tar /copied\n");
    const std::string root = rig_.unpack(name);
    EXPECT_EQ(read_file(root + "/added/dir/file"), "in the archive") << kind;
    EXPECT_TRUE(fs::is_regular_file(root + "/copied"));
  }
}

// reproducible-builds.org, SOURCE_DATE_EPOCH
TEST_F(ImageBuild, TheSameFilesGiveTheSameImageByteForByte) {
  const std::string text = std::string(base) + "RUN echo x > /x && mkdir /d\nCOPY <<E /h\nh\nE\nWORKDIR /w/v\n";
  const std::vector<std::string> epoch = {"SOURCE_DATE_EPOCH=1700000000"};
  const std::string first = build(text, {}, epoch).out;
  const std::string second = build(text, {"--no-cache"}, epoch).out;
  EXPECT_EQ(first, second);
  EXPECT_EQ(rig_.config(name).at("created"), "2023-11-14T22:13:20Z");
}

TEST_F(ImageBuild, TheConfigurationSaysWhatTheDockerfileSays) {
  build(
      "FROM scratch\nENV A=1 B=$A\nUSER 7:8\nWORKDIR /w\nEXPOSE 80\nLABEL l=m\nENTRYPOINT [\"/e\"]\nCMD [\"c\"]\n"
      "STOPSIGNAL SIGQUIT\nVOLUME /v\n",
      {"--label", "more=x"});
  const Json config = rig_.config(name).at("config");
  EXPECT_EQ(config.at("Env"), Json({"A=1", "B="}));
  EXPECT_EQ(config.at("User"), "7:8");
  EXPECT_EQ(config.at("WorkingDir"), "/w");
  EXPECT_EQ(config.at("Entrypoint"), Json({"/e"}));
  EXPECT_EQ(config.at("Cmd"), Json({"c"}));
  EXPECT_EQ(config.at("StopSignal"), "SIGQUIT");
  EXPECT_EQ(config.at("Labels"), Json({{"l", "m"}, {"more", "x"}}));
  EXPECT_TRUE(config.at("Volumes").contains("/v"));
  EXPECT_TRUE(config.at("ExposedPorts").contains("80/tcp"));
  const Json whole = rig_.config(name);
  EXPECT_EQ(whole.at("history").size(), 9U);
  EXPECT_FALSE(whole.contains("variant"));
}

// Another tool reads it.
TEST_F(ImageBuild, SkopeoInspectsIt) {
  if (::access("/usr/bin/skopeo", X_OK) != 0) GTEST_SKIP() << "skopeo is not installed";
  build("FROM scratch\nCOPY busybox /busybox\nLABEL l=m\n");
  const Outcome skopeo = run_program({"/usr/bin/skopeo", "inspect", "oci:" + rig_.store() + ":" + name});
  ASSERT_EQ(skopeo.code, 0) << skopeo.err;
  EXPECT_EQ(Json::parse(skopeo.out).at("Labels").at("l"), "m");
}

}  // namespace
}  // namespace skiff::rig
