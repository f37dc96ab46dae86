#include "runtime/host_check.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/host_probe.h"
#include "runtime/kernel/capability.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/proc.h"
#include "runtime/kernel/process.h"
#include "runtime/kernel/socket.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff {
namespace {

std::string listing(const std::vector<spec::Finding> &findings) {
  std::string out;
  for (const spec::Finding &finding : findings) out += "  " + finding.message() + "\n";
  return out;
}

bool mentions(const std::vector<std::string> &notes, std::string_view words) {
  return std::ranges::any_of(notes, [&](const std::string &note) { return note.find(words) != std::string::npos; });
}

spec::Mount make_mount(std::string destination, std::string type, std::string source,
                       std::vector<std::string> options = {}) {
  spec::Mount mount;
  mount.destination = std::move(destination);
  mount.type = std::move(type);
  mount.source = std::move(source);
  mount.options = std::move(options);
  return mount;
}

// A bundle of a user's own: a rootfs with /bin/sh in it, and the configuration that `skiff spec` writes.
class HostCheck : public testing::Test {
 protected:
  void SetUp() override {
    const Result<Host> host = read_host();
    ASSERT_TRUE(host) << host.error().message();
    host_ = *host;
    for (const char *directory : {"bin", "usr", "usr/bin", "etc", "proc", "sys", "dev"}) make_directory(directory);
    make_file("bin/busybox", 0755);
    ASSERT_EQ(::symlink("busybox", (rootfs() + "/bin/sh").c_str()), 0);
    config_.process->terminal = false;
    config_.process->rlimits.clear();
  }

  [[nodiscard]] std::string bundle() const { return directory_.path(); }
  [[nodiscard]] std::string rootfs() const { return bundle() + "/rootfs"; }

