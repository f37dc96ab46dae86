#include "runtime/plan_process.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/personality.h>
#include <sys/resource.h>

#include <algorithm>

#include "runtime/bpf.h"

namespace skiff {
namespace {

spec::Config config_with(const spec::Process &process) {
  spec::Config config;
  config.process = process;
  return config;
}

spec::Process root_process() {
  spec::Process process;
  process.cwd = "/";
  process.args = {"sh"};
  return process;
}

Result<ProcessSteps> try_plan(const spec::Config &config, const Host &host = {}) {
  return make_process_steps(*config.process, {.config = &config, .host = &host});
}

ProcessSteps plan(const spec::Config &config, const Host &host = {}) {
  Result<ProcessSteps> made = try_plan(config, host);
  EXPECT_TRUE(made.has_value()) << made.error().message();
  return made ? *std::move(made) : ProcessSteps{};
}

template <class T>
const T *find(const std::vector<Step> &steps) {
  for (const Step &step : steps) {
    if (const T *found = std::get_if<T>(&step.action)) return found;
  }
  return nullptr;
}

template <class T>
std::ptrdiff_t place_of(const std::vector<Step> &steps) {
  return std::ranges::find_if(steps, [](const Step &step) { return std::holds_alternative<T>(step.action); }) -
         steps.begin();
}

std::uint64_t bits(std::initializer_list<const char *> names) {
  std::uint64_t set = 0;
  for (const char *name : names) set |= parse_capability_bit(name);
  return set;
}

// ---- capabilities ----

TEST(PlanProcess, CapabilitiesAreNumberedAsTheKernelDoes) {
  EXPECT_EQ(parse_capability_bit("CAP_CHOWN"), 1U);
  EXPECT_EQ(parse_capability_bit("CAP_SYS_ADMIN"), std::uint64_t{1} << 21);
  EXPECT_EQ(parse_capability_bit("CAP_CHECKPOINT_RESTORE"), std::uint64_t{1} << 40);
  EXPECT_EQ(parse_capability_bit("chown"), 0U);
  EXPECT_EQ(capability_name(21), "CAP_SYS_ADMIN");
  EXPECT_EQ(capability_name(63), "");
}

// config.md, Linux Process, capabilities: what cannot be granted "MUST be logged as a warning".
TEST(PlanProcess, UnknownAndMissingCapabilitiesAreWarnings) {
  spec::Process process = root_process();
  process.capabilities = spec::Capabilities{};
  process.capabilities->bounding = {"CAP_CHOWN", "CAP_NOPE", "CAP_CHECKPOINT_RESTORE"};
  process.capabilities->permitted = {"CAP_NOPE", "CAP_KILL"};
  Host host;
  host.last_capability = 38;
  host.capabilities = bits({"CAP_CHOWN"});
  const ProcessSteps made = plan(config_with(process), host);
  EXPECT_EQ(find<DropBounding>(made.steps)->keep, bits({"CAP_CHOWN"}));
  EXPECT_EQ(find<SetCapabilities>(made.steps)->permitted, 0U);
  ASSERT_EQ(made.warnings.size(), 1U);
  EXPECT_EQ(made.warnings[0],
            "process.capabilities: ignoring unknown or unavailable capabilities: CAP_NOPE, CAP_CHECKPOINT_RESTORE, "
            "CAP_KILL");
}

TEST(PlanProcess, InAUserNamespaceTheRuntimesOwnCapabilitiesDoNotMatter) {
  spec::Process process = root_process();
  process.capabilities = spec::Capabilities{};
  process.capabilities->permitted = {"CAP_KILL"};
  spec::Config config = config_with(process);
  config.linux_.namespaces = {{.type = spec::NamespaceType::user, .path = {}}};
  Host host;
  host.capabilities = 0;
  const ProcessSteps made = plan(config, host);
  EXPECT_EQ(find<SetCapabilities>(made.steps)->permitted, bits({"CAP_KILL"}));
}

// CVE-2022-29162: nothing is inheritable that the configuration does not list.
TEST(PlanProcess, InheritableIsOnlyWhatIsListed) {
  spec::Process process = root_process();
  process.capabilities = spec::Capabilities{};
  process.capabilities->bounding = process.capabilities->permitted = process.capabilities->effective = {"CAP_KILL"};
  const ProcessSteps made = plan(config_with(process));
  const auto *sets = find<SetCapabilities>(made.steps);
  EXPECT_EQ(sets->inheritable, 0U);
  EXPECT_EQ(sets->ambient, 0U);
}

// capabilities(7): ambient needs permitted and inheritable; effective needs permitted.
TEST(PlanProcess, AmbientAndEffectiveStayWithinWhatTheKernelAllows) {
  spec::Process process = root_process();
  process.capabilities = spec::Capabilities{};
  process.capabilities->permitted = {"CAP_KILL", "CAP_CHOWN"};
  process.capabilities->effective = {"CAP_KILL", "CAP_FOWNER"};
  process.capabilities->inheritable = {"CAP_KILL"};
  process.capabilities->ambient = {"CAP_KILL", "CAP_CHOWN"};
  const ProcessSteps made = plan(config_with(process));
  const auto *sets = find<SetCapabilities>(made.steps);
  EXPECT_EQ(sets->effective, bits({"CAP_KILL"}));
  EXPECT_EQ(sets->ambient, bits({"CAP_KILL"}));
  ASSERT_EQ(made.warnings.size(), 2U);
  EXPECT_EQ(made.warnings[0], "process.capabilities.effective: CAP_FOWNER left out: not in permitted");
  EXPECT_EQ(made.warnings[1],
            "process.capabilities.ambient: can't raise ambient capability CAP_CHOWN: not in permitted and inheritable");
}

TEST(PlanProcess, WithoutCapabilitiesNoneAreTouched) {
  const ProcessSteps made = plan(config_with(root_process()));
  EXPECT_EQ(find<DropBounding>(made.steps), nullptr);
  EXPECT_EQ(find<SetCapabilities>(made.steps), nullptr);
}

// ---- limits ----

TEST(PlanProcess, RlimitsAreKnownByName) {
  spec::Process process = root_process();
  process.rlimits = {{.type = "RLIMIT_NOFILE", .hard = 2048, .soft = 1024},
                     {.type = "RLIMIT_RTTIME", .hard = 5, .soft = 5}};
  const ProcessSteps made = plan(config_with(process));
  const auto *limit = find<SetRlimit>(made.steps);
  ASSERT_NE(limit, nullptr);
  EXPECT_EQ(limit->resource, RLIMIT_NOFILE);
  EXPECT_EQ(limit->soft, 1024U);
  EXPECT_EQ(limit->hard, 2048U);
  EXPECT_TRUE(made.outer_rlimits.empty());
}

// config.md, POSIX process, rlimits: "The runtime MUST generate an error for any values which cannot be mapped".
TEST(PlanProcess, AnUnknownRlimitIsAnErrorWithTheLikelyName) {
  spec::Process process = root_process();
  process.rlimits = {{.type = "RLIMIT_NOFILES", .hard = 1, .soft = 1}};
  const Result<ProcessSteps> made = try_plan(config_with(process));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().text, "process.rlimits[0] (RLIMIT_NOFILES): \"RLIMIT_NOFILES\" is no resource limit");
  EXPECT_EQ(made.error().remedy, "did you mean \"RLIMIT_NOFILE\"?");
}

TEST(PlanProcess, InAUserNamespaceTheParentSetsTheLimits) {
  spec::Process process = root_process();
  process.rlimits = {{.type = "RLIMIT_CORE", .hard = 1, .soft = 1}};
  spec::Config config = config_with(process);
  config.linux_.namespaces = {{.type = spec::NamespaceType::user, .path = "/proc/1/ns/user"}};
  const ProcessSteps made = plan(config);
  EXPECT_EQ(find<SetRlimit>(made.steps), nullptr);
  ASSERT_EQ(made.outer_rlimits.size(), 1U);
  EXPECT_EQ(made.outer_rlimits[0].field, "process.rlimits[0] (RLIMIT_CORE)");
}

// ---- user, directory, umask ----

TEST(PlanProcess, RootGoesToItsDirectoryOnceAndAnotherUserMayTryAgain) {
  spec::Process process = root_process();
  ProcessSteps made = plan(config_with(process));
  const auto directories = [&] {
    return std::ranges::count_if(made.steps,
                                 [](const Step &step) { return std::holds_alternative<ChangeDirectory>(step.action); });
  };
  EXPECT_EQ(directories(), 1);
  EXPECT_FALSE(find<ChangeDirectory>(made.steps)->may_be_denied);
  process.user.uid = 1000;
  made = plan(config_with(process));
  EXPECT_EQ(directories(), 2);
  EXPECT_TRUE(find<ChangeDirectory>(made.steps)->may_be_denied);
  EXPECT_LT(place_of<ChangeDirectory>(made.steps), place_of<SetUser>(made.steps));
}

TEST(PlanProcess, UmaskIs022UnlessGiven) {
  spec::Process process = root_process();
  ProcessSteps made = plan(config_with(process));
  EXPECT_EQ(find<SetUmask>(made.steps)->umask, 022U);
  process.user.umask = 077;
  made = plan(config_with(process));
  EXPECT_EQ(find<SetUmask>(made.steps)->umask, 077U);
}

// user_namespaces(7): writing one's own single gid needs setgroups denied.
TEST(PlanProcess, GroupsAreKeptWhereSetgroupsIsDenied) {
  spec::Config config = config_with(root_process());
  config.linux_.namespaces = {{.type = spec::NamespaceType::user, .path = {}}};
  config.linux_.gid_mappings = {{.container_id = 0, .host_id = 1000, .size = 1}};
  Host host;
  host.uid = 1000;
  ProcessSteps made = plan(config, host);
  EXPECT_TRUE(find<SetUser>(made.steps)->keep_groups);
  config.process->user.additional_gids = {5};
  const Result<ProcessSteps> refused = try_plan(config, host);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().text.starts_with("process.user.additionalGids: "));
  config.linux_.gid_mappings.push_back({.container_id = 1, .host_id = 100000, .size = 65536});
  made = plan(config, host);
  EXPECT_FALSE(find<SetUser>(made.steps)->keep_groups);
}

