#include <fmt/format.h>

#include <algorithm>

#include "compose/lower_parts.h"
#include "runtime/cli/value.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

using Options = std::vector<std::string>;

// "/a//b/" as "/a/b".
std::string clean(std::string_view path) {
  std::string out;
  for (const char letter : path) {
    if (letter != '/' || !out.ends_with('/')) out += letter;
  }
  if (out.size() > 1 && out.ends_with('/')) out.pop_back();
  return out;
}

spec::Mount make_mount(std::string destination, std::string type, std::string source, Options options) {
  spec::Mount mount;
  mount.destination = std::move(destination);
  mount.type = std::move(type);
  mount.source = std::move(source);
  mount.options = std::move(options);
  return mount;
}

// What a bind shows of the mounts below its source, and whether they are read-only with it.
Status add_recursion(const Mount &mount, Options &options) {
  const bool recursive = mount.recursive != "disabled";
  options.emplace_back(recursive ? "rbind" : "bind");
  if (!mount.read_only) {
    if (mount.recursive == "readonly") return fail("bind.recursive: readonly needs read_only");
    options.emplace_back("rw");
    return {};
  }
  // "ro" is of the mount itself alone: a file system mounted below the source would stay writable.
  const bool all = recursive && mount.recursive != "writable";
  options.emplace_back(all ? "rro" : "ro");
  return {};
}

Status make_host_directory(const Mount &mount) {
  const Status there = kernel::faccessat(kernel::cwd, mount.source, F_OK);
  if (there) return {};
  if (there.error().number != ENOENT || !mount.create_host_path) {
    return remedy("create it, or correct the path", there);
  }
  TRY(kernel::make_parents(mount.source, 0755));
  return kernel::make_directory(kernel::cwd, mount.source, 0755);
}

Result<spec::Mount> lower_bind(const Mount &mount) {
  TRY(make_host_directory(mount));
  Options options;
  TRY(add_recursion(mount, options));
  options.push_back(mount.propagation.empty() ? "rprivate" : mount.propagation);
  options.insert(options.end(), mount.options.begin(), mount.options.end());
  return make_mount(mount.target, "bind", mount.source, std::move(options));
}

const SourcePath *find_source(const std::vector<SourcePath> &sources, const std::string &target) {
  const auto found =
      std::ranges::find_if(sources, [&](const SourcePath &each) { return clean(each.target) == clean(target); });
  return found == sources.end() ? nullptr : &*found;
}

Result<spec::Mount> lower_volume(const Mount &mount, const LowerContext &context) {
  const SourcePath *volume = find_source(context.volumes, mount.target);
  if (volume == nullptr) return fail(EINVAL, "no directory of this volume was made");
  Options options = {"rbind", mount.read_only || volume->read_only ? "ro" : "rw", "rprivate"};
  options.insert(options.end(), mount.options.begin(), mount.options.end());
  return make_mount(mount.target, "bind", volume->path, std::move(options));
}

// Later options win: what the user says comes after the safe ones.
spec::Mount lower_tmpfs(const Mount &mount) {
  Options options = {"nosuid", "nodev", "noexec"};
  if (mount.size) options.push_back(fmt::format("size={}", *mount.size));
  if (mount.mode) options.push_back(fmt::format("mode={:o}", *mount.mode));
  if (mount.read_only) options.emplace_back("ro");
  for (const std::string &option : mount.options) {
    // The runtime takes each name once; "exec" undoes "noexec".
    std::erase(options, "no" + option);
    options.push_back(option);
  }
  return make_mount(mount.target, "tmpfs", "tmpfs", std::move(options));
}

Result<spec::Mount> lower_mount(const Mount &mount, const LowerContext &context) {
  switch (mount.kind) {
    case Mount::Kind::bind:
      return lower_bind(mount);
    case Mount::Kind::volume:
      return lower_volume(mount, context);
    case Mount::Kind::tmpfs:
      return lower_tmpfs(mount);
  }
  return fail(EINVAL, "a kind of mount that does not exist");
}

bool is_below(const std::string &path, const std::string &parent) { return path.starts_with(parent + "/"); }

// What comes later hides what is there: /dev of one's own has no pts of ours in it.
void place(spec::Config &config, spec::Mount mount) {
  mount.destination = clean(mount.destination);
  std::erase_if(config.mounts, [&](const spec::Mount &known) {
    return known.destination == mount.destination ||
           (mount.destination == "/dev" && is_below(known.destination, "/dev")) ||
           (mount.destination == "/sys" && is_below(known.destination, "/sys"));
  });
  config.mounts.push_back(std::move(mount));
}

bool is_mounted(const spec::Config &config, std::string_view destination) {
  return std::ranges::any_of(config.mounts, [&](const spec::Mount &each) { return each.destination == destination; });
}

spec::Mount *find_mount(spec::Config &config, std::string_view destination) {
  const auto found = std::ranges::find(config.mounts, destination, &spec::Mount::destination);
  return found == config.mounts.end() ? nullptr : &*found;
}

// /dev/shm: the container's own, the host's with its ipc namespace, or one that several containers share.
void lower_shm(const Service &service, const LowerContext &context, spec::Config &config) {
  if (service.ipc_mode == "none") {
    std::erase_if(config.mounts, [](const spec::Mount &each) { return each.destination == "/dev/shm"; });
  } else if (service.ipc_mode == "host" || !context.shm_directory.empty()) {
    const std::string source = context.shm_directory.empty() ? "/dev/shm" : context.shm_directory;
    place(config, make_mount("/dev/shm", "bind", source, {"rbind", "nosuid", "noexec", "nodev", "rprivate"}));
  } else if (spec::Mount *shm = find_mount(config, "/dev/shm"); shm != nullptr && service.shm_size) {
    std::erase_if(shm->options, [](const std::string &option) { return option.starts_with("size="); });
    shm->options.push_back(fmt::format("size={}", *service.shm_size));
  }
}

