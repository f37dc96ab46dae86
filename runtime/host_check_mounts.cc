// root.path and the entries of `mounts`: their files on the host, and what the kernel must know to mount them.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <algorithm>

#include "runtime/cgroup_file.h"
#include "runtime/host_check_parts.h"
#include "runtime/kernel/mount.h"
#include "runtime/kernel/path.h"
#include "runtime/plan_mounts.h"
#include "runtime/plan_process.h"
#include "spec/path.h"

namespace skiff {
namespace {

// ---- what the kernel knows ----

struct FilesystemType {
  std::string name;
  bool needs_device = false;
};

struct KernelMounts {
  std::vector<FilesystemType> types;  // empty where /proc/filesystems cannot be read
  bool has_mount_setattr = true;
};

// proc_filesystems(5): "nodev\ttmpfs", "\text4".
std::vector<FilesystemType> parse_filesystems(std::string_view text) {
  std::vector<FilesystemType> out;
  while (const std::optional<std::string_view> line = next_line(text)) {
    out.push_back({std::string(line->substr(line->find('\t') + 1)), line->starts_with('\t')});
  }
  return out;
}

KernelMounts read_kernel_mounts(const HostChecker &c) {
  KernelMounts out;
  if (const Result<std::string> text = c.proc().read_file("filesystems")) out.types = parse_filesystems(*text);
  // Nothing to change on no mount: answered before anything is looked up.
  const Status probed = kernel::mount_setattr(kernel::no_fd, "", {});
  out.has_mount_setattr = probed || probed.error().number != ENOSYS;
  return out;
}

// The kernel loads a filesystem's module by the alias "fs-NAME" when it is first mounted.
bool is_loadable(const std::string &type) {
  utsname system{};
  if (::uname(&system) != 0) return false;
  const Result<std::string> aliases = read_host_file(
      fmt::format("/lib/modules/{}/modules.alias", std::string_view(system.release)), std::size_t{32} << 20);
  return aliases && aliases->find(fmt::format("alias fs-{} ", type)) != std::string::npos;
}

// ---- one mount ----

struct Entry {
  std::size_t index;
  const spec::Mount &mount;
  const MountStep &step;
};

void check_bind_source(HostChecker &c, const Entry &entry) {
  const std::string &source = entry.step.source;
  const bool link_itself = entry.step.copy_symlink || entry.step.source_nofollow;
  const auto itself = kernel::fstatat(kernel::cwd, source, AT_SYMLINK_NOFOLLOW);
  const bool is_link = itself && S_ISLNK(itself->st_mode);
  if (is_link && link_itself) return;
  const auto there = kernel::fstatat(kernel::cwd, source);
  if (there) return;
  if (!is_absent(there.error())) return c.note_unseen(source, there.error());
  const auto target = is_link ? kernel::readlinkat(kernel::cwd, source) : Result<std::string>();
  c.add(at("mounts", entry.index, "source"),
        is_link && target ? fmt::format("{} on the host is a symbolic link to {}, which leads nowhere", source, *target)
                          : fmt::format("{} does not exist on the host", source),
        "make it before the container, or remove the mount");
}

void check_type(HostChecker &c, const Entry &entry, const KernelMounts &kernel_mounts) {
  // "fuse.sshfs" is a subtype of fuse.
  const std::string type = entry.step.type.substr(0, entry.step.type.find('.'));
  const auto known = std::ranges::find(kernel_mounts.types, type, &FilesystemType::name);
  if (known == kernel_mounts.types.end()) {
    if (is_loadable(type)) {
      c.note(fmt::format("mounts[{}]: filesystem {} is a module that is not loaded yet; the mount loads it",
                         entry.index, type));
      return;
    }
    c.add(at("mounts", entry.index, "type"),
          fmt::format("this kernel does not know the filesystem \"{}\" (/proc/filesystems)", type),
          fmt::format("correct the name, or load the module if there is one: modprobe {}", type));
    return;
  }
  if (!known->needs_device || !entry.step.source.starts_with('/')) return;
  const auto device = kernel::fstatat(kernel::cwd, entry.step.source);
  if (device) return;
  if (!is_absent(device.error())) return c.note_unseen(entry.step.source, device.error());
  c.add(at("mounts", entry.index, "source"), fmt::format("{} does not exist on the host", entry.step.source),
        fmt::format("name the block device that the {} is on", type));
}

// The directories of an overlay: lowerdir=A:B,upperdir=C,workdir=D. One with a backslash holds an escaped colon.
void check_overlay(HostChecker &c, const Entry &entry) {
  for (const auto &[key, value] : entry.step.options) {
    if ((key != "lowerdir" && key != "upperdir" && key != "workdir") || value.find('\\') != std::string::npos) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const std::string directory(rest.substr(0, rest.find(':')));
      rest.remove_prefix(std::min(directory.size() + 1, rest.size()));
      if (!directory.starts_with('/')) continue;
      const auto there = kernel::fstatat(kernel::cwd, directory);
      if (there || !is_absent(there.error())) continue;
      c.add(at("mounts", entry.index, "options"), fmt::format("{}: {} does not exist on the host", key, directory),
            "make the directory before the container");
    }
  }
}

void check_filesystem(HostChecker &c, const Entry &entry, const KernelMounts &kernel_mounts) {
  if (entry.step.kind == MountStep::Kind::cgroup) {
    if (!c.host().hierarchies.empty()) return;
    c.add(at("mounts", entry.index, "type"), "this host has no cgroup hierarchy mounted",
          "mount cgroup2 on /sys/fs/cgroup, or remove the mount");
    return;
  }
  if (!kernel_mounts.types.empty()) check_type(c, entry, kernel_mounts);
  if (entry.step.type == "overlay") check_overlay(c, entry);
}

void check_attributes(HostChecker &c, const Entry &entry, const KernelMounts &kernel_mounts) {
  if (kernel_mounts.has_mount_setattr) return;
  const bool id_mapped = entry.step.id_maps || entry.step.id_map_of_container;
  const bool recursive = (entry.step.recursive_attributes.set | entry.step.recursive_attributes.clear) != 0;
  if (!id_mapped && !recursive) return;
  c.add(at("mounts", entry.index, id_mapped && !entry.mount.uid_mappings.empty() ? "uidMappings" : "options"),
        fmt::format("{} need mount_setattr(2), which this kernel lacks",
                    id_mapped ? "id-mapped mounts" : "recursive options"),
        "remove them, or use Linux 5.12 or later");
}

// The kernel takes the ids in uid= and gid= through the user namespace that mounts: an unmapped one is EINVAL.
void check_option_ids(HostChecker &c, const Entry &entry) {
  const spec::Linux &linux_ = c.config().linux_;
  if (new_user_namespace(linux_) == nullptr || entry.step.kind != MountStep::Kind::filesystem) return;
  for (std::size_t i = 0; i < entry.mount.options.size(); ++i) {
    const std::string_view option = entry.mount.options[i];
    const bool uid = option.starts_with("uid=");
    if (!uid && !option.starts_with("gid=")) continue;
    const auto &mappings = uid ? linux_.uid_mappings : linux_.gid_mappings;
    const std::optional<std::uint64_t> id = parse_cgroup_number(option.substr(4));
    if (!id || *id > UINT32_MAX || mappings.empty()) continue;
    if (find_mapping(static_cast<std::uint32_t>(*id), mappings) != nullptr) continue;
    c.add(at("mounts", entry.index, "options", i), fmt::format("{} is not mapped in the user namespace", option),
          fmt::format("remove the option, or map the id in linux.{}", uid ? "uidMappings" : "gidMappings"));
  }
}

}  // namespace

