// A configuration with many mistakes is answered with all of them at once, each with its field: runtime.md, "Create",
// "If the runtime cannot apply a property ... it MUST generate an error".
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

struct Mistake {
  const char *pointer;  // where the finding must be
  const char *patch;    // the pointer that is set, where it is another
  const char *value;
};

constexpr std::array mistakes = std::to_array<Mistake>({
    {"/ociVersion", "", R"("one")"},
    {"/process/cwd", "", R"("relative")"},
    {"/process/user/umask", "", R"(1000)"},
    {"/process/capabilities/bounding", "", R"("CAP_KILL")"},
    {"/process/rlimits/0/type", "/process/rlimits", R"([{"type": "RLIMIT_FILES", "soft": 1, "hard": 1}])"},
    {"/process/oomScoreAdj", "", R"(5000)"},
    {"/process/scheduler/policy", "/process/scheduler", R"({"policy": "SCHED_FAST"})"},
    {"/process/ioPriority/class", "/process/ioPriority", R"({"class": "IOPRIO_CLASS_NONE_SUCH", "priority": 1})"},
    {"/process/noNewPrivileges", "", R"("yes")"},
    {"/root/path", "", R"("")"},
    {"/mounts/0/destination", "", R"(7)"},
    {"/mounts/1/options", "", R"("ro")"},
    {"/hooks/prestart/0/path", "/hooks",
     R"({"prestart": [{"path": "true"}], "poststop": [{"path": "/bin/true", "timeout": -1}]})"},
    {"/hooks/poststop/0/timeout", nullptr, nullptr},
    {"/annotations/", "/annotations", R"({"": "x"})"},
    {"/linux/namespaces/0/path", "", R"("proc/1/ns/pid")"},
    {"/linux/uidMappings", "", R"([{"containerID": 0, "hostID": 1, "size": 1}])"},
    {"/linux/timeOffsets", "", R"({"monotonic": {"secs": 1}})"},
    {"/linux/cgroupsPath", "", R"("/a/../../b")"},
    {"/linux/rootfsPropagation", "", R"("everywhere")"},
    {"/linux/maskedPaths/0", "", R"("proc/acpi")"},
    {"/linux/readonlyPaths/1", "", R"("proc/fs")"},
    {"/linux/personality/domain", "/linux/personality", R"({"domain": "BSD"})"},
    {"/linux/devices/0/type", "/linux/devices", R"([{"path": "/dev/x", "type": "z"}, {"path": "x", "type": "p"}])"},
    {"/linux/devices/1/path", nullptr, nullptr},
    {"/linux/sysctl/kernel.panic", "/linux/sysctl", R"({"kernel.panic": "1"})"},
    {"/linux/resources/devices/0/access", "", R"("x")"},
    {"/linux/resources/cpu/cpus", "/linux/resources/cpu", R"({"cpus": "first", "shares": -3})"},
    {"/linux/resources/cpu/shares", nullptr, nullptr},
    {"/linux/resources/memory/limit", "/linux/resources/memory", R"({"limit": "64M"})"},
    {"/linux/seccomp/defaultAction", "/linux/seccomp",
     R"({"defaultAction": "SCMP_ACT_MAYBE", "architectures": ["Z80"]})"},
    {"/linux/seccomp/architectures/0", nullptr, nullptr},
    {"/linux/memoryPolicy/mode", "/linux/memoryPolicy", R"({"mode": "MPOL_NEAR"})"},
    {"/linux/intelRdt/closID", "/linux/intelRdt", R"({"closID": "a/b"})"},
    {"/linux/netDevices/eth 0", "/linux/netDevices", R"({"eth 0": {}})"},
});

class Findings : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    for (const Mistake &mistake : mistakes) {
      if (mistake.patch == nullptr) continue;  // planted with another
      const std::string place = *mistake.patch == '\0' ? mistake.pointer : mistake.patch;
      rig.config[Json::json_pointer(place)] = Json::parse(mistake.value);
    }
  }
  // The findings that one document is answered with, one a line; each begins with its pointer.
  static void expect_all(const std::string &text) {
    const std::vector<std::string> lines = lines_of(text);
    for (const Mistake &mistake : mistakes) {
      bool found = false;
      for (const std::string &line : lines) {
        const std::size_t start = line.find_first_not_of(' ');
        if (start != std::string::npos && line.substr(start).starts_with(std::string(mistake.pointer) + ":"))
          found = true;
      }
      EXPECT_TRUE(found) << mistake.pointer;
    }
  }
  Rig rig;
};

TEST_F(Findings, CreateNamesTheFieldOfEveryMistakeAndMakesNothing) {
  const Outcome outcome = rig.skiff({"create", rig.id()});
  EXPECT_EQ(outcome.code, 1);
  expect_all(outcome.err);
  EXPECT_NE(outcome.err.find("skiff: config.json: " + std::to_string(mistakes.size()) + " findings"), std::string::npos)
      << outcome.err;
  EXPECT_CLEAN(rig);
}

TEST_F(Findings, CheckNamesTheFieldOfEveryMistake) {
  const Outcome outcome = rig.skiff({"check", "."});
  EXPECT_EQ(outcome.code, 1);
  expect_all(outcome.out);
}

// Whether a mapping, an offset or a sysctl has its namespace cannot be said of a list that could not be read.
TEST_F(Findings, OfANamespaceThatIsNotKnownIsOne) {
  Rig other;
  other.config["linux"]["namespaces"][0]["type"] = "process";
  const Outcome outcome = other.skiff({"create", other.id()});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(outcome.err.starts_with("skiff: config.json: /linux/namespaces/0/type: unknown value \"process\""))
      << outcome.err;
}

TEST_F(Findings, ADocumentThatIsNotJsonHasOneWithItsLineAndColumn) {
  write_file(rig.bundle() + "/config.json", "{\n  \"ociVersion\": \"1.3.0\",\n  oops\n}\n");
  const Outcome outcome = run_program({program(), "--root", rig.root(), "create", "--bundle", rig.bundle(), rig.id()});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("line 3"), std::string::npos) << outcome.err;
  EXPECT_CLEAN(rig);
}

}  // namespace
}  // namespace skiff::rig
