// config-linux.md, Control groups: each controller's values in its files, as far as this host has the controller.
#include <errno.h>
#include <fmt/format.h>
#include <sys/sysmacros.h>

#include "conformance/cases/tables.h"
#include "conformance/leavings.h"
#include "conformance/stage.h"
#include "runtime/kernel/path.h"

namespace skiff::conformance {
namespace {

// One value of the configuration and the file that it ends in, on either version.
struct Value {
  std::string_view pointer;  // below /linux/resources
  std::string_view json;
  std::string_view controller;
  std::string_view v1;  // "FILE=VALUE"; empty: v1 has none
  std::string_view v2;
};

constexpr Value values[] = {
    {"memory", R"({"limit": 67108864})", "memory", "memory.limit_in_bytes=67108864", "memory.max=67108864"},
    {"memory", R"({"limit": 67108864, "reservation": 33554432})", "memory", "memory.soft_limit_in_bytes=33554432",
     "memory.low=33554432"},
    {"pids", R"({"limit": 17})", "pids", "pids.max=17", "pids.max=17"},
    {"cpu", R"({"quota": 50000, "period": 100000})", "cpu", "cpu.cfs_quota_us=50000", "cpu.max=50000 100000"},
    {"cpu", R"({"period": 50000, "quota": 50000})", "cpu", "cpu.cfs_period_us=50000", "cpu.max=50000 50000"},
    {"cpu", R"({"shares": 512})", "cpu", "cpu.shares=512", ""},
    {"cpu", R"({"cpus": "0", "mems": "0"})", "cpuset", "cpuset.cpus=0", "cpuset.cpus=0"},
    {"cpu", R"({"idle": 1})", "cpu", "cpu.idle=1", "cpu.idle=1"},
    {"unified", R"({"cgroup.max.depth": "7"})", "", "", "cgroup.max.depth=7"},
};

Verdict written(Stage &stage) {
  const Value &value = values[stage.variant().front() - '0'];
  const bool unified = is_unified();
  const std::string_view expected = unified ? value.v2 : value.v1;
  if (expected.empty()) return skip(fmt::format("cgroup {} has no file for this", unified ? "v2" : "v1"));
  const std::string hierarchy = find_hierarchy(std::string(value.controller));
  if (hierarchy.empty()) return skip(fmt::format("the {} controller is not here", value.controller));
  const std::string file(expected.substr(0, expected.find('=')));
  stage.config.set(fmt::format("/linux/resources/{}", value.pointer), TRY(Tree::parse(value.json)));
  const Outcome outcome = TRY(stage.create());
  if (outcome.code != 0 && !exists(fmt::format("{}/{}", hierarchy, file)) && file == "cpu.idle") {
    return skip("this kernel has no cpu.idle on that hierarchy");
  }
  if (outcome.code != 0) return miss("create: " + outcome.summary());
  std::string seen = TRY(read_file(fmt::format("{}{}/{}", hierarchy, stage.cgroup(), file)));
  while (seen.ends_with('\n')) seen.pop_back();
  return expect_same(file, seen, std::string(expected.substr(file.size() + 1)));
}

Verdict allowed_devices(Stage &stage) {
  // Two devices, each with both answers, in either order. The group is asked before a driver is looked for: whatever
  // else open says is no denial.
  stage.config.set("/linux/resources/devices", R"([
    {"allow": false, "access": "rwm"},
    {"allow": true, "type": "c", "major": 10, "minor": 228, "access": "rwm"},
    {"allow": false, "type": "c", "major": 10, "minor": 228, "access": "rwm"},
    {"allow": false, "type": "c", "major": 10, "minor": 229, "access": "rwm"},
    {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rwm"}])"_json);
  TRY(kernel::mknodat(kernel::cwd, stage.rootfs() + "/work/denied", S_IFCHR | 0666, makedev(10, 228)));
  TRY(kernel::mknodat(kernel::cwd, stage.rootfs() + "/work/allowed", S_IFCHR | 0666, makedev(10, 229)));
  stage.inside("observe", {"open:/work/denied", "open:/work/allowed"});
  const Tree seen = TRY(stage.observed());
  TRY(expect_number("errno of open of what was allowed, then denied", probe_errno(seen, 0), EPERM));
  return expect(probe_errno(seen, 1) != EPERM, "open of what was denied, then allowed", "anything but EPERM", "EPERM");
}

Verdict refused(Stage &stage) {
  const std::string_view edit = stage.variant();
  const std::size_t equals = edit.find('=');
  stage.config.set(fmt::format("/linux/resources/{}", edit.substr(0, equals)),
                   TRY(Tree::parse(edit.substr(equals + 1))));
  return expect_refused(stage, edit);
}

Verdict on_v2(Stage &stage) {
  if (!is_unified()) return skip("cgroup v2 alone has this rule, and v1 is mounted here");
  return refused(stage);
}

Verdict enabled_controller(Stage &stage) {
  if (!is_unified()) return skip("controllers are enabled on cgroup v2, and v1 is mounted here");
  const std::string hierarchy = find_hierarchy("pids");
  if (hierarchy.empty()) return skip("the pids controller is not here");
  stage.config.set("/linux/resources/unified", R"({"pids.max": "23"})"_json);
  TRY(stage.created());
  return expect_same("pids.max", TRY(read_file(fmt::format("{}{}/pids.max", hierarchy, stage.cgroup()))), "23\n");
}

Verdict unknown_key(Stage &stage) {
  if (!is_unified()) return skip("unified is for cgroup v2, and v1 is mounted here");
  const std::string root = find_hierarchy("");
  // A file of the core that no runtime has a field for.
  stage.config.set("/linux/resources/unified", R"({"cgroup.max.descendants": "31"})"_json);
  TRY(stage.created());
  return expect_same("cgroup.max.descendants",
                     TRY(read_file(fmt::format("{}{}/cgroup.max.descendants", root, stage.cgroup()))), "31\n");
}

constexpr Case table[] = {
    {"resources/memory-limit", "runtime.create.properties", written, "0"},
    {"resources/memory-reservation", "runtime.create.properties", written, "1"},
    {"resources/pids-limit", "runtime.create.properties", written, "2"},
    {"resources/cpu-quota", "runtime.create.properties", written, "3"},
    {"resources/cpu-period", "runtime.create.properties", written, "4"},
    {"resources/cpu-shares", "runtime.create.properties", written, "5"},
    {"resources/cpu-set", "runtime.create.properties", written, "6"},
    {"resources/cpu-idle", "runtime.create.properties", written, "7"},
    {"resources/devices-in-order", "linux.resources.devices.order", allowed_devices},
    {"resources/burst-above-quota-fails", "linux.resources.cpu.burst", refused,
     R"(cpu={"quota": 10000, "period": 100000, "burst": 20000})"},
    {"resources/a-page-size-that-is-none-fails", "linux.resources.hugepages.pageSize config.values", refused,
     R"(hugepageLimits=[{"pageSize": "3MB", "limit": 4096}])"},
    {"resources/unified-enables-controllers", "linux.resources.unified.controllers", enabled_controller},
    {"resources/unified-is-written", "linux.resources.unified.unknown", written, "8"},
    {"resources/unified-writes-what-is-unknown", "linux.resources.unified.unknown", unknown_key},
    {"resources/unified-of-an-absent-controller-fails", "linux.resources.unified.absent", refused,
     R"(unified={"nosuch.max": "1"})"},
    {"resources/what-v2-cannot-do-fails", "linux.resources.unified.conversion", on_v2, R"(memory={"swappiness": 10})"},
};

}  // namespace

std::span<const Case> resource_cases() { return table; }

}  // namespace skiff::conformance