// The message queues of the host's ipc namespace are the host's mount.
void lower_queues(const Service &service, const LowerContext &context, spec::Config &config) {
  if (service.ipc_mode == "host" && has_user_namespace(context)) {
    place(config, make_mount("/dev/mqueue", "bind", "/dev/mqueue", {"rbind", "nosuid", "noexec", "nodev"}));
  }
  // The kernel mounts another container's queues for none but its user namespace.
  if (joins(service.ipc_mode) && has_user_namespace(context) && context.namespaces.user.empty()) {
    std::erase_if(config.mounts, [](const spec::Mount &each) { return each.destination == "/dev/mqueue"; });
  }
}

// A sysfs of one's own shows the network namespace and so needs to own it: a container that joins one, or the host's,
// from a user namespace gets the host's.
void lower_sysfs(const Service &service, const LowerContext &context, spec::Config &config) {
  spec::Mount *sys = find_mount(config, "/sys");
  if (sys == nullptr) return;
  const bool foreign = service.network_mode == "host" || !context.namespaces.network.empty();
  if (foreign && has_user_namespace(context)) {
    *sys = make_mount("/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"});
  } else if (sys->type != "sysfs") {
    *sys = make_mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"});
  }
}

bool is_mapped(const std::vector<spec::IdMapping> &mappings, std::string_view text) {
  const auto id = cli::parse_number<std::uint32_t>(text);
  return mappings.empty() || !id || std::ranges::any_of(mappings, [&](const spec::IdMapping &each) {
           return *id >= each.container_id && *id - each.container_id < each.size;
         });
}

// devpts gives terminals to the group tty, which a user who maps himself alone does not have.
void drop_unmapped_owners(const LowerContext &context, spec::Config &config) {
  for (spec::Mount &mount : config.mounts) {
    std::erase_if(mount.options, [&](const std::string &option) {
      const std::string_view text = option;
      return (text.starts_with("gid=") && !is_mapped(context.id_maps.gids, text.substr(4))) ||
             (text.starts_with("uid=") && !is_mapped(context.id_maps.uids, text.substr(4)));
    });
  }
}

// Mounts that a privileged container may write to.
void unlock(spec::Config &config) {
  for (const char *path : {"/sys", "/sys/fs/cgroup"}) {
    if (spec::Mount *mount = find_mount(config, path)) std::erase(mount->options, "ro");
  }
}

Status lower_files(const LowerContext &context, spec::Config &config) {
  for (const SourcePath &file : context.files) {
    place(config, make_mount(file.target, "bind", file.path, {"bind", "ro", "nosuid", "nodev", "noexec", "rprivate"}));
  }
  return {};
}

// A mount that the user has put there himself stays.
void lower_name_files(const Service &service, const LowerContext &context, spec::Config &config) {
  const auto add = [&](const char *target, const std::string &path) {
    if (path.empty() || is_mounted(config, target)) return;
    place(config, make_mount(target, "bind", path, {"bind", service.read_only ? "ro" : "rw", "rprivate"}));
  };
  add("/etc/hosts", context.hosts_file);
  add("/etc/resolv.conf", context.resolv_file);
  add("/etc/hostname", context.hostname_file);
}

// Where programs write whatever they do: without these few of them start from a read-only root.
Status add_writable_directories(const LowerContext &context, spec::Config &config) {
  for (const char *path : {"/run", "/tmp", "/var/tmp"}) {
    const Result<kernel::Fd> found = kernel::find_in_root(context.rootfs, path, O_PATH | O_NOFOLLOW);
    if (!found || !found->valid() || !S_ISDIR(TRY(kernel::fstat(*found)).st_mode)) continue;
    if (is_mounted(config, path)) continue;
    // First, so that what is mounted below is not hidden.
    config.mounts.insert(config.mounts.begin(),
                         make_mount(path, "tmpfs", "tmpfs", {"nosuid", "nodev", "tmpcopyup", "rprivate"}));
  }
  return {};
}

Result<std::vector<spec::Mount>> own_mounts(const Service &service, const LowerContext &context) {
  std::vector<spec::Mount> mounts;
  for (const Mount &mount : service.mounts) {
    mounts.push_back(TRY(in(fmt::format("volumes: {}", mount.target), lower_mount(mount, context))));
  }
  for (const SourcePath &volume : context.volumes) {
    const bool known = std::ranges::any_of(
        service.mounts, [&](const Mount &mount) { return clean(mount.target) == clean(volume.target); });
    if (known) continue;
    mounts.push_back(
        make_mount(volume.target, "bind", volume.path, {"rbind", volume.read_only ? "ro" : "rw", "rprivate"}));
  }
  // What lies in another comes after it.
  std::ranges::stable_sort(mounts, {},
                           [](const spec::Mount &each) { return std::ranges::count(clean(each.destination), '/'); });
  return mounts;
}

}  // namespace

Status lower_mounts(const Service &service, const LowerContext &context, spec::Config &config) {
  drop_unmapped_owners(context, config);
  lower_sysfs(service, context, config);
  lower_shm(service, context, config);
  lower_queues(service, context, config);
  if (service.privileged) unlock(config);
  for (spec::Mount &mount : TRY(own_mounts(service, context))) place(config, std::move(mount));
  TRY(lower_files(context, config));
  lower_name_files(service, context, config);
  if (config.root) config.root->readonly = service.read_only;
  if (service.read_only) TRY(add_writable_directories(context, config));
  return {};
}

}  // namespace skiff::compose