  void make_directory(const std::string &path) {
    ::mkdir(rootfs().c_str(), 0755);
    ASSERT_EQ(::mkdir((rootfs() + "/" + path).c_str(), 0755), 0) << path;
  }
  // Below the bundle where the path begins with "../".
  void make_file(const std::string &path, mode_t mode, std::string_view text = "a program\n") {
    const auto file = kernel::open(rootfs() + "/" + path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    ASSERT_TRUE(file) << file.error().message();
    ASSERT_TRUE(kernel::write_all(*file, text));
  }

  // A user namespace that maps container ids 0 to 9 to the host's ids from 100000.
  void add_user_namespace() {
    config_.linux_.namespaces.push_back({.type = spec::NamespaceType::user, .path = {}});
    config_.linux_.uid_mappings = {{.container_id = 0, .host_id = 100000, .size = 10}};
    config_.linux_.gid_mappings = {{.container_id = 0, .host_id = 100000, .size = 10}};
  }
  spec::Namespace &namespace_of(spec::NamespaceType type) {
    return *std::ranges::find(config_.linux_.namespaces, type, &spec::Namespace::type);
  }
  [[nodiscard]] std::size_t index_of(spec::NamespaceType type) const {
    return static_cast<std::size_t>(config_.linux_.find(type) - config_.linux_.namespaces.data());
  }

  // The whole command: the document as JSON, through the parser.
  [[nodiscard]] BundleReport report() const {
    const std::string json = spec::print_config(config_, true);
    const auto file = kernel::open(bundle() + "/config.json", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (!file || !kernel::write_all(*file, json)) return {.findings = {}, .notes = {"the test wrote no config.json"}};
    Result<BundleReport> found = check_bundle(bundle(), host_);
    if (!found) return {.findings = {}, .notes = {found.error().message()}};
    return *std::move(found);
  }

  // One finding: there, with those words in its text.
  void expect_only(std::string_view pointer, std::string_view words) const {
    const std::vector<spec::Finding> findings = report().findings;
    ASSERT_EQ(findings.size(), 1U) << listing(findings);
    EXPECT_EQ(findings.front().pointer, pointer) << listing(findings);
    EXPECT_NE(findings.front().text.find(words), std::string::npos) << listing(findings);
    EXPECT_FALSE(findings.front().remedy.empty()) << listing(findings);
  }
  void expect_nothing() const {
    const std::vector<spec::Finding> findings = report().findings;
    EXPECT_TRUE(findings.empty()) << listing(findings);
  }

  TemporaryDirectory directory_;
  Host host_;
  spec::Config config_ = spec::make_default_config();
};

#define NEEDS_ROOT() \
  if (!host_.privileged) GTEST_SKIP() << "needs root of the first user namespace"

// ---- the whole ----

TEST_F(HostCheck, AGoodBundleHasNoFindingAndIsLeftAsItWas) {
  NEEDS_ROOT();
  const BundleReport found = report();
  EXPECT_TRUE(found.findings.empty()) << listing(found.findings);
  for (const std::string &note : found.notes) ADD_FAILURE() << note;
  EXPECT_TRUE(check_host({.path = bundle(), .json = {}, .config = config_}, host_).empty());
  EXPECT_FALSE(kernel::fstatat(kernel::cwd, rootfs() + "/dev/pts"));
}

TEST_F(HostCheck, AMissingConfigIsAnErrorWithItsRemedy) {
  const Result<BundleReport> found = check_bundle(bundle(), host_);
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message().find("skiff spec"), std::string::npos) << found.error().message();
  EXPECT_FALSE(check_bundle(bundle() + "/nowhere", host_));
}

TEST_F(HostCheck, ADocumentThatIsNotJsonIsOneFinding) {
  make_file("../config.json", 0644, "{");
  const Result<BundleReport> found = check_bundle(bundle(), host_);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->findings.size(), 1U) << listing(found->findings);
}

TEST_F(HostCheck, FindingsOfTheSpecAndOfTheHostComeTogether) {
  NEEDS_ROOT();
  config_.root->path = "nowhere";
  config_.process->cwd = "relative";
  config_.linux_.sysctl["kernel.msgmax_of_nobody"] = "1";
  const std::vector<spec::Finding> findings = report().findings;
  ASSERT_EQ(findings.size(), 3U) << listing(findings);
  EXPECT_EQ(findings[0].pointer, "/process/cwd");
  EXPECT_EQ(findings[1].pointer, "/linux/sysctl/kernel.msgmax_of_nobody");  // the host's echo of it is left out
  EXPECT_EQ(findings[2].pointer, "/root/path");
}

TEST_F(HostCheck, AFieldOfTheWrongTypeIsNotLookedForOnTheHost) {
  make_file("../config.json", 0644, R"({"ociVersion": "1.3.0", "root": {"path": 7}})");
  const Result<BundleReport> found = check_bundle(bundle(), host_);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->findings.size(), 1U) << listing(found->findings);
  EXPECT_EQ(found->findings.front().pointer, "/root/path");
}

TEST_F(HostCheck, AContainerWithoutAProcessCannotBeCreated) {
  NEEDS_ROOT();
  config_.process.reset();
  expect_only("/process", "missing");
}

// ---- root (config.md, "Root") ----

TEST_F(HostCheck, AMissingRootfsIsFound) {
  NEEDS_ROOT();
  config_.root->path = "elsewhere";
  expect_only("/root/path", "does not exist");
}

TEST_F(HostCheck, ARootfsThatIsALinkOrAFileIsFound) {
  NEEDS_ROOT();
  ASSERT_EQ(::symlink("rootfs", (bundle() + "/link").c_str()), 0);
  config_.root->path = "link/";
  expect_only("/root/path", "is a symbolic link");
  make_file("../file", 0644);
  config_.root->path = "file";
  expect_only("/root/path", "is not a directory");
}

// ---- mounts (config.md, "Mounts") ----

TEST_F(HostCheck, ABindWithoutItsSourceIsFound) {
  NEEDS_ROOT();
  config_.mounts.push_back(make_mount("/data", "bind", "data", {"rbind"}));  // relative to the bundle
  expect_only("/mounts/7/source", bundle() + "/data does not exist");
}

TEST_F(HostCheck, ADanglingLinkIsNoSourceUnlessTheLinkItselfIsMeant) {
  NEEDS_ROOT();
  ASSERT_EQ(::symlink("/nowhere/at/all", (bundle() + "/link").c_str()), 0);
  config_.mounts.push_back(make_mount("/data", "bind", bundle() + "/link", {"bind"}));
  expect_only("/mounts/7/source", "symbolic link to /nowhere/at/all");
  config_.mounts.back().options.emplace_back("copy-symlink");
  expect_nothing();
}

