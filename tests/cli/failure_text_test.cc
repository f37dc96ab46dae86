// What a create that fails says: the field, the call with its arguments, the errno, and what to do. Nothing is left of
// it (runtime.md, "Errors": "the environment MUST be as if the operation had never been attempted").
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

struct Failure {
  const char *name;
  void (*plant)(Rig &rig);
  const char *prefix;           // of the message, after "skiff: "; PATH stands for the test's directory
  const char *part = "";        // somewhere in it
  const char *command = "run";  // create says it where the gate is not what fails
};

Json &process(Rig &rig) { return rig.config["process"]; }

void add_hook(Rig &rig, const char *kind, const std::string &path) { rig.config["hooks"][kind] = {{{"path", path}}}; }

constexpr std::array failures = std::to_array<Failure>({
    {"MissingBindSource", [](Rig &rig) { add_mount(rig, "/work", "bind", rig.path("nowhere"), {"bind"}); },
     "mounts[5] (/work): open_tree(AT_FDCWD, \"PATH/nowhere\", OPEN_TREE_CLONE): no such file or directory; ",
     "a bind needs a source that exists on the host"},
    {"UnknownFilesystem", [](Rig &rig) { add_mount(rig, "/work", "nosuchfs", "none"); },
     "mounts[5] (/work): fsopen(\"nosuchfs\"): no such device"},
    {"BadMountData", [](Rig &rig) { add_mount(rig, "/work", "tmpfs", "tmpfs", {"size=big"}); },
     "mounts[5] (/work): ", "size"},
    {"UnknownMountOption", [](Rig &rig) { add_mount(rig, "/work", "tmpfs", "tmpfs", {"colour=red"}); },
     "mounts[5] (/work): ", "colour"},
    {"DirectoryOverFile", [](Rig &rig) { add_mount(rig, "/etc/passwd", "bind", rig.bundle(), {"bind"}); },
     "mounts[5] (/etc/passwd): the source is a directory, but in the rootfs there is a file: not a directory"},
    {"FileOverDirectory", [](Rig &rig) { add_mount(rig, "/work", "bind", rig.bundle() + "/config.json", {"bind"}); },
     "mounts[5] (/work): the source is a file, but in the rootfs there is a directory: is a directory"},
    {"MissingRootfs", [](Rig &rig) { rig.config["root"]["path"] = "nothing"; },
     "root.path: the rootfs PATH/bundle/nothing: no such file or directory; unpack an image there"},
    {"RootfsIsAFile", [](Rig &rig) { rig.config["root"]["path"] = "config.json"; },
     "root.path: the rootfs PATH/bundle/config.json: not a directory"},
    {"MissingSysctl", [](Rig &rig) { rig.config["linux"]["sysctl"] = {{"net.ipv4.no_such_thing", "1"}}; },
     "linux.sysctl[\"net.ipv4.no_such_thing\"]: ", "no such file or directory; the kernel has no such parameter"},
    {"SysctlValue", [](Rig &rig) { rig.config["linux"]["sysctl"] = {{"net.ipv4.ip_forward", "many"}}; },
     "linux.sysctl[\"net.ipv4.ip_forward\"]: ", "invalid argument; the kernel does not take this value"},
    {"MissingExecutable", [](Rig &rig) { process(rig)["args"] = {"no-such-program"}; },
     "process.args[0] (no-such-program): executable file not found in $PATH; "},
    {"MissingExecutableByPath", [](Rig &rig) { process(rig)["args"] = {"/bin/no-such"}; },
     "process.args[0] (/bin/no-such): fstatat(AT_FDCWD, \"/bin/no-such\"): no such file or directory; "},
    {"DirectoryAsExecutable", [](Rig &rig) { process(rig)["args"] = {"/etc"}; },
     "process.args[0] (/etc): stat(\"/etc\"): is a directory"},
    {"ExecutableWithoutItsBit", [](Rig &rig) { process(rig)["args"] = {"/etc/passwd"}; },
     "process.args[0] (/etc/passwd): faccessat(AT_FDCWD, \"/etc/passwd\", ",
     "): permission denied"},
    {"CwdIsAFile", [](Rig &rig) { process(rig)["cwd"] = "/etc/passwd"; }, "process.cwd: ", "not a directory"},
    {"MissingNamespace", [](Rig &rig) { namespace_entry(rig, "network")["path"] = "/proc/1/ns/nothing"; },
     "linux.namespaces[1] (network): open(\"/proc/1/ns/nothing\", O_RDONLY): no such file or directory"},
    {"NamespaceOfAnotherType", [](Rig &rig) { namespace_entry(rig, "network")["path"] = "/proc/self/ns/uts"; },
     "linux.namespaces[1] (network): /proc/self/ns/uts is no namespace of this type; "},
    {"NamespaceIsAFile", [](Rig &rig) { namespace_entry(rig, "ipc")["path"] = "/etc/passwd"; },
     "linux.namespaces[2] (ipc): /etc/passwd is no namespace of this type; "},
    {"MissingPrestartHook", [](Rig &rig) { add_hook(rig, "prestart", "/no/hook"); },
     "hooks.prestart[0] (/no/hook): error running prestart hook #0: exit status 127: ", "\"/no/hook\""},
    {"FailingCreateRuntimeHook", [](Rig &rig) { add_hook(rig, "createRuntime", "/bin/false"); },
     "hooks.createRuntime[0] (/bin/false): error running createRuntime hook #0: exit status 1"},
    {"MissingCreateContainerHook", [](Rig &rig) { add_hook(rig, "createContainer", "/no/hook"); },
     "hooks.createContainer[0] (/no/hook): error running createContainer hook #0: exit status 127: ", "no such file or directory"},
    {"FailingStartContainerHook", [](Rig &rig) { add_hook(rig, "startContainer", "/bin/false"); },
     "hooks.startContainer[0] (/bin/false): error running startContainer hook #0: exit status 1"},
    {"CpusThatAreNotThere", [](Rig &rig) { rig.config["linux"]["resources"]["cpu"] = {{"cpus", "3000"}}; },
     "linux.resources.cpu.cpus: ", "use CPUs and memory nodes that this host and the parent cgroup have"},
    {"MorePidsThanTheKernelHas", [](Rig &rig) { rig.config["linux"]["resources"]["pids"] = {{"limit", 5000000}}; },
     "linux.resources.pids.limit: ", "invalid argument; "},
    {"DeviceInThePlaceOfAFile",
     [](Rig &rig) {
       rig.config["linux"]["devices"] = {{{"path", "/etc/passwd"}, {"type", "c"}, {"major", 1}, {"minor", 3}}};
     },
     "linux.devices[0] (/etc/passwd): /etc/passwd is there and is not character device 1:3: file exists; "},
    {"AgentThatDoesNotListen",
     [](Rig &rig) {
       rig.config["linux"]["seccomp"] = {{"defaultAction", "SCMP_ACT_ALLOW"},
                                         {"listenerPath", rig.path("agent")},
                                         {"syscalls", {{{"names", {"getsid"}}, {"action", "SCMP_ACT_NOTIFY"}}}}};
     },
     "linux.seccomp.listenerPath: failed to connect with seccomp agent: connect(", "no such file or directory"},
    {"UserThatIsNotMapped",
     [](Rig &rig) {
       add_user_namespace(rig);
       process(rig)["user"] = {{"uid", 70000}, {"gid", 0}};
     },
     "", "70000"},
});

