// config-linux.md, Namespaces; config.md, Hostname and Domainname; config-linux.md, Offset for Time Namespace.
#include <errno.h>
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>

#include "conformance/cases/tables.h"
#include "conformance/stage.h"
#include "runtime/kernel/namespace.h"
#include "runtime/kernel/process.h"

namespace skiff::conformance {
namespace {

// The name in /proc/PID/ns of a type of the configuration.
std::string_view link_name(std::string_view type) { return type == "network" ? "net" : type == "mount" ? "mnt" : type; }

int clone_flag(std::string_view type) {
  struct Flag {
    std::string_view type;
    int bit;
  };
  constexpr std::array<Flag, 6> flags = {{{"network", CLONE_NEWNET},
                                          {"ipc", CLONE_NEWIPC},
                                          {"uts", CLONE_NEWUTS},
                                          {"cgroup", CLONE_NEWCGROUP},
                                          {"mount", CLONE_NEWNS},
                                          {"time", CLONE_NEWTIME}}};
  const auto found = std::ranges::find(flags, type, &Flag::type);
  return found == flags.end() ? 0 : found->bit;
}

void remove_namespace(Stage &stage, std::string_view type) {
  const Tree *all = stage.config.find("/linux/namespaces");
  for (std::size_t i = 0; i < all->members().size(); ++i) {
    if (all->members()[i].value.text("/type") != type) continue;
    stage.config.remove(fmt::format("/linux/namespaces/{}", i));
    return;
  }
}

Tree entry_of(std::string_view type, const std::string &path = "") {
  Tree entry;
  entry.set("/type", std::string(type));
  if (!path.empty()) entry.set("/path", path);
  return entry;
}

Verdict new_one(Stage &stage) {
  const std::string_view type = stage.variant();
  remove_namespace(stage, type);
  stage.config.set("/linux/namespaces/-", entry_of(type));
  const std::string pointer = fmt::format("/namespaces/{}", link_name(type));
  const Tree seen = TRY(stage.observed());
  const std::string ours = TRY(namespace_of("self", link_name(type)));
  TRY(expect(!seen.text(pointer).empty(), pointer, "a namespace", "nothing"));
  return expect(seen.text(pointer) != ours, fmt::format("the {} namespace", type), "a new one", "the runtime's");
}

Verdict inherited(Stage &stage) {
  const std::string_view type = stage.variant();
  remove_namespace(stage, type);
  if (type == "network") {
    // Nothing of the case depends on what the host's network has; a namespace of our own stands for the runtime's.
    TRY(kernel::unshare(CLONE_NEWNET));
  }
  const Tree seen = TRY(stage.observed());
  return expect_same(fmt::format("the {} namespace", type), seen.text(fmt::format("/namespaces/{}", link_name(type))),
                     TRY(namespace_of("self", link_name(type))));
}

// A process that stays in a namespace of its own until the case is over.
Result<kernel::Child> hold_namespace(std::string_view type) {
  kernel::Pipe ready = TRY(kernel::pipe2());
  kernel::Child child =
      TRY(kernel::clone3({.flags = static_cast<std::uint64_t>(type == "time" ? 0 : clone_flag(type))}));
  if (child.is_this_process()) {
    if (type == "time" && !kernel::unshare(CLONE_NEWTIME)) ::_exit(1);
    (void)kernel::write_all(ready.write, "r");
    for (;;) ::pause();
  }
  ready.write.reset();
  if (!TRY(kernel::wait_readable(ready.read, std::chrono::seconds(5)))) return fail("the holder of a namespace hangs");
  return child;
}

Verdict joined(Stage &stage) {
  const std::string_view type = stage.variant();
  const kernel::Child holder = TRY(hold_namespace(type));
  const std::string link = type == "time" ? "time_for_children" : std::string(link_name(type));
  remove_namespace(stage, type);
  stage.config.set("/linux/namespaces/-", entry_of(type, fmt::format("/proc/{}/ns/{}", holder.pid(), link)));
  const std::string theirs = TRY(namespace_of(std::to_string(holder.pid()), link));
  const Tree seen = TRY(stage.observed());
  return expect_same(fmt::format("the {} namespace", type), seen.text(fmt::format("/namespaces/{}", link_name(type))),
                     theirs);
}

Verdict bad_path(Stage &stage) {
  remove_namespace(stage, "uts");
  stage.config.set("/linux/namespaces/-", entry_of("uts", std::string(stage.variant())));
  return expect_refused(stage, fmt::format("a uts namespace by the path {}", stage.variant()));
}

Verdict duplicate(Stage &stage) {
  stage.config.set("/linux/namespaces/-", entry_of("uts"));
  return expect_refused(stage, "two uts namespaces");
}

Verdict bad_type(Stage &stage) {
  stage.config.set("/linux/namespaces/-", TRY(Tree::parse(stage.variant())));
  return expect_refused(stage, stage.variant());
}

Verdict host_name(Stage &stage) {
  stage.config.set("/hostname", "mrsdalloway");
  TRY(expect_same("the host name", TRY(stage.observed()).text("/hostname"), "mrsdalloway"));
  return {};
}

Verdict domain_name(Stage &stage) {
  stage.config.set("/domainname", "example.test");
  return expect_same("the domain name", TRY(stage.observed()).text("/domainname"), "example.test");
}

Verdict host_name_of_the_runtime(Stage &stage) {
  // Without a uts namespace of its own the container would rename the host: some refuse, none may do it quietly.
  TRY(kernel::unshare(CLONE_NEWUTS));
  TRY(kernel::sethostname("before"));
  remove_namespace(stage, "uts");
  stage.config.remove("/hostname");
  return expect_same("the host name", TRY(stage.observed()).text("/hostname"), "before");
}

Verdict first_process(Stage &stage) {
  return expect_number("the program's pid in a new pid namespace", TRY(stage.observed()).number("/pid"), 1);
}

Verdict clocks(Stage &stage) {
  stage.config.set("/ociVersion", "1.1.0");
  stage.config.set("/linux/namespaces/-", entry_of("time"));
  stage.config.set("/linux/timeOffsets", R"({"monotonic": {"secs": 100000}, "boottime": {"secs": 200000}})"_json);
  timespec monotonic{};
  timespec boottime{};
  (void)::clock_gettime(CLOCK_MONOTONIC, &monotonic);
  (void)::clock_gettime(CLOCK_BOOTTIME, &boottime);
  const Tree seen = TRY(stage.observed());
  const std::int64_t first = seen.number("/monotonic").value_or(0) - monotonic.tv_sec;
  const std::int64_t second = seen.number("/boottime").value_or(0) - boottime.tv_sec;
  TRY(expect(first >= 100000 && first < 101000, "the monotonic clock's offset", "100000 s", std::to_string(first)));
  return expect(second >= 200000 && second < 201000, "the boot clock's offset", "200000 s", std::to_string(second));
}

constexpr Case table[] = {
    {"namespaces/a-new-pid-namespace", "linux.namespaces.new", new_one, "pid"},
    {"namespaces/a-new-network-namespace", "linux.namespaces.new", new_one, "network"},
    {"namespaces/a-new-mount-namespace", "linux.namespaces.new", new_one, "mount"},
    {"namespaces/a-new-ipc-namespace", "linux.namespaces.new", new_one, "ipc"},
    {"namespaces/a-new-uts-namespace", "linux.namespaces.new", new_one, "uts"},
    {"namespaces/a-new-cgroup-namespace", "linux.namespaces.new", new_one, "cgroup"},
    {"namespaces/a-new-time-namespace", "linux.namespaces.new", new_one, "time"},
    {"namespaces/pid-is-inherited", "linux.namespaces.inherited", inherited, "pid"},
    {"namespaces/network-is-inherited", "linux.namespaces.inherited", inherited, "network"},
    {"namespaces/ipc-is-inherited", "linux.namespaces.inherited", inherited, "ipc"},
    {"namespaces/uts-is-inherited", "linux.namespaces.inherited", inherited, "uts"},
    {"namespaces/cgroup-is-inherited", "linux.namespaces.inherited", inherited, "cgroup"},
    {"namespaces/user-is-inherited", "linux.namespaces.inherited", inherited, "user"},
    {"namespaces/time-is-inherited", "linux.namespaces.inherited", inherited, "time"},
    {"namespaces/network-is-joined", "linux.namespaces.path.joined", joined, "network"},
    {"namespaces/ipc-is-joined", "linux.namespaces.path.joined", joined, "ipc"},
    {"namespaces/uts-is-joined", "linux.namespaces.path.joined", joined, "uts"},
    {"namespaces/cgroup-is-joined", "linux.namespaces.path.joined", joined, "cgroup"},
    {"namespaces/time-is-joined", "linux.namespaces.path.joined", joined, "time"},
    {"namespaces/path-must-be-absolute", "linux.namespaces.path.absolute config.values", bad_path, "proc/self/ns/uts"},
    {"namespaces/path-of-another-type-fails", "linux.namespaces.path.type", bad_path, "/proc/1/ns/net"},
    {"namespaces/path-of-a-plain-file-fails", "linux.namespaces.path.type", bad_path, "/proc/version"},
    {"namespaces/path-of-nothing-fails", "linux.namespaces.path.type", bad_path, "/no/such/namespace"},
    {"namespaces/two-of-a-type-fail", "linux.namespaces.unique", duplicate},
    {"namespaces/type-must-be-known", "linux.namespaces.type config.values", bad_type, R"({"type": "space"})"},
    {"namespaces/type-is-required", "linux.namespaces.type config.values", bad_type, R"({"path": ""})"},
    {"namespaces/hostname-is-set", "runtime.create.properties", host_name},
    {"namespaces/domainname-is-set", "runtime.create.properties", domain_name},
    {"namespaces/hostname-of-an-inherited-namespace-stays", "linux.namespaces.inherited", host_name_of_the_runtime},
    {"namespaces/the-program-is-first-in-its-pid-namespace", "linux.namespaces.new", first_process},
    {"namespaces/clocks-have-their-offsets", "runtime.create.properties", clocks},
};

}  // namespace

std::span<const Case> namespace_cases() { return table; }

}  // namespace skiff::conformance