TEST(PlanProcess, AnAnnotationKeepsTheCallersGroups) {
  spec::Config config = config_with(root_process());
  config.annotations = {{"run.oci.keep_original_groups", "1"}};
  const ProcessSteps made = plan(config);
  EXPECT_TRUE(find<SetUser>(made.steps)->keep_groups);
}

// ---- seccomp ----

spec::Seccomp deny_mount() {
  spec::Seccomp seccomp;
  spec::SeccompSyscall rule;
  rule.names = {"mount"};
  rule.action = spec::SeccompAction::errno_;
  seccomp.syscalls = {rule};
  return seccomp;
}

// seccomp(2): without no_new_privs a filter needs CAP_SYS_ADMIN.
TEST(PlanProcess, TheFilterIsLoadedBeforePrivilegesGoOrAfterTheyCannotComeBack) {
  spec::Config config = config_with(root_process());
  config.process->capabilities = spec::Capabilities{};
  config.linux_.seccomp = deny_mount();
  ProcessSteps made = plan(config);
  EXPECT_LT(place_of<LoadSeccomp>(made.steps), place_of<DropBounding>(made.steps));
  EXPECT_EQ(find<NoNewPrivileges>(made.steps), nullptr);
  config.process->no_new_privileges = true;
  made = plan(config);
  EXPECT_LT(place_of<SetCapabilities>(made.steps), place_of<NoNewPrivileges>(made.steps));
  EXPECT_LT(place_of<NoNewPrivileges>(made.steps), place_of<LoadSeccomp>(made.steps));
  EXPECT_EQ(place_of<LoadSeccomp>(made.steps), std::ssize(made.steps) - 1);
}

