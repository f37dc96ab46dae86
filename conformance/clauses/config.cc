#include "conformance/clauses/clauses.h"

namespace skiff::conformance {
namespace {

constexpr auto version = "config.md, Specification version";
constexpr auto root = "config.md, Root";
constexpr auto process = "config.md, Process";
constexpr auto posix = "config.md, POSIX process";
constexpr auto linux_process = "config.md, Linux Process";
constexpr auto user = "config.md, POSIX-platform User";
constexpr auto annotations = "config.md, Annotations";

// A runtime may leave it to its caller whether a document is complete.
constexpr auto author =
    "binds the author of config.json: a runtime MAY validate (runtime.md, Create), and those that read with Go's "
    "decoder cannot tell an absent value from zero";

constexpr Clause table[] = {
    {"config.ociVersion.required", version, "a config without ociVersion is refused"},
    {"config.ociVersion.semver", version, "ociVersion is a version as SemVer 2.0.0 writes it"},
    {"config.root.required", root, "a config without root is refused"},
    {"config.root.path.required", root, "a root without path is refused"},
    {"config.root.path.exists", root, "root.path is a directory that exists"},
    {"config.root.readonly", root, "with root.readonly the container cannot write to its root filesystem"},
    {"config.process.required", process, "process is there when start is called"},
    {"config.process.consoleSize.ignored", process, "consoleSize without terminal changes nothing"},
    {"config.process.consoleSize.height", process, "consoleSize has a height", author},
    {"config.process.consoleSize.width", process, "consoleSize has a width", author},
    {"config.process.cwd.required", process, "a process without cwd is refused"},
    {"config.process.cwd.absolute", process, "a cwd that is not absolute is refused"},
    {"config.process.args.one", process, "a process without args is refused"},
    {"config.process.args.first", process, "the first of args names the file, as execvp(3) takes it"},
    {"config.process.rlimits.known", posix, "a limit that the kernel does not have is an error"},
    {"config.process.rlimits.getrlimit", posix, "every limit listed can be asked for in the container"},
    {"config.process.rlimits.type", posix, "a limit has a type"},
    {"config.process.rlimits.soft", posix, "the soft limit is the configured value"},
    {"config.process.rlimits.soft.required", posix, "a limit has a soft value", author},
    {"config.process.rlimits.hard", posix, "the hard limit is the configured value"},
    {"config.process.rlimits.hard.required", posix, "a limit has a hard value", author},
    {"config.process.rlimits.unique", posix, "two limits of one type are an error"},
    {"config.process.capabilities.unknown", linux_process,
     "a capability that the kernel does not know, or that cannot be granted, is a warning and no error"},
    {"config.process.oomScoreAdj.set", linux_process, "oom_score_adj is the configured value"},
    {"config.process.oomScoreAdj.unset", linux_process, "without oomScoreAdj the value is left alone"},
    {"config.process.scheduler.policy", linux_process, "a scheduler has a policy"},
    {"config.process.ioPriority.class", linux_process, "an ioPriority has a class"},
    {"config.process.ioPriority.priority", linux_process, "an ioPriority has a priority", author},
    {"config.process.user.uid", user, "a user has a uid", author},
    {"config.process.user.gid", user, "a user has a gid", author},
    {"config.annotations.map", annotations, "annotations are an object"},
    {"config.annotations.keys", annotations, "keys are strings", "a key of a JSON object cannot be anything else"},
    {"config.annotations.keys.empty", annotations, "no key is empty",
     "binds the author of config.json; runc and crun take the empty key, and nothing depends on it"},
    {"config.annotations.reserved", annotations, "keys below org.opencontainers mean what the specification says",
     "binds the author of config.json: the keys carry text that no runtime acts on"},
    {"config.annotations.reserved.values", annotations,
     "the values of org.opencontainers.image.* are what the image specification allows",
     "binds the author of config.json: no runtime acts on them"},
    {"config.annotations.reserved.later", annotations, "other keys below org.opencontainers stay free",
     "binds the authors of later specifications"},
    {"config.annotations.unknown", annotations, "an unknown annotation is ignored"},
    {"config.annotations.values", annotations, "values are strings"},
    {"config.extensibility", "config.md, Extensibility", "an unknown property is ignored and is no error"},
    {"config.values", "config.md, Valid values", "an invalid or unsupported value is an error"},
};

constexpr auto mounts = "config.md, Mounts";
constexpr auto options = "config.md, Linux mount options";
constexpr auto posix_mounts = "config.md, POSIX-platform Mounts";

constexpr Clause mount_table[] = {
    {"config.mounts.order", mounts, "mounts are made in the order of the list"},
    {"config.mounts.destination.required", mounts, "a mount without destination is refused"},
    {"config.mounts.destination.relative", mounts, "a relative destination counts from /"},
    {"config.mounts.option.async", options, "async: writes are not synchronous"},
    {"config.mounts.option.atime", options, "atime: access times are kept"},
    {"config.mounts.option.bind", options, "bind: the source itself, without what is mounted below it"},
    {"config.mounts.option.defaults", options, "defaults: nothing out of the ordinary"},
    {"config.mounts.option.dev", options, "dev: device nodes work"},
    {"config.mounts.option.diratime", options, "diratime: access times of directories are kept"},
    {"config.mounts.option.dirsync", options, "dirsync: changes of directories are synchronous"},
    {"config.mounts.option.exec", options, "exec: programs can be run"},
    {"config.mounts.option.iversion", options, "iversion: inodes have a version"},
    {"config.mounts.option.lazytime", options, "lazytime: times are written late"},
    {"config.mounts.option.loud", options, "loud: the kernel may report"},
    {"config.mounts.option.noatime", options, "noatime: no access times"},
    {"config.mounts.option.nodev", options, "nodev: device nodes do not work"},
    {"config.mounts.option.nodiratime", options, "nodiratime: no access times of directories"},
    {"config.mounts.option.noexec", options, "noexec: no program can be run"},
    {"config.mounts.option.noiversion", options, "noiversion: inodes have no version"},
    {"config.mounts.option.nolazytime", options, "nolazytime: times are written at once"},
    {"config.mounts.option.norelatime", options, "norelatime: relatime is not asked for"},
    {"config.mounts.option.nostrictatime", options, "nostrictatime: the kernel's own default for access times"},
    {"config.mounts.option.nosuid", options, "nosuid: set-user-id bits do nothing"},
    {"config.mounts.option.private", options, "private: no propagation"},
    {"config.mounts.option.rbind", options, "rbind: the source with all that is mounted below it"},
    {"config.mounts.option.relatime", options, "relatime: access times are kept now and then"},
    {"config.mounts.option.remount", options, "remount: changes a mount that is there"},
    {"config.mounts.option.ro", options, "ro: cannot be written to"},
    {"config.mounts.option.rprivate", options, "rprivate: no propagation, and none below"},
    {"config.mounts.option.rshared", options, "rshared: propagates both ways, and so do mounts below"},
    {"config.mounts.option.rslave", options, "rslave: receives only, and so do mounts below"},
    {"config.mounts.option.runbindable", options, "runbindable: private and cannot be bound, nor what is below"},
    {"config.mounts.option.rw", options, "rw: can be written to"},
    {"config.mounts.option.shared", options, "shared: propagates both ways"},
    {"config.mounts.option.silent", options, "silent: the kernel does not report"},
    {"config.mounts.option.slave", options, "slave: receives only"},
    {"config.mounts.option.strictatime", options, "strictatime: every access is kept"},
    {"config.mounts.option.suid", options, "suid: set-user-id bits work"},
    {"config.mounts.option.sync", options, "sync: writes are synchronous"},
    {"config.mounts.option.unbindable", options, "unbindable: private and cannot be bound"},
    {"config.mounts.idmap.applied", options, "idmap and ridmap: ids are mapped"},
    {"config.mounts.idmap.own", options, "idmap and ridmap: the mount's own mappings are the ones used"},
    {"config.mounts.idmap.none", options,
     "idmap and ridmap without mappings, in a container without a user namespace, is an error"},
    {"config.mounts.uidMappings.pair", posix_mounts, "uidMappings come with gidMappings"},
    {"config.mounts.gidMappings.pair", posix_mounts, "gidMappings come with uidMappings"},
};

constexpr auto hooks = "config.md, POSIX-platform Hooks";

constexpr Clause hook_table[] = {
    {"config.hooks.path.required", hooks, "a hook without path is refused"},
    {"config.hooks.path.absolute", hooks, "a hook whose path is not absolute is refused"},
    {"config.hooks.timeout.positive", hooks, "a timeout is greater than zero"},
    {"config.hooks.order", hooks, "the hooks of a kind run in the order of the list"},
    {"config.hooks.state", hooks, "every hook gets the container's state on stdin"},
    {"config.hooks.prestart.when", "config.md, Prestart",
     "prestart hooks run during create, in the made environment, before the root is changed"},
    {"config.hooks.prestart.first", "config.md, Prestart", "prestart hooks run before createRuntime hooks"},
    {"config.hooks.prestart.path", "config.md, Prestart", "the path of a prestart hook is one of the runtime's"},
    {"config.hooks.prestart.namespace", "config.md, Prestart", "prestart hooks run in the runtime's namespaces"},
    {"config.hooks.createRuntime.when", "config.md, CreateRuntime Hooks",
     "createRuntime hooks run during create, in the made environment, before the root is changed"},
    {"config.hooks.createRuntime.path", "config.md, CreateRuntime Hooks",
     "the path of a createRuntime hook is one of the runtime's"},
    {"config.hooks.createRuntime.namespace", "config.md, CreateRuntime Hooks",
     "createRuntime hooks run in the runtime's namespaces"},
    {"config.hooks.createContainer.when", "config.md, CreateContainer Hooks",
     "createContainer hooks run during create, in the made environment, before the root is changed"},
    {"config.hooks.createContainer.later", "config.md, CreateContainer Hooks",
     "createContainer hooks run after createRuntime hooks"},
    {"config.hooks.createContainer.path", "config.md, CreateContainer Hooks",
     "the path of a createContainer hook is one of the runtime's"},
    {"config.hooks.createContainer.namespace", "config.md, CreateContainer Hooks",
     "createContainer hooks run in the container's namespaces"},
    {"config.hooks.startContainer.when", "config.md, StartContainer Hooks",
     "startContainer hooks run during start, before the user's program"},
    {"config.hooks.startContainer.path", "config.md, StartContainer Hooks",
     "the path of a startContainer hook is one of the container's"},
    {"config.hooks.startContainer.namespace", "config.md, StartContainer Hooks",
     "startContainer hooks run in the container's namespaces"},
    {"config.hooks.poststart.when", "config.md, Poststart",
     "poststart hooks run after the user's program began, before start returns"},
    {"config.hooks.poststart.path", "config.md, Poststart", "the path of a poststart hook is one of the runtime's"},
    {"config.hooks.poststart.namespace", "config.md, Poststart", "poststart hooks run in the runtime's namespaces"},
    {"config.hooks.poststop.when", "config.md, Poststop",
     "poststop hooks run after the container is gone, before delete returns"},
    {"config.hooks.poststop.path", "config.md, Poststop", "the path of a poststop hook is one of the runtime's"},
    {"config.hooks.poststop.namespace", "config.md, Poststop", "poststop hooks run in the runtime's namespaces"},
};

}  // namespace

std::span<const Clause> config_clauses() { return table; }
std::span<const Clause> mount_clauses() { return mount_table; }
std::span<const Clause> hook_clauses() { return hook_table; }

}  // namespace skiff::conformance