void check_root_directory(HostChecker &c) {
  if (!c.config().root || c.config().root->path.empty()) return;
  c.clause("config.md, Root");
  const std::string path = spec::clean_path(rootfs_path(c.bundle()));
  const auto there = kernel::fstatat(kernel::cwd, path, AT_SYMLINK_NOFOLLOW);
  if (!there) {
    if (!is_absent(there.error())) return c.note_unseen(path, there.error());
    c.add(at("root", "path"), fmt::format("{} does not exist", path), "unpack an image there, or set root.path");
  } else if (S_ISLNK(there->st_mode)) {
    c.add(at("root", "path"), fmt::format("{} is a symbolic link", path), "name the directory it points to");
  } else if (!S_ISDIR(there->st_mode)) {
    c.add(at("root", "path"), fmt::format("{} is not a directory", path), "name a directory");
  }
}

void check_mount_entries(HostChecker &c) {
  const spec::Config &config = c.config();
  if (config.mounts.empty()) return;
  const KernelMounts kernel_mounts = read_kernel_mounts(c);
  const std::string rootfs = spec::clean_path(rootfs_path(c.bundle()));
  const MountContext context{.bundle = c.bundle().path,
                             .rootfs = rootfs,
                             .user_namespace = has_user_namespace(config),
                             .linux_ = &config.linux_};
  for (std::size_t i = 0; i < config.mounts.size(); ++i) {
    c.clause("config.md, Mounts");
    const Result<MountStep> step = make_mount_step(config.mounts[i], context);
    if (!step) {
      Error error = step.error();
      error.text.insert(0, fmt::format("mounts[{}]", i));
      c.add(error);
      continue;
    }
    const Entry entry{.index = i, .mount = config.mounts[i], .step = *step};
    if (step->kind == MountStep::Kind::remount) continue;
    if (step->kind == MountStep::Kind::bind) {
      check_bind_source(c, entry);
    } else {
      check_filesystem(c, entry, kernel_mounts);
    }
    check_attributes(c, entry, kernel_mounts);
    check_option_ids(c, entry);
  }
}

}  // namespace skiff
