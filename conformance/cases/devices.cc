// config-linux.md, Devices and Default Devices.
#include <errno.h>
#include <fmt/format.h>

#include "conformance/cases/tables.h"
#include "conformance/stage.h"

namespace skiff::conformance {
namespace {

Verdict expect_node(const Tree &seen, std::size_t index, std::string_view type, std::int64_t major,
                    std::int64_t minor) {
  const std::string path = seen.text(fmt::format("/probes/{}/probe", index));
  const Tree *node = probe_value(seen, index);
  TRY(expect_same(path + ", its type", node->text("/type"), std::string(type)));
  TRY(expect_number(path + ", its major number", node->number("/major"), major));
  return expect_number(path + ", its minor number", node->number("/minor"), minor);
}

// "null 1 3": a default device and its numbers, of one digit each.
Verdict default_device(Stage &stage) {
  const std::string_view variant = stage.variant();
  const std::string name(variant.substr(0, variant.find(' ')));
  const std::int64_t minor = variant.back() - '0';
  const std::int64_t major = variant[variant.size() - 3] - '0';
  stage.inside("observe", {"stat:/dev/" + name, "open:/dev/" + name});
  const Tree seen = TRY(stage.observed());
  TRY(expect_node(seen, 0, "c", major, minor));
  // Without a terminal of its own the process has none to open.
  return expect_number("errno of open", probe_errno(seen, 1), name == "tty" ? ENXIO : 0);
}

Verdict pty_multiplexer(Stage &stage) {
  stage.inside("observe", {"open:/dev/ptmx", "stat:/dev/pts/ptmx", "readlink:/dev/ptmx"});
  const Tree seen = TRY(stage.observed());
  TRY(expect_number("errno of open of /dev/ptmx", probe_errno(seen, 0), 0));
  if (probe_errno(seen, 2) == 0) {
    const std::string target = probe_value(seen, 2)->text();
    return expect(target == "pts/ptmx" || target == "/dev/pts/ptmx", "the link /dev/ptmx", "pts/ptmx", target);
  }
  const Tree *mount = mount_at(seen, "/dev/ptmx");
  return expect(mount != nullptr && mount->text("/type") == "devpts", "/dev/ptmx", "a link to, or a mount of, pts/ptmx",
                "neither");
}

Verdict listed_devices(Stage &stage) {
  stage.config.set("/linux/devices", R"([
    {"path": "/dev/first", "type": "c", "major": 1, "minor": 3, "fileMode": 432, "uid": 7, "gid": 8},
    {"path": "/tmp/elsewhere", "type": "c", "major": 1, "minor": 5},
    {"path": "/dev/deep/below", "type": "u", "major": 1, "minor": 7},
    {"path": "/dev/pipe", "type": "p"},
    {"path": "/dev/block", "type": "b", "major": 7, "minor": 0}])"_json);
  stage.inside("observe",
               {"stat:/dev/first", "stat:/tmp/elsewhere", "stat:/dev/deep/below", "stat:/dev/pipe", "stat:/dev/block"});
  const Tree seen = TRY(stage.observed());
  TRY(expect_node(seen, 0, "c", 1, 3));
  TRY(expect_number("the mode of /dev/first", probe_value(seen, 0)->number("/mode"), 0660));
  TRY(expect_number("the owner of /dev/first", probe_value(seen, 0)->number("/uid"), 7));
  TRY(expect_number("the group of /dev/first", probe_value(seen, 0)->number("/gid"), 8));
  TRY(expect_node(seen, 1, "c", 1, 5));
  TRY(expect_node(seen, 2, "c", 1, 7));
  TRY(expect_same("the type of /dev/pipe", probe_value(seen, 3)->text("/type"), "p"));
  return expect_node(seen, 4, "b", 7, 0);
}

Verdict taken_path(Stage &stage) {
  TRY(write_file(stage.rootfs() + "/work/device", "not a device"));
  stage.config.set("/linux/devices", R"([{"path": "/work/device", "type": "c", "major": 1, "minor": 3}])"_json);
  TRY(expect_refused(stage, "a device where a file is"));
  return expect_same("the file", TRY(read_file(stage.rootfs() + "/work/device")), "not a device");
}

Verdict bad_device(Stage &stage) {
  stage.config.set("/linux/devices/-", TRY(Tree::parse(stage.variant())));
  return expect_refused(stage, stage.variant());
}

constexpr Case table[] = {
    {"devices/null", "linux.devices.default.null", default_device, "null 1 3"},
    {"devices/zero", "linux.devices.default.zero", default_device, "zero 1 5"},
    {"devices/full", "linux.devices.default.full", default_device, "full 1 7"},
    {"devices/random", "linux.devices.default.random", default_device, "random 1 8"},
    {"devices/urandom", "linux.devices.default.urandom", default_device, "urandom 1 9"},
    {"devices/tty", "linux.devices.default.tty", default_device, "tty 5 0"},
    {"devices/ptmx", "linux.devices.default.ptmx", pty_multiplexer},
    {"devices/listed-are-there", "linux.devices.available", listed_devices},
    {"devices/a-path-that-is-taken-fails", "linux.devices.path.taken", taken_path, "",
     "runc and crun mount the device over the file; the clause says that they must not"},
    {"devices/type-is-required", "linux.devices.type config.values", bad_device,
     R"({"path": "/dev/x", "major": 1, "minor": 3})"},
    {"devices/type-must-be-known", "linux.devices.type config.values", bad_device,
     R"({"path": "/dev/x", "type": "z", "major": 1, "minor": 3})"},
};

}  // namespace

std::span<const Case> device_cases() { return table; }

}  // namespace skiff::conformance
