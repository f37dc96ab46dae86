#include "compose/rootfs_mount.h"

#include <fmt/format.h>

#include <algorithm>

#include "compose/split.h"
#include "compose/user_network.h"
#include "compose/words.h"
#include "runtime/kernel/mount.h"
#include "runtime/kernel/namespace.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/proc.h"

namespace skiff::compose {
namespace {

std::string mount_point(const Places &places, const std::string &id) { return bundle_of(places, id) + "/rootfs"; }

// proc_pid_mountinfo(5): blanks and backslashes as three octal digits.
std::string unescape(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text.front() == '\\' && text.size() >= 4) {
      out += static_cast<char>((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
      text.remove_prefix(4);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

std::vector<std::string> strings(const std::vector<std::string_view> &views) { return {views.begin(), views.end()}; }

// Both ways in which kernels show them: "lowerdir=TOP:BASE", and since the option exists
// "lowerdir+=TOP,lowerdir+=BASE".
std::vector<std::string> layers_of(std::string_view options) {
  std::vector<std::string> layers;
  for (const std::string_view option : split_at(options, ',')) {
    if (option.starts_with("lowerdir=")) layers = strings(split_at(option.substr(9), ':'));
    if (option.starts_with("lowerdir+=")) layers.emplace_back(option.substr(10));
  }
  std::ranges::transform(layers, layers.begin(), unescape);
  std::ranges::reverse(layers);
  return layers;
}

// Linux 6.5 takes one layer after the other.
Result<kernel::Fd> open_overlay(const Places &places, const ContainerRecord &record) {
  const std::string bundle = bundle_of(places, record.id);
  const kernel::Fd context = TRY(kernel::fsopen("overlay"));
  TRY(kernel::fsconfig_set_string(context, "source", "overlay"));
  for (auto layer = record.layers.rbegin(); layer != record.layers.rend(); ++layer) {
    TRY(remedy("the image store has lost a layer of it: pull the image again",
               kernel::fsconfig_set_string(context, "lowerdir+", *layer)));
  }
  TRY(kernel::fsconfig_set_string(context, "upperdir", bundle + "/diff"));
  TRY(kernel::fsconfig_set_string(context, "workdir", bundle + "/work"));
  TRY(kernel::fsconfig_create(context));
  return kernel::fsmount(context, 0);
}

Result<bool> is_mounted(const std::string &path) {
  const Result<struct stat> inside = kernel::fstatat(kernel::cwd, path);
  const Result<struct stat> outside = kernel::fstatat(kernel::cwd, path + "/..");
  if (!inside || !outside) return std::unexpected(inside ? outside.error() : inside.error());
  return inside->st_dev != outside->st_dev;
}

}  // namespace

std::string bundle_of(const Places &places, const std::string &id) { return places.directory(id) + "/bundle"; }

Result<std::vector<std::string>> find_layers(const std::string &mounted_at) {
  const std::string text = TRY(read_if_there("/proc/self/mountinfo"));
  std::vector<std::string> layers;
  for (const std::string_view line : lines_of(text)) {
    // ID PARENT DEVICE ROOT MOUNTPOINT OPTIONS [FIELDS] - TYPE SOURCE OPTIONS
    const std::vector<std::string_view> words = split_at(line, ' ');
    const auto dash = std::ranges::find(words, "-");
    if (words.size() < 6 || words.end() - dash < 4) continue;
    if (*(dash + 1) == "overlay" && unescape(words[4]) == mounted_at) layers = layers_of(*(dash + 3));
  }
  return layers;
}

std::string rootfs_of(const Places &places, const ContainerRecord &record) {
  return record.rootfs.empty() ? mount_point(places, record.id) : record.rootfs;
}

Result<kernel::Fd> open_rootfs_tree(const Places &places, const ContainerRecord &record) {
  const std::string path = rootfs_of(places, record);
  if (!record.layers.empty() && !TRY(is_mounted(path))) return open_overlay(places, record);
  return kernel::open_tree(kernel::cwd, path, OPEN_TREE_CLONE | AT_RECURSIVE);
}

Status mount_rootfs(const Places &places, const ContainerRecord &record) {
  const std::string path = mount_point(places, record.id);
  if (record.layers.empty() || TRY(is_mounted(path))) return {};
  const kernel::Fd mount = TRY(in("its root filesystem", open_overlay(places, record)));
  const kernel::Fd target = TRY(kernel::open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  return in(path, kernel::move_mount(mount, target));
}

Status unmount_rootfs(const Places &places, const ContainerRecord &record) {
  // An ordinary user's is unpacked, and mounted by nobody.
  if (!record.rootfs.empty() || is_rootless()) return {};
  const Status done = kernel::umount2(mount_point(places, record.id), MNT_DETACH | UMOUNT_NOFOLLOW);
  // EINVAL: nothing is mounted there; ENOENT: it was never made.
  if (!done && done.error().number != EINVAL && done.error().number != ENOENT) return done;
  return {};
}

Result<kernel::Fd> open_root(const Places &places, const Container &container) {
  if (container.state.is_running() && container.state.run.pid != 0) {
    const kernel::Procfs proc = TRY(kernel::Procfs::open_host());
    return kernel::open_process_root(proc, container.state.run.pid);
  }
  const ContainerRecord &record = container.record;
  const std::string path = rootfs_of(places, record);
  if (record.layers.empty() || TRY(is_mounted(path))) return kernel::open(path, O_PATH | O_DIRECTORY);
  // Attached nowhere: it goes with the descriptor.
  return kernel::openat(TRY(open_overlay(places, record)), ".", O_PATH | O_DIRECTORY);
}

}  // namespace skiff::compose
