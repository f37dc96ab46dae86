// skiff-image minimal: the programs of the host in images that hold what they need and nothing else.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/image/image_rig.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

const std::string name = "docker.io/library/m:latest";

class ImageMinimal : public testing::Test {
 protected:
  // The tree of the image, run by chroot(8): what the programs need is in it, or they do not start.
  std::string make(std::vector<std::string> words) {
    words.insert(words.begin(), {"minimal", "-t", "m"});
    const Outcome made = rig_.image(words);
    EXPECT_EQ(made.code, 0) << made.err;
    return made.code == 0 ? rig_.unpack(name) : "";
  }
  ImageRig rig_;
};

TEST_F(ImageMinimal, AProgramRunsWithNothingButItsImage) {
  REQUIRE_ROOT();
  const std::string root = make({"tar", "grep", "/bin/bash"});
  for (const std::string program : {"/bin/tar", "/bin/grep", "/bin/bash"}) {
    const std::string there = fs::exists(root + program) ? program : "/usr" + program;
    const Outcome run = run_program({"/usr/sbin/chroot", root, there, "--version"});
    EXPECT_EQ(run.code, 0) << program << ": " << run.err;
  }
  EXPECT_EQ(rig_.config(name).at("config").at("Entrypoint").size(), 1U);
  EXPECT_EQ(read_file(root + "/etc/passwd").substr(0, 5), "root:");
}

TEST_F(ImageMinimal, AScriptBringsItsInterpreter) {
  REQUIRE_ROOT();
  write_file(rig_.path("script"), "#!/usr/bin/env -S bash\necho ran\n");
  ASSERT_EQ(::chmod(rig_.path("script").c_str(), 0755), 0);
  const std::string root = make({rig_.path("script") + ":/app/run"});
  const Outcome run = run_program({"/usr/sbin/chroot", root, "/app/run"});
  EXPECT_EQ(run.out, "ran\n") << run.err;
}

TEST_F(ImageMinimal, TheReportSaysWhereEachFileCameFromAndWhy) {
  const Outcome report = rig_.image({"minimal", "--dry-run", "--report", "json", "/bin/bash"});
  ASSERT_EQ(report.code, 0) << report.err;
  const Json all = Json::parse(report.out);
  std::uint64_t size = 0;
  bool libc = false;
  for (const Json &file : all.at("files")) {
    size += file.at("size").get<std::uint64_t>();
    libc = libc || (file.at("path").get<std::string>().find("libc.so.6") != std::string::npos &&
                    file.at("why").get<std::string>().starts_with("libc.so.6 of "));
  }
  EXPECT_TRUE(libc);
  EXPECT_EQ(size, all.at("size").get<std::uint64_t>());
  EXPECT_FALSE(fs::exists(rig_.store() + "/index.json"));
}

TEST_F(ImageMinimal, TheSameProgramsGiveTheSameImage) {
  const std::vector<std::string> words = {"minimal", "-t", "m", "/bin/bash"};
  const std::vector<std::string> epoch = {"SOURCE_DATE_EPOCH=1700000000"};
  EXPECT_EQ(rig_.image(words, epoch).out, rig_.image(words, epoch).out);
}

TEST_F(ImageMinimal, WhatIsNotThereIsNamed) {
  const Outcome outcome = rig_.image({"minimal", "-t", "m", "no-such-program"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("no-such-program"), std::string::npos);
}

}  // namespace
}  // namespace skiff::rig
