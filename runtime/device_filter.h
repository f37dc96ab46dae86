// The device rules of a container as what the kernel takes: a BPF program of type BPF_PROG_TYPE_CGROUP_DEVICE for a
// cgroup v2 directory, or lines for devices.allow and devices.deny of v1. Pure.
//
// The rules count in the order listed (config-linux.md, "Allowed Device list"): the last one that matches a device
// decides, for each of read, write and mknod by itself. A rule of type "a" matches every device and every access,
// whatever else it says, as in v1. What no rule matches is denied.
#pragma once

#include <linux/bpf.h>

#include <optional>
#include <string>
#include <vector>

#include "runtime/cgroup_plan.h"

namespace skiff {

// True if the rules deny nothing, so that no filter is needed.
[[nodiscard]] bool allows_every_device(const std::vector<DeviceRule> &rules);

// The rules as a list of what is allowed, every one of them an allow rule of type b or c; empty where they can only be
// said as exceptions.
[[nodiscard]] std::optional<std::vector<DeviceRule>> list_allowed_devices(const std::vector<DeviceRule> &rules);

// The program: R0 is 1 where every access asked for is allowed. At most a dozen instructions a rule.
[[nodiscard]] std::vector<bpf_insn> make_device_program(const std::vector<DeviceRule> &rules);

// One write to one of the two files of v1.
struct DeviceLine {
  bool allow = false;  // devices.allow, else devices.deny
  std::string text;    // c 1:3 rwm
};
// The lines, in order. The kernel's v1 list knows whole entries only and silently ignores a rule that takes a part out
// of a wider one, so such a rule is an error here.
[[nodiscard]] Result<std::vector<DeviceLine>> make_device_lines(const std::vector<DeviceRule> &rules);

// The rule as v1 writes it: "c 1:* rwm".
[[nodiscard]] std::string print_device_rule(const DeviceRule &rule);

// The rules with what every container may use behind them: mknod of anything; null, zero, full, tty, random, urandom;
// pseudoterminals; tun and tap, which VPN images have relied on since the first runtimes. Where everything is allowed
// but for exceptions, mknod is not added: it would undo a part of the exceptions.
[[nodiscard]] std::vector<DeviceRule> with_default_device_rules(std::vector<DeviceRule> rules);

}  // namespace skiff
