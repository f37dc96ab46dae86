// build, push, pull and --rmi: the images of a project, by way of a registry.
#include <filesystem>

#include "tests/cli/compose/project_program.h"
#include "tests/imgtool/debian_registry.h"

namespace skiff::rig {
namespace {

using image::testing::DebianRegistry;

class ImageProgram : public ProjectProgram {
 protected:
  // Service "a", built with a file /note of this text, under that name.
  static std::string write_built(EngineRig &rig, const std::string &image, const std::string &note) {
    std::filesystem::create_directories(rig.path("context"));
    write_file(rig.path("context/note"), note + "\n");
    return write_project(rig, "  a:\n    image: " + image +
                                  "\n    network_mode: none\n    build:\n      context: ./context\n"
                                  "      dockerfile_inline: |\n        FROM example/busybox\n        ARG WORD=none\n"
                                  "        ENV WORD=$$WORD\n        COPY note /note\n");
  }
  static std::string images_of(EngineRig &rig) {
    return run_program({SKIFF_IMAGE_PROGRAM, "--store", rig.path("store"), "images"}).out;
  }
};

TEST_F(ImageProgram, BuildTakesArgumentsAndMakesOnlyWhatIsNamed) {
  EngineRig rig;
  make_image(rig);
  std::string file = write_built(rig, "example/built", "text");
  write_file(file, read_file(file) + "  b: {build: ./nonesuch, network_mode: none}\n");
  const Outcome built = project(rig, file, {"build", "--build-arg", "WORD=said", "-q", "a"});
  ASSERT_EQ(built.code, 0) << built.err;
  EXPECT_EQ(project(rig, file, {"run", "--rm", "a", "sh", "-c", "busybox cat /note; busybox echo $WORD"}).out,
            "text\nsaid\n");
  const Outcome all = project(rig, file, {"build"});
  EXPECT_EQ(all.code, 1);
  EXPECT_NE(all.err.find("service b"), std::string::npos) << all.err;
}

TEST_F(ImageProgram, WhatIsPushedIsPulledByThePolicyThatIsSaid) {
  if (!DebianRegistry::is_installed()) GTEST_SKIP() << "docker-registry is not installed";
  EngineRig rig;
  const DebianRegistry registry;
  make_image(rig);
  const std::string name = registry.host() + "/team/app:1";
  const std::string file = write_built(rig, name, "first");
  ASSERT_EQ(project(rig, file, {"build"}).code, 0);
  const Outcome pushed = project(rig, file, {"push"});
  ASSERT_EQ(pushed.code, 0) << pushed.err;
  const auto note = [&](const std::string &policy) {
    return rig.compose(
        {"--no-project", "run", "--rm", "--network", "none", "--quiet", "--pull", policy, name, "cat", "/note"});
  };
  ASSERT_EQ(run_program({SKIFF_IMAGE_PROGRAM, "--store", rig.path("store"), "rm", name}).code, 0);
  const Outcome never = note("never");
  EXPECT_EQ(never.code, 125);
  EXPECT_NE(never.err.find(name), std::string::npos) << never.err;
  const Outcome missing = note("missing");
  EXPECT_EQ(missing.out, "first\n");
  EXPECT_EQ(missing.err, "");
  // Somebody else pushes another one of that name.
  write_built(rig, name, "second");
  const Outcome again = run_program({SKIFF_COMPOSE_PROGRAM, "--state", rig.state(), "--store", rig.path("store"),
                                     "--progress", "plain", "-f", file, "-p", "p", "build", "--push"});
  ASSERT_EQ(again.code, 0) << again.err;
  ASSERT_EQ(run_program({SKIFF_IMAGE_PROGRAM, "--store", rig.path("store"), "rm", name}).code, 0);
  EXPECT_EQ(note("missing").out, "second\n");
  write_built(rig, name, "third");
  ASSERT_EQ(run_program({"/bin/cp", "-a", rig.path("store"), rig.path("other")}).code, 0);
  ASSERT_EQ(run_program({SKIFF_COMPOSE_PROGRAM, "--state", rig.path("other-state"), "--store", rig.path("other"), "-f",
                         file, "-p", "p", "build", "--push", "-q"})
                .code,
            0);
  EXPECT_EQ(note("never").out, "second\n");
  EXPECT_EQ(note("missing").out, "second\n");
  EXPECT_EQ(note("newer").out, "third\n");
  write_built(rig, name, "fourth");
  ASSERT_EQ(run_program({SKIFF_COMPOSE_PROGRAM, "--state", rig.path("other-state"), "--store", rig.path("other"), "-f",
                         file, "-p", "p", "build", "--push", "-q"})
                .code,
            0);
  EXPECT_EQ(note("always").out, "fourth\n");
  ASSERT_EQ(project(rig, file, {"pull"}).code, 0);
}

// What runs there is this machine's program all the same: its image says otherwise.
TEST_F(ImageProgram, AnImageOfAnotherPlatformThanTheOneAskedForIsRefused) {
  EngineRig rig;
  make_image(rig);
  const std::string tree = rig.path("foreign");
  std::filesystem::create_directories(tree + "/bin");
  std::filesystem::copy_file("/bin/busybox", tree + "/bin/busybox");
  const std::string other = "linux/riscv64";
  const Outcome made = run_program({SKIFF_IMAGE_PROGRAM, "--progress", "none", "--store", rig.path("store"), "import",
                                    "--platform", other, "file:" + tree, "example/foreign"});
  ASSERT_EQ(made.code, 0) << made.err;
  const auto run = [&](const std::string &platform) {
    return rig.compose({"run", "--rm", "--network", "none", "--pull", "never", "--platform", platform,
                        "example/foreign", "/bin/busybox", "echo", "runs"});
  };
  EXPECT_EQ(run(other).out, "runs\n");
  const Outcome refused = run("linux/s390x");
  EXPECT_EQ(refused.code, 125);
  EXPECT_NE(refused.err.find("example/foreign is of " + other + ", not of linux/s390x"), std::string::npos)
      << refused.err;
  EXPECT_EQ(rig.compose({"ps", "-aq"}).out, "");
}

TEST_F(ImageProgram, NewerTakesWhatIsHereWhereNobodyAnswers) {
  EngineRig rig;
  make_image(rig);
  const std::string name = "127.0.0.1:9/team/app:1";
  ASSERT_EQ(
      run_program({SKIFF_IMAGE_PROGRAM, "--store", rig.path("store"), "-q", "minimal", "-t", name, "/bin/busybox"})
          .code,
      0);
  const auto with = [&](const char *policy) {
    return rig.compose({"--no-project", "run", "--rm", "--network", "none", "--pull", policy, name, "true"}).code;
  };
  EXPECT_EQ(with("newer"), 0);
  EXPECT_EQ(with("always"), 125);
}

TEST_F(ImageProgram, RmiRemovesWhatOnlyABuildMadeOrAll) {
  EngineRig rig;
  make_image(rig);
  std::string file = write_built(rig, "example/built", "text");
  write_file(file,
             read_file(file) +
                 "  own: {build: {context: ./context, dockerfile_inline: FROM example/busybox}, network_mode: none}\n"
                 "  named: {<<: *s, network_mode: none, command: ['true']}\n");
  ASSERT_EQ(project(rig, file, {"build"}).code, 0);
  ASSERT_EQ(project(rig, file, {"up", "-d", "named"}).code, 0);
  EXPECT_EQ(project(rig, file, {"down", "--rmi", "local"}).code, 0);
  std::string left = images_of(rig);
  EXPECT_EQ(left.find("p-own"), std::string::npos) << left;
  EXPECT_NE(left.find("example/built"), std::string::npos) << left;
  EXPECT_NE(left.find("example/busybox"), std::string::npos) << left;
  EXPECT_EQ(project(rig, file, {"down", "--rmi", "all"}).code, 0);
  left = images_of(rig);
  EXPECT_EQ(left.find("example/"), std::string::npos) << left;
}

}  // namespace
}  // namespace skiff::rig
