// linux.rootfsPropagation in all its forms, looked at from inside and from outside: config-linux.md, "Rootfs Mount
// Propagation". Each test has a mount namespace of its own whose mounts are shared, as systemd has them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/background.h"
#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

// `script` with "$@" for the program's command line up to its own words.
Outcome run_among_shared_mounts(const Rig &rig, const std::string &script) {
  std::vector<std::string> words = {
      "/usr/bin/unshare", "--mount", "/bin/sh", "-euc", "mount --make-rshared /\n" + script, "test"};
  for (const std::string &word : command_line(rig, {})) words.push_back(word);
  return run_program(words);
}

struct Form {
  const char *name;
  const char *field;         // among the optional ones of mountinfo; empty: none
  bool below;                // whether the mounts below the root have it too
  const char *from_outside;  // what the container sees of a mount that comes later
};

class PropagationForm : public testing::TestWithParam<Form> {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    rig.config["linux"]["rootfsPropagation"] = GetParam().name;
    rig.config["linux"]["maskedPaths"] = Json::array();
    rig.config["linux"]["readonlyPaths"] = Json::array();
  }
  void TearDown() override { EXPECT_CLEAN(rig); }
  Rig rig;
};

// The optional fields of a line of mountinfo without their numbers.
std::string fields_of(const std::string &mountinfo, const std::string &mount_point) {
  for (const std::string &line : lines_of(mountinfo)) {
    if (line.find(" " + mount_point + " ") == std::string::npos) continue;
    std::string out;
    const std::size_t end = line.find(" - ");
    for (const char *field : {"shared:", "master:", "unbindable"}) {
      const std::size_t at = line.find(std::string(" ") + field);
      if (at < end) out += std::string(field).substr(0, std::string(field).find(':'));
    }
    return out;
  }
  return "no such mount";
}

TEST_P(PropagationForm, IsSeenInMountinfo) {
  rig.script("cat /proc/self/mountinfo");
  const Outcome outcome = run_among_shared_mounts(rig, "exec \"$@\" run c");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(fields_of(outcome.out, "/"), GetParam().field) << outcome.out;
  const std::string proc = fields_of(outcome.out, "/proc");
  if (std::string(GetParam().field) != "master") {  // a mount of the container's own has no master
    EXPECT_EQ(proc, GetParam().below ? GetParam().field : "") << outcome.out;
  }
}

TEST_P(PropagationForm, DecidesWhetherLaterMountsOfTheHostReachTheContainer) {
  std::filesystem::create_directory(rig.rootfs() + "/later");
  rig.script("sleep 1000");
  const Outcome outcome = run_among_shared_mounts(rig,
                                                  "\"$@\" run -d c </dev/null >/dev/null\n"
                                                  "mount -t tmpfs none " +
                                                      rig.rootfs() + "/later\n: > " + rig.rootfs() +
                                                      "/later/reached\n\"$@\" exec c ls /later\n"
                                                      "\"$@\" delete --force c\numount " +
                                                      rig.rootfs() + "/later");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, GetParam().from_outside);
}

INSTANTIATE_TEST_SUITE_P(Form, PropagationForm,
                         testing::Values(Form{"shared", "shared", false, ""}, Form{"rshared", "shared", true, ""},
                                         Form{"slave", "master", false, "reached\n"},
                                         Form{"rslave", "master", true, "reached\n"}, Form{"private", "", false, ""},
                                         Form{"rprivate", "", true, ""}, Form{"unbindable", "unbindable", false, ""},
                                         Form{"runbindable", "unbindable", true, ""}),
                         [](const auto &tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace skiff::rig
