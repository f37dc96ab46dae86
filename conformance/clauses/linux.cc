#include "conformance/clauses/clauses.h"

namespace skiff::conformance {
namespace {

constexpr auto author =
    "binds the author of config.json: a runtime MAY validate (runtime.md, Create), and those that read with Go's "
    "decoder cannot tell an absent value from zero";
constexpr auto hardware = "needs a processor with resource control and a mounted resctrl, which few hosts have";

constexpr auto namespaces = "config-linux.md, Namespaces";
constexpr auto mappings = "config-linux.md, User namespace mappings";
constexpr auto devices = "config-linux.md, Devices";
constexpr auto default_devices = "config-linux.md, Default Devices";
constexpr auto net = "config-linux.md, Network Devices";
constexpr auto net_life = "config-linux.md, Namespace Lifecycle and Container Termination";
constexpr auto rdt = "config-linux.md, IntelRdt";

constexpr Clause table[] = {
    {"linux.namespaces.type", namespaces, "a namespace without a known type is refused"},
    {"linux.namespaces.path.absolute", namespaces, "a namespace's path that is not absolute is refused"},
    {"linux.namespaces.path.joined", namespaces, "the container is in the namespace of the path"},
    {"linux.namespaces.path.type", namespaces, "a path to a namespace of another type, or to none, is an error"},
    {"linux.namespaces.new", namespaces, "a namespace without path is a new one"},
    {"linux.namespaces.inherited", namespaces, "a namespace that is not listed is the runtime's"},
    {"linux.namespaces.unique", namespaces, "two namespaces of one type are an error"},
    {"linux.uidMappings.containerID", mappings, "a mapping has a containerID", author},
    {"linux.uidMappings.hostID", mappings, "a mapping has a hostID", author},
    {"linux.uidMappings.size", mappings, "a mapping has a size"},
    {"linux.devices.available", devices, "the devices listed are there"},
    {"linux.devices.type", devices, "a device without a known type is refused"},
    {"linux.devices.path", devices, "a device has a path", author},
    {"linux.devices.path.taken", devices, "another file at a device's path is an error"},
    {"linux.devices.numbers", devices, "a device has major and minor numbers", author},
    {"linux.devices.default.null", default_devices, "/dev/null is there"},
    {"linux.devices.default.zero", default_devices, "/dev/zero is there"},
    {"linux.devices.default.full", default_devices, "/dev/full is there"},
    {"linux.devices.default.random", default_devices, "/dev/random is there"},
    {"linux.devices.default.urandom", default_devices, "/dev/urandom is there"},
    {"linux.devices.default.tty", default_devices, "/dev/tty is there"},
    {"linux.devices.default.console", default_devices, "with terminal, /dev/console is the process's terminal"},
    {"linux.devices.default.ptmx", default_devices, "/dev/ptmx leads to the container's own pts/ptmx"},
    {"linux.netDevices.available", net, "the network devices listed are in the container"},
    {"linux.netDevices.taken", net, "a name that the container's network namespace has already is an error"},
    {"linux.netDevices.template", net, "a name that ends in %d lets the kernel choose"},
    {"linux.netDevices.addresses", net, "permanent addresses of global scope stay with the device"},
    {"linux.netDevices.up", net, "the device is up"},
    {"linux.netDevices.unmanaged", net_life, "in the container the device is left alone",
     "that nothing is done cannot be told from outside; the attributes that must stay are linux.netDevices.addresses"},
    {"linux.netDevices.not-returned", net_life, "delete does not move the device out"},
    {"linux.rdt.available", rdt, "intelRdt without a mounted resctrl is an error"},
    {"linux.rdt.tasks", rdt, "the container's process is in the group that closID names", hardware},
    {"linux.rdt.unset", rdt, "without intelRdt resctrl is not touched", hardware},
    {"linux.rdt.closID.root", rdt, "closID / is the default group", hardware},
    {"linux.rdt.memBwSchema.form", rdt, "memBwSchema starts with MB: and has one line", hardware},
    {"linux.rdt.schemata.form", rdt, "an element of schemata is one line", hardware},
    {"linux.rdt.schemata.both", rdt, "l3CacheSchema is written before memBwSchema", hardware},
    {"linux.rdt.schemata.either", rdt, "l3CacheSchema or memBwSchema is written", hardware},
    {"linux.rdt.schemata.written", rdt, "schemata is written", hardware},
    {"linux.rdt.schemata.none", rdt, "without any of them no schemata file is written", hardware},
    {"linux.rdt.closID.unset", rdt, "without closID the group has the container's id", hardware},
    {"linux.rdt.closID.created", rdt, "with closID and a schema the group is made where missing", hardware},
    {"linux.rdt.closID.compared", rdt, "with closID and a schema that an existing group does not have: an error",
     hardware},
    {"linux.rdt.closID.preset", rdt, "closID alone names an existing group, or it is an error", hardware},
    {"linux.rdt.removed", rdt, "a group that the runtime made for the container goes with it", hardware},
    {"linux.rdt.kept", rdt, "any other group stays", hardware},
    {"linux.rdt.monitoring", rdt, "enableMonitoring makes a monitoring group, removed after delete", hardware},
    {"linux.memoryPolicy.mode", "config-linux.md, Memory policy", "a memory policy has a mode"},
    {"linux.maskedPaths.absolute", "config-linux.md, Masked Paths", "a masked path is absolute",
     "binds the author of config.json; that the path is masked is in runtime.create.properties"},
    {"linux.readonlyPaths.absolute", "config-linux.md, Readonly Paths", "a read-only path is absolute",
     "binds the author of config.json; that the path is read-only is in runtime.create.properties"},
    {"linux.personality.domain", "config-linux.md, Personality", "a personality has a domain"},
};

constexpr auto groups = "config-linux.md, Control groups";
constexpr auto path = "config-linux.md, Cgroups Path";
constexpr auto ownership = "config-linux.md, Cgroup ownership";
constexpr auto allowed = "config-linux.md, Allowed Device list";
constexpr auto block = "config-linux.md, Block IO";
constexpr auto unified = "config-linux.md, Unified";

constexpr Clause resource_table[] = {
    {"linux.cgroup.fit", groups, "a cgroup that the runtime finds unfit, such as a frozen one, is an error"},
    {"linux.cgroupsPath.form", path, "cgroupsPath is absolute or relative",
     "every string is one or the other; each form has its clause below"},
    {"linux.cgroupsPath.absolute", path, "an absolute path counts from the mount point of the hierarchy"},
    {"linux.cgroupsPath.consistent", path, "the same value leads to the same place each time"},
    {"linux.cgroupsPath.invalid", path, "a path that the runtime finds invalid is an error",
     "each runtime says for itself which paths those are; the specification names none"},
    {"linux.cgroup.owner.missing-files", ownership, "a file of the delegation list that is missing is no error"},
    {"linux.cgroup.owner.fallback", ownership, "without the kernel's delegation list a fixed list is used",
     "every kernel since 4.15 has the list, and nothing outside can take it away"},
    {"linux.resources.devices.order", allowed, "the rules for devices apply in the order of the list"},
    {"linux.resources.devices.allow", allowed, "a rule says whether it allows", author},
    {"linux.resources.memory.checkBeforeUpdate", "config-linux.md, Memory",
     "a runtime that checks a new limit against what is in use refuses one that is lower",
     "concerns an update of a living container, which is no operation of the specification"},
    {"linux.resources.cpu.burst", "config-linux.md, CPU", "quota is not smaller than burst"},
    {"linux.resources.blockIO.weightDevice.numbers", block, "a weight has the numbers of its device", author},
    {"linux.resources.blockIO.weightDevice.weight", block, "a weight for a device has one of its two values", author},
    {"linux.resources.blockIO.throttle.numbers", block, "a throttle has the numbers of its device", author},
    {"linux.resources.blockIO.throttle.rate", block, "a throttle has a rate", author},
    {"linux.resources.hugepages.pageSize", "config-linux.md, Huge page limits",
     "a limit for huge pages has the size of the page"},
    {"linux.resources.hugepages.limit", "config-linux.md, Huge page limits", "a limit for huge pages has a limit",
     author},
    {"linux.resources.network.name", "config-linux.md, Network", "a priority has the name of an interface", author},
    {"linux.resources.network.priority", "config-linux.md, Network", "a priority has a value", author},
    {"linux.resources.rdma.either", "config-linux.md, RDMA", "a limit for RDMA has one of its two values", author},
    {"linux.resources.unified.controllers", unified, "the controllers that the keys need are enabled"},
    {"linux.resources.unified.unknown", unified, "a key that the runtime does not know is written all the same"},
    {"linux.resources.unified.absent", unified, "a key of a controller that is not there is an error"},
    {"linux.resources.unified.conversion", unified, "a value for v1 that has no form in v2 is an error"},
};

constexpr auto seccomp = "config-linux.md, Seccomp";
constexpr auto process_state = "config-linux.md, The Container Process State";

constexpr Clause seccomp_table[] = {
    {"linux.seccomp.defaultAction", seccomp, "a filter without a known default action is refused"},
    {"linux.seccomp.defaultErrnoRet", seccomp, "a default errno for an action that returns none is an error"},
    {"linux.seccomp.listenerPath.socket", seccomp, "the listener's path is a stream socket of the unix domain"},
    {"linux.seccomp.listenerPath.one", seccomp, "each connection carries one container process state"},
    {"linux.seccomp.listenerPath.closed", seccomp, "the connection is closed after it"},
    {"linux.seccomp.listenerPath.error", seccomp, "a state that cannot be sent is an error"},
    {"linux.seccomp.seccompFd", seccomp, "the filter's listener is sent under the name seccompFd"},
    {"linux.seccomp.listenerMetadata", seccomp, "listenerMetadata comes with listenerPath", author},
    {"linux.seccomp.syscalls.names", seccomp, "a rule names at least one call"},
    {"linux.seccomp.syscalls.action", seccomp, "a rule without a known action is refused"},
    {"linux.seccomp.syscalls.errnoRet", seccomp, "an errno for an action that returns none is an error"},
    {"linux.seccomp.args.index", seccomp, "a condition has the index of its argument", author},
    {"linux.seccomp.args.value", seccomp, "a condition has a value", author},
    {"linux.seccomp.args.op", seccomp, "a condition without a known operator is refused"},
    {"linux.seccomp.state.json", process_state, "the state is sent as JSON"},
    {"linux.seccomp.state.rights", process_state, "descriptors are sent with SCM_RIGHTS"},
    {"linux.seccomp.state.first", process_state, "descriptors are sent with the first bytes only"},
    {"linux.seccomp.state.ociVersion", process_state, "the state names the version of the specification"},
    {"linux.seccomp.state.pid", process_state, "the state has the pid of the process under the filter"},
    {"linux.seccomp.state.state", process_state, "the state has the container's state in it"},
};

}  // namespace

std::span<const Clause> linux_clauses() { return table; }
std::span<const Clause> resource_clauses() { return resource_table; }
std::span<const Clause> seccomp_clauses() { return seccomp_table; }

}  // namespace skiff::conformance