TEST_F(HostCheck, AnUnknownFilesystemIsFound) {
  NEEDS_ROOT();
  config_.mounts.push_back(make_mount("/data", "nosuchfs", "none"));
  expect_only("/mounts/7/type", "nosuchfs");
}

TEST_F(HostCheck, AFilesystemOnADeviceNeedsTheDevice) {
  NEEDS_ROOT();
  const auto types = kernel::Procfs::open_host()->read_file("filesystems");
  if (types->find("\text4\n") == std::string::npos) GTEST_SKIP() << "this kernel has no ext4";
  config_.mounts.push_back(make_mount("/data", "ext4", "/dev/no-such-disk"));
  expect_only("/mounts/7/source", "/dev/no-such-disk");
}

TEST_F(HostCheck, AnOverlayNeedsItsDirectories) {
  NEEDS_ROOT();
  const auto types = kernel::Procfs::open_host()->read_file("filesystems");
  if (types->find("\toverlay\n") == std::string::npos) GTEST_SKIP() << "overlay is not loaded";
  config_.mounts.push_back(make_mount("/data", "overlay", "overlay", {"lowerdir=" + rootfs() + ":/nowhere/low"}));
  expect_only("/mounts/7/options", "lowerdir: /nowhere/low");
}

TEST_F(HostCheck, AnIdOfAMountOptionThatTheUserNamespaceDoesNotMapIsFound) {
  NEEDS_ROOT();
  add_user_namespace();
  config_.linux_.gid_mappings.front().size = 5;  // devpts has gid=5
  expect_only("/mounts/2/options/5", "gid=5 is not mapped");
}

TEST_F(HostCheck, AMountsMappingThatSharesNoIdWithTheContainersIsFound) {
  NEEDS_ROOT();
  add_user_namespace();
  config_.mounts.push_back(make_mount("/data", "bind", rootfs(), {"rbind"}));
  config_.mounts.back().uid_mappings = {{.container_id = 0, .host_id = 5000, .size = 10}};
  config_.mounts.back().gid_mappings = {{.container_id = 0, .host_id = 100000, .size = 10}};
  expect_only("/mounts/7/uidMappings/0", "host ids 5000 to 5009");
}

// ---- inside the rootfs (config.md, "Process") ----

TEST_F(HostCheck, AProgramThatIsNowhereInPathIsFound) {
  NEEDS_ROOT();
  config_.process->args = {"bash"};
  expect_only("/process/args/0", "bash is in no directory of PATH");
  config_.process->env = {"TERM=xterm"};
  expect_only("/process/args/0", "PATH, which process.env lacks");
}

TEST_F(HostCheck, AProgramWithoutTheExecuteBitIsFound) {
  NEEDS_ROOT();
  make_file("bin/tool", 0644);
  config_.process->args = {"tool"};
  expect_only("/process/args/0", "/bin/tool is not executable");
  config_.process->args = {"/bin/tool"};
  expect_only("/process/args/0", "/bin/tool is not executable");
  config_.process->args = {"/bin"};
  expect_only("/process/args/0", "/bin is a directory");
  config_.process->args = {"bin/nothing"};
  expect_only("/process/args/0", "//bin/nothing does not exist");
}

TEST_F(HostCheck, AScriptNeedsItsInterpreterInTheRootfs) {
  NEEDS_ROOT();
  make_file("bin/script", 0755, "#! /bin/python3 -u\n");
  config_.process->args = {"script"};
  expect_only("/process/args/0", "/bin/python3, which the rootfs does not have");
  make_file("bin/script", 0755, "#!/bin/sh\n");
  expect_nothing();
}

TEST_F(HostCheck, ADynamicProgramNeedsItsLoaderInTheRootfs) {
  NEEDS_ROOT();
  const auto self = kernel::open("/proc/self/exe", O_RDONLY);
  const auto copy = kernel::open(rootfs() + "/bin/dynamic", O_WRONLY | O_CREAT, 0755);
  ASSERT_TRUE(copy);
  std::string head(4096, '\0');
  ASSERT_TRUE(kernel::read_some(*self, head));
  if (head.find("/ld-") == std::string::npos) GTEST_SKIP() << "this test program has no loader";
  ASSERT_TRUE(kernel::write_all(*copy, head));
  config_.process->args = {"/bin/dynamic"};
  expect_only("/process/args/0", "which the rootfs does not have");
}