class FailureText : public testing::TestWithParam<Failure> {};

TEST_P(FailureText, NamesTheFieldTheCallAndTheErrno) {
  REQUIRE_ROOT();
  Rig rig;
  rig.script("true");
  GetParam().plant(rig);
  const Outcome outcome = rig.skiff({GetParam().command, rig.id()});
  std::string text = outcome.err;
  for (std::size_t at = 0; (at = text.find(rig.path(""), at)) != std::string::npos;) {
    text.replace(at, rig.path("").size(), "PATH/");
  }
  EXPECT_EQ(outcome.code, 1) << text;
  const std::string prefix = std::string("skiff: ") + GetParam().prefix;
  EXPECT_EQ(text.substr(0, prefix.size()), prefix) << text;
  EXPECT_NE(text.find(GetParam().part), std::string::npos) << text;
  EXPECT_EQ(lines_of(text).size(), 1U) << text;
  EXPECT_CLEAN(rig);
}

INSTANTIATE_TEST_SUITE_P(Of, FailureText, testing::ValuesIn(failures),
                         [](const auto &failure) { return std::string(failure.param.name); });

TEST(FailureTextOf, ARlimitAboveTheRuntimesOwnNamesTheCapabilityThatItNeeds) {
  REQUIRE_ROOT();
  if ((std::stoull(read_file("/proc/self/status").substr(read_file("/proc/self/status").find("CapEff:") + 8), nullptr,
                   16) >>
           24 &
       1) != 0) {
    GTEST_SKIP() << "the runtime has CAP_SYS_RESOURCE here";
  }
  rlimit own{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &own), 0);
  if (own.rlim_max == RLIM_INFINITY) GTEST_SKIP() << "RLIMIT_NOFILE is unlimited";
  Rig rig;
  rig.config["process"]["rlimits"] = {{{"type", "RLIMIT_NOFILE"}, {"soft", 1}, {"hard", own.rlim_max + 1}}};
  const Outcome outcome = rig.skiff({"create", rig.id()});
  EXPECT_EQ(outcome.code, 1);
  const std::string prefix = "skiff: process.rlimits[0] (RLIMIT_NOFILE): prlimit";
  EXPECT_EQ(outcome.err.substr(0, prefix.size()), prefix) << outcome.err;
  EXPECT_NE(outcome.err.find("operation not permitted; the hard limit is above the runtime's own"), std::string::npos)
      << outcome.err;
  EXPECT_CLEAN(rig);
}

TEST(FailureTextOf, ALogIsTheSameAsOnStderr) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["root"]["path"] = "nothing";
  const Outcome outcome = rig.skiff({"--log", rig.path("log"), "--log-format", "json", "create", rig.id()});
  const Json line = Json::parse(read_file(rig.path("log")), nullptr, false);
  ASSERT_FALSE(line.is_discarded());
  EXPECT_EQ(line["level"], "error");
  EXPECT_EQ("skiff: " + line["msg"].get<std::string>() + "\n", outcome.err);
}

}  // namespace
}  // namespace skiff::rig