TEST(PlanProcess, AProgramThatWasCompiledBeforeIsTaken) {
  spec::Config config = config_with(root_process());
  config.linux_.seccomp = deny_mount();
  const Host host;
  const SeccompProgram program{.filter = {sock_filter{BPF_RET | BPF_K, 0, 0, 0x7fff0000}}};
  Result<ProcessSteps> made =
      make_process_steps(*config.process, {.config = &config, .host = &host, .seccomp = &program});
  EXPECT_EQ(find<LoadSeccomp>(made->steps)->program.size(), 1U);
  made = make_process_steps(*config.process, {.config = &config, .host = &host, .defer_seccomp = true});
  EXPECT_TRUE(find<LoadSeccomp>(made->steps)->program.empty());
}

TEST(PlanProcess, ANotifyingRuleNeedsAListenerPath) {
  spec::Config config = config_with(root_process());
  config.linux_.seccomp = deny_mount();
  config.linux_.seccomp->syscalls[0].action = spec::SeccompAction::notify;
  EXPECT_FALSE(try_plan(config));
  config.linux_.seccomp->listener_path = "/run/agent.sock";
  const ProcessSteps made = plan(config);
  EXPECT_TRUE(find<LoadSeccomp>(made.steps)->listener);
}

// ---- the rest ----