TEST_F(HostCheck, LinksInTheRootfsLeadNowhereOutsideOfIt) {
  NEEDS_ROOT();
  ASSERT_EQ(::symlink("/bin/sh", (rootfs() + "/etc/inside").c_str()), 0);
  config_.process->args = {"/etc/inside"};
  expect_nothing();
  make_file("../outside", 0755);
  ASSERT_EQ(::symlink((bundle() + "/outside").c_str(), (rootfs() + "/etc/out").c_str()), 0);
  config_.process->args = {"/etc/out"};
  expect_only("/process/args/0", "/etc/out does not exist in the rootfs");
}

TEST_F(HostCheck, WhatAMountCoversIsNotJudgedByTheRootfs) {
  NEEDS_ROOT();
  ASSERT_EQ(::symlink("usr/lib", (rootfs() + "/lib").c_str()), 0);
  config_.mounts.push_back(make_mount("/lib/tools", "bind", rootfs(), {"rbind"}));
  config_.process->args = {"/usr/lib/tools/run"};
  expect_nothing();
  config_.mounts.back().destination = "/usr/bin";
  config_.process->args = {"bash"};
  const BundleReport found = report();
  EXPECT_TRUE(found.findings.empty()) << listing(found.findings);
  EXPECT_TRUE(mentions(found.notes, "may lie in a mount"));
}

TEST_F(HostCheck, AWorkingDirectoryThatIsAFileIsFound) {
  NEEDS_ROOT();
  config_.process->cwd = "/bin/busybox";
  expect_only("/process/cwd", "is not a directory");
}

TEST_F(HostCheck, AMissingWorkingDirectoryCannotBeMadeInAReadOnlyRootfs) {
  NEEDS_ROOT();
  config_.process->cwd = "/work";
  expect_only("/process/cwd", "root.readonly");
  config_.mounts.push_back(make_mount("/work/cache", "tmpfs", "tmpfs"));  // the mount makes it on its way
  expect_nothing();
  config_.mounts.pop_back();
  config_.root->readonly = false;
  expect_nothing();
}

TEST_F(HostCheck, AStartContainerHookIsLookedForInTheRootfs) {
  NEEDS_ROOT();
  spec::Hook hook;
  hook.path = "/bin/sh";
  config_.hooks.start_container = {hook};
  expect_nothing();
  config_.hooks.start_container.front().path = bundle() + "/hook";
  make_file("../hook", 0755);
  expect_only("/hooks/startContainer/0/path", "does not exist in the rootfs");
}

// ---- hooks (config.md, "POSIX-platform Hooks") ----

TEST_F(HostCheck, HooksOfTheRuntimeMustBeExecutableOnTheHost) {
  NEEDS_ROOT();
  spec::Hook hook;
  hook.path = bundle() + "/hook";
  config_.hooks.poststop = {hook};
  expect_only("/hooks/poststop/0/path", "does not exist on the host");
  make_file("../hook", 0644);
  expect_only("/hooks/poststop/0/path", "is not an executable file");
  ASSERT_EQ(::chmod(hook.path.c_str(), 0755), 0);
  expect_nothing();
}

// ---- process ----

TEST_F(HostCheck, AHardLimitAboveFsNrOpenIsFound) {
  NEEDS_ROOT();
  config_.process->rlimits = {{.type = "RLIMIT_NOFILE", .hard = RLIM_INFINITY, .soft = 1024}};
  expect_only("/process/rlimits/0/hard", "fs.nr_open");
}

