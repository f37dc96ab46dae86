// The container's filesystem as init builds it: the root, what is mounted in it, its devices, what is hidden again.
//
// Init makes one Rootfs (make_rootfs) in its new mount namespace and applies the steps in the plan's order. A path
// inside the rootfs is resolved by openat2(2) with RESOLVE_IN_ROOT each time and exists only as the descriptor that
// gave; every mount is made detached and attached from descriptor to descriptor, so a step that fails leaves nothing.
// Errors carry the call or the reason; the caller adds the step's field in front ("mounts[3] (/data)").
//
// Kernels: Linux 5.10 and later. Where mount_setattr(2) is missing (ENOSYS below 5.12) plain attributes and propagation
// go through mount(2) on the descriptor; id-mapped mounts and recursive attributes are errors there.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/kernel/fd.h"
#include "runtime/kernel/proc.h"
#include "runtime/plan.h"

namespace skiff {

// What init knows of the container's root while it builds it. Move only; dropping it detaches nothing that is attached.
struct Rootfs {
  kernel::Fd root;      // the root of the rootfs mount, O_PATH; invalid before AttachRootfs; good after PivotRoot
  kernel::Procfs proc;  // lists this process: a private one, or the host's as it was before any namespace was joined
  const Plan *plan = nullptr;       // borrowed: the cgroup layout, whose namespaces are new, where the steps come from
  std::size_t step = 0;             // which of plan->steps is applied now: the loop sets it
  std::vector<kernel::Fd> sources;  // by step: what open_sources opened, mostly invalid; may be shorter than the steps

  std::string root_path;   // what self/fd shows of `root`; "/" after PivotRoot
  kernel::Fd masks;        // the one empty read-only tmpfs that every masked directory is a clone of; made when needed
  dev_t masks_device = 0;  // that tmpfs
  kernel::Fd null_device;  // the container's /dev/null, checked to be device 1:3; opened when the first file is masked
  // Destination and root of each procfs and sysfs: what is protected in them is found from here. Who shares the rootfs
  // may have exchanged the directory for a link since (CVE-2023-27561).
  std::vector<std::pair<std::string, kernel::Fd>> kernel_filesystems;
  // The directory of the last device, which the next ones lie in as a rule; reset with `device_directory.fd`.
  struct Directory {
    std::string path;
    kernel::Fd fd;
    bool plain = false;  // a tmpfs that gives its files no group or mode of its own
  };
  Directory device_directory;
  std::vector<std::pair<std::string, kernel::Fd>> late_readonly;  // destination and mount of each readonly_last
  // Has the parent give a detached mount the id maps of the step that is applied now; empty: init does it itself.
  std::function<Status(const kernel::Fd &mount)> id_map_outside;
};

// `proc` must list the calling process; `plan` must outlive the result.
[[nodiscard]] Rootfs make_rootfs(const Plan &plan, kernel::Procfs proc, std::vector<kernel::Fd> sources = {});

// In the parent, before init is cloned: the detached clones of those bind sources (and of the rootfs) that init could
// not open or id-map by itself because it will be root of a user namespace only. By step; empty where nothing needs it.
// Made in a mount namespace of a user namespace, so that flags such as nosuid stay locked: mount_namespaces(7).
// Forks twice, and both have ended when it returns.
[[nodiscard]] Result<std::vector<kernel::Fd>> open_sources(const Plan &plan);

// ---- steps: each is one entry of the plan ----

[[nodiscard]] Status apply(const SetPropagation &step, Rootfs &rootfs);
// The directory must be no symlink (its own path decides which one is pivoted to). ENOENT, ENOTDIR, ELOOP say which.
[[nodiscard]] Status apply(const AttachRootfs &step, Rootfs &rootfs);
[[nodiscard]] Status apply(const MountStep &step, Rootfs &rootfs);
// config-linux.md, "Devices": a file that is there and is not this device is an error for a listed device; for one of
// the default devices it is replaced.
[[nodiscard]] Status apply(const MakeDevice &step, Rootfs &rootfs);
// A link or file that is there stays, as images bring their own; /dev/ptmx alone is replaced (config-linux.md,
// "Default Devices": it must be that of the container's devpts).
[[nodiscard]] Status apply(const MakeSymlink &step, Rootfs &rootfs);
// Afterwards "/" is the rootfs and the working directory. Without AttachRootfs before it (chroot) it opens the rootfs.
[[nodiscard]] Status apply(const PivotRoot &step, Rootfs &rootfs);
[[nodiscard]] Status apply(const SetRootPropagation &step, Rootfs &rootfs);
// A path that does not exist needs no protection: no error.
[[nodiscard]] Status apply(const MakeReadonly &step, Rootfs &rootfs);
[[nodiscard]] Status apply(const MaskPath &step, Rootfs &rootfs);
[[nodiscard]] Status apply(const FinishReadonly &step, Rootfs &rootfs);
[[nodiscard]] Status apply(const RootReadonly &step, Rootfs &rootfs);
[[nodiscard]] Status apply(const SetSysctl &step, Rootfs &rootfs);

// Attaches a detached mount at `destination` inside the root. A missing target is made: a directory (0755) or an empty
// file (0644) with its parents. The descriptor stays the root of the mount. Refuses "/" and what must not cover /proc.
[[nodiscard]] Status attach(const kernel::Fd &mount, std::string_view destination, bool directory, Rootfs &rootfs);

}  // namespace skiff