TEST(PlanProcess, PersonalityIsADomainWithoutFlags) {
  spec::Config config = config_with(root_process());
  config.linux_.personality = spec::Personality{.domain = "LINUX32", .flags = {"X"}};
  const ProcessSteps made = plan(config);
  EXPECT_EQ(find<SetPersonality>(made.steps)->personality, std::uint64_t{PER_LINUX32});
  EXPECT_EQ(made.warnings.size(), 1U);
  config.linux_.personality->domain = "BSD";
  EXPECT_FALSE(try_plan(config));
}

TEST(PlanProcess, OfTwoVariablesWithOneNameTheLastStays) {
  const std::vector<std::string> expected = {"B=2", "A=3", "PLAIN"};
  EXPECT_EQ(make_environment({"A=1", "B=2", "A=3", "PLAIN"}, 0), expected);
}

// sd_listen_fds(3); in its pid namespace the container's process is number 1.
TEST(PlanProcess, PassedDescriptorsAreAnnounced) {
  const std::vector<std::string> expected = {"A=1", "LISTEN_FDS=2", "LISTEN_PID=1"};
  EXPECT_EQ(make_environment({"LISTEN_PID=77", "A=1"}, 2), expected);
}

TEST(PlanProcess, AnExecHasNoHooksAndNoMounts) {
  spec::Config config = config_with(root_process());
  config.linux_.seccomp = deny_mount();
  config.hooks.start_container = {{.path = "/bin/true", .args = {}, .env = {}, .timeout = {}}};
  spec::Process process = root_process();
  process.terminal = true;
  process.console_size = spec::ConsoleSize{.height = 25, .width = 80};
  process.oom_score_adj = 7;
  process.selinux_label = "l";
  const Result<ExecPlan> made = make_exec_plan(process, config, {}, {.id = "c", .preserve_fds = 2});
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(find<RunHooks>(made->steps), nullptr);
  EXPECT_NE(find<LoadSeccomp>(made->steps), nullptr);
  EXPECT_EQ(find<JoinSessionKeyring>(made->steps)->name, "_ses.c");
  EXPECT_EQ(find<JoinSessionKeyring>(made->steps)->permissions, 0U);
  EXPECT_EQ(find<SetupConsole>(made->steps), nullptr);  // the caller's, before the steps
  EXPECT_EQ(made->console.size->width, 80U);
  EXPECT_EQ(made->oom_score_adj, 7);
  EXPECT_EQ(made->program.preserved_fds, 2U);
  EXPECT_TRUE(made->terminal);
}

}  // namespace
}  // namespace skiff