TEST_F(HostCheck, WithoutCapSysResourceNoLimitCanBeRaised) {
  NEEDS_ROOT();
  rlimit own{};
  ASSERT_EQ(::getrlimit(RLIMIT_CORE, &own), 0);
  if (own.rlim_max < 1) GTEST_SKIP() << "the hard limit is 0 already";
  auto child = kernel::clone3({});
  ASSERT_TRUE(child);
  if (child->is_this_process()) {
    const rlimit lower{.rlim_cur = 0, .rlim_max = 0};
    const auto had = kernel::capget();
    kernel::Capabilities left = *had;
    left.effective &= ~kernel::capability_bit(CAP_SYS_RESOURCE);
    if (::setrlimit(RLIMIT_CORE, &lower) != 0 || !kernel::capset(left)) ::_exit(2);
    config_.process->rlimits = {{.type = "RLIMIT_CORE", .hard = 1, .soft = 0}};
    config_.process->oom_score_adj = -1000;
    const std::vector<spec::Finding> findings = report().findings;
    const bool right = findings.size() == 2 && findings[0].pointer == "/process/rlimits/0/hard" &&
                       findings[1].pointer == "/process/oomScoreAdj";
    ::_exit(right ? 0 : 1);
  }
  const auto ended = child->wait();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->shell_code(), 0);
}

TEST_F(HostCheck, ACapabilityThatTheRuntimeLacksIsFoundOnce) {
  NEEDS_ROOT();
  host_.capabilities &= ~kernel::capability_bit(CAP_KILL);
  expect_only("/process/capabilities/bounding/1", "CAP_KILL");
  host_.capabilities = ~std::uint64_t{0};
  config_.process->capabilities->permitted.emplace_back("CAP_SAIL");
  expect_only("/process/capabilities/permitted/3", "CAP_SAIL");
  // A user namespace has them all (user_namespaces(7)).
  config_.process->capabilities->permitted.pop_back();
  host_.capabilities = 0;
  add_user_namespace();
  expect_nothing();
}

TEST_F(HostCheck, AnUnloadedAppArmorProfileIsFound) {
  NEEDS_ROOT();
  config_.process->apparmor_profile = "no-such-profile";
  expect_only("/process/apparmorProfile", "");
}

TEST_F(HostCheck, AnSelinuxLabelNeedsSelinux) {
  NEEDS_ROOT();
  if (kernel::fstatat(kernel::cwd, "/sys/fs/selinux/enforce")) GTEST_SKIP() << "SELinux is enabled here";
  config_.process->selinux_label = "system_u:system_r:container_t:s0";
  expect_only("/process/selinuxLabel", "SELinux is not enabled");
}

// ---- ids (config.md, "POSIX-platform User"; config-linux.md, "User namespace mappings") ----

TEST_F(HostCheck, IdsThatTheUserNamespaceDoesNotMapAreFound) {
  NEEDS_ROOT();
  add_user_namespace();
  expect_nothing();
  config_.process->user.uid = 1000;
  expect_only("/process/user/uid", "uid 1000 is not mapped");
  config_.process->user = {.uid = 0, .gid = 10, .umask = {}, .additional_gids = {}, .username = {}};
  expect_only("/process/user/gid", "gid 10 is not mapped");
  config_.process->user.gid = 9;
  config_.process->user.additional_gids = {1, 2, 11};
  expect_only("/process/user/additionalGids/2", "gid 11 is not mapped");
}

TEST_F(HostCheck, AnUnprivilegedUserNeedsGrantedIds) {
  host_.uid = 4000000001;  // in nobody's files
  host_.gid = 4000000001;
  host_.privileged = false;
  config_.linux_.resources.reset();
  config_.mounts.clear();
  add_user_namespace();
  config_.linux_.uid_mappings = {{.container_id = 0, .host_id = host_.uid, .size = 1}};
  config_.linux_.gid_mappings = {{.container_id = 0, .host_id = host_.gid, .size = 1}};
  expect_nothing();
  config_.linux_.uid_mappings.push_back({.container_id = 1, .host_id = 200000, .size = 100});
  std::vector<spec::Finding> findings = report().findings;
  std::erase_if(findings, [](const spec::Finding &finding) { return finding.pointer == "/linux/uidMappings"; });
  ASSERT_EQ(findings.size(), 1U) << listing(findings);
  EXPECT_EQ(findings.front().pointer, "/linux/uidMappings/1");
  EXPECT_NE(findings.front().message().find("4000000001:200000:100"), std::string::npos) << listing(findings);
}

TEST_F(HostCheck, AnUnprivilegedUserNeedsAUserNamespaceAndIsToldWhatRootWouldMeet) {
  host_.uid = 1000;
  host_.gid = 1000;
  host_.privileged = false;
  config_.mounts.push_back(make_mount("/data", "bind", "/nowhere/data", {"rbind"}));
  const BundleReport found = report();
  ASSERT_EQ(found.findings.size(), 2U) << listing(found.findings);
  EXPECT_EQ(found.findings[0].pointer, "/mounts/7/source");
  EXPECT_EQ(found.findings[1].pointer, "/linux/namespaces");
  EXPECT_TRUE(mentions(found.notes, "as root"));
}

// ---- linux ----

TEST_F(HostCheck, ANamespaceThatIsGoneIsFound) {
  NEEDS_ROOT();
  namespace_of(spec::NamespaceType::ipc).path = "/proc/999999999/ns/ipc";
  expect_only(fmt::format("/linux/namespaces/{}/path", index_of(spec::NamespaceType::ipc)), "does not exist");
}

TEST_F(HostCheck, ANamespaceOfAnotherTypeIsFound) {
  NEEDS_ROOT();
  const std::string pointer = fmt::format("/linux/namespaces/{}/path", index_of(spec::NamespaceType::ipc));
  namespace_of(spec::NamespaceType::ipc).path = "/proc/self/ns/net";
  expect_only(pointer, "is a namespace of type network, not one of type ipc");
  namespace_of(spec::NamespaceType::ipc).path = "/proc/self/status";
  expect_only(pointer, "no namespace");
  namespace_of(spec::NamespaceType::ipc).path = "/proc/self/ns/ipc";
  expect_nothing();
}

TEST_F(HostCheck, ASysctlThatThisKernelLacksIsFound) {
  NEEDS_ROOT();
  config_.linux_.sysctl["net.ipv4.no_such_thing"] = "1";
  expect_only("/linux/sysctl/net.ipv4.no_such_thing", "/proc/sys/net/ipv4/no_such_thing");
  config_.linux_.sysctl = {{"net/ipv4/conf/eth7/forwarding", "1"}};  // of an interface that is not there yet
  expect_nothing();
}

TEST_F(HostCheck, ANetworkDeviceMustBeThere) {
  NEEDS_ROOT();
  config_.linux_.net_devices["lo"] = {};
  expect_nothing();
  config_.linux_.net_devices["nosuchdev0"] = {};
  expect_only("/linux/netDevices/nosuchdev0", "no device nosuchdev0");
}

TEST_F(HostCheck, IntelRdtNeedsItsFilesystem) {
  NEEDS_ROOT();
  if (kernel::fstatat(kernel::cwd, "/sys/fs/resctrl/schemata")) GTEST_SKIP() << "resctrl is mounted here";
  config_.linux_.intel_rdt.emplace().clos_id = "one";
  expect_only("/linux/intelRdt", "resctrl");
}

TEST_F(HostCheck, AMemoryNodeMustBeOnline) {
  NEEDS_ROOT();
  if (!kernel::fstatat(kernel::cwd, "/sys/devices/system/node/online")) GTEST_SKIP() << "this kernel has no NUMA";
  config_.linux_.memory_policy = spec::MemoryPolicy{.mode = "MPOL_BIND", .nodes = "0,900", .flags = {}};
  expect_only("/linux/memoryPolicy/nodes", "memory node 900 is not online");
}

TEST_F(HostCheck, AnAgentForSeccompMustListenAlready) {
  NEEDS_ROOT();
  spec::Seccomp &seccomp = config_.linux_.seccomp.emplace();
  seccomp.default_action = spec::SeccompAction::allow;
  seccomp.listener_path = bundle() + "/agent";
  spec::SeccompSyscall rule;
  rule.names = {"mkdir"};
  rule.action = spec::SeccompAction::notify;
  seccomp.syscalls = {rule};
  expect_only("/linux/seccomp/listenerPath", "does not exist");
  const auto listener = kernel::listen_unix(kernel::cwd, seccomp.listener_path, SOCK_STREAM, 1);
  ASSERT_TRUE(listener) << listener.error().message();
  expect_nothing();
}

TEST_F(HostCheck, ADeviceThatTheRootfsHasAsSomethingElseIsFound) {
  NEEDS_ROOT();
  config_.linux_.devices.push_back(
      {.path = "/etc/fuse", .type = "c", .major = 10, .minor = 229, .file_mode = {}, .uid = {}, .gid = {}});
  expect_nothing();
  make_file("etc/fuse", 0644);
  expect_only("/linux/devices/0/path", "is in the rootfs already");
}

TEST_F(HostCheck, AUserNamespaceCanOnlyHaveDevicesOfTheHost) {
  NEEDS_ROOT();
  add_user_namespace();
  config_.linux_.devices.push_back(
      {.path = "/dev/null", .type = "c", .major = 1, .minor = 3, .file_mode = {}, .uid = {}, .gid = {}});
  expect_nothing();
  config_.linux_.devices.front().minor = 200;
  config_.linux_.devices.front().path = "/dev/no-such";
  expect_only("/linux/devices/0/path", "no device 1:200");
  config_.linux_.devices.front() = {
      .path = "/dev/null", .type = "c", .major = 1, .minor = 3, .file_mode = {}, .uid = 77, .gid = {}};
  expect_only("/linux/devices/0/uid", "uid 77 is not mapped");
}

// ---- cgroups (config-linux.md, "Control groups") ----

TEST_F(HostCheck, EveryLimitWithoutItsControllerIsFound) {
  NEEDS_ROOT();
  host_.cgroups = Host::Cgroups::v1;
  host_.hierarchies = {{.mount = "/sys/fs/cgroup", .controllers = {"freezer"}, .own = "/", .unified = false}};
  config_.linux_.resources->memory.emplace().limit = 1 << 24;
  config_.linux_.resources->cpu.emplace().shares = 100;
  config_.linux_.resources->pids.emplace().limit = 10;
  std::vector<std::string> pointers;
  for (const spec::Finding &finding : report().findings) pointers.push_back(finding.pointer);
  std::ranges::sort(pointers);
  EXPECT_EQ(pointers, (std::vector<std::string>{"/linux/resources/cpu/shares", "/linux/resources/memory/limit",
                                                "/linux/resources/pids/limit"}));
}

TEST_F(HostCheck, ACgroupWithProcessesInItIsFound) {
  NEEDS_ROOT();
  // A directory that looks like a hierarchy: what is asked is only which processes its file names.
  const std::string mount = bundle() + "/cgroup";
  ASSERT_EQ(::mkdir(mount.c_str(), 0755), 0);
  ASSERT_EQ(::mkdir((mount + "/used").c_str(), 0755), 0);
  make_file("../cgroup/used/cgroup.procs", 0644, "17\n18\n");
  host_.cgroups = Host::Cgroups::v1;
  host_.hierarchies = {{.mount = mount, .controllers = {"freezer"}, .own = "/", .unified = false}};
  config_.linux_.cgroups_path = "/free";
  expect_nothing();
  config_.linux_.cgroups_path = "/used";
  expect_only("/linux/cgroupsPath", "has processes in it: 17 18");
}

TEST_F(HostCheck, AControllerThatUnifiedCgroupsLackIsFound) {
  NEEDS_ROOT();
  const std::string mount = bundle() + "/cgroup";
  ASSERT_EQ(::mkdir(mount.c_str(), 0755), 0);
  make_file("../cgroup/cgroup.controllers", 0644, "cpu pids\n");
  host_.cgroups = Host::Cgroups::unified;
  host_.hierarchies = {{.mount = mount, .controllers = {}, .own = "/", .unified = true}};
  config_.linux_.resources->unified = {{"pids.max", "7"}, {"memory.high", "1000000"}};
  expect_only("/linux/resources/unified/memory.high", "no controller memory");
}

TEST_F(HostCheck, AProcessorThatIsNotOnlineIsFound) {
  NEEDS_ROOT();
  if (host_.cgroups == Host::Cgroups::unified) GTEST_SKIP() << "cgroup v2 takes processors that are not there";
  config_.linux_.resources->cpu.emplace().cpus = "0,7000";
  expect_only("/linux/resources/cpu/cpus", "processor 7000 is not online");
}

TEST_F(HostCheck, APathOfSystemdsFormIsForItsDriver) {
  NEEDS_ROOT();
  config_.linux_.cgroups_path = "system.slice:skiff:one";
  expect_nothing();
}

}  // namespace
}  // namespace skiff
