#include "runtime/host_probe.h"

#include <linux/magic.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "runtime/cgroup_file.h"
#include "runtime/kernel/capability.h"
#include "runtime/kernel/namespace.h"
#include "runtime/kernel/proc.h"

namespace skiff {
namespace {

constexpr const char *mount_point = "/sys/fs/cgroup";

std::string_view take_until(std::string_view &text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  while (!text.empty()) out.emplace_back(take_until(text, separator));
  return out;
}

// mountinfo writes blank, tab, line feed and backslash as \ooo.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 3 >= text.size()) {
      out += text[i];
      continue;
    }
    out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
    i += 3;
  }
  return out;
}

struct Mount {
  std::string root;  // of the mount, inside the hierarchy
  std::string point;
  std::string_view type;
  std::vector<std::string> options;  // of the superblock
};

// "36 31 0:33 / /sys/fs/cgroup/devices rw,relatime shared:9 - cgroup cgroup rw,devices"
Mount parse_mount(std::string_view line) {
  Mount out;
  for (int skipped = 0; skipped < 3; ++skipped) next_word(line);
  out.root = unescape(next_word(line));
  out.point = unescape(next_word(line));
  while (!line.empty() && next_word(line) != "-") continue;
  out.type = next_word(line);
  next_word(line);
  out.options = split(next_word(line), ',');
  return out;
}

// One line of PID/cgroup: "4:memory:/a/b"; on v2 "0::/a/b".
struct Membership {
  std::vector<std::string> controllers;
  std::string path;
};

std::vector<Membership> parse_memberships(std::string_view text) {
  std::vector<Membership> out;
  while (std::optional<std::string_view> line = next_line(text)) {
    take_until(*line, ':');
    const std::string_view controllers = take_until(*line, ':');
    out.push_back({.controllers = split(controllers, ','), .path = std::string(*line)});
  }
  return out;
}

// The path as it looks below the mount. A cgroup that the mount does not show counts as the mount's root.
std::string below_mount(const std::string &path, const std::string &root) {
  if (root == "/") return path;
  if (path == root) return "/";
  if (path.starts_with(root + "/")) return path.substr(root.size());
  return "/";
}

std::string own_path(const std::vector<Membership> &memberships, const Mount &mount) {
  for (const Membership &membership : memberships) {
    const bool same = mount.type == "cgroup2"
                          ? membership.controllers.empty()
                          : std::ranges::any_of(membership.controllers, [&](const std::string &name) {
                              return std::ranges::find(mount.options, name) != mount.options.end();
                            });
    if (same) return below_mount(membership.path, mount.root);
  }
  return "/";
}

// The options of a v1 superblock that are controllers: those that a line of PID/cgroup knows.
std::vector<std::string> controllers_of(const std::vector<Membership> &memberships, const Mount &mount) {
  std::vector<std::string> out;
  for (const Membership &membership : memberships) {
    for (const std::string &name : membership.controllers) {
      if (std::ranges::find(mount.options, name) != mount.options.end()) out.push_back(name);
    }
  }
  return out;
}

Status read_hierarchies(const kernel::Procfs &proc, long filesystem, Host &host) {
  const std::string own = TRY(proc.read_file("self/cgroup"));
  if (filesystem == CGROUP2_SUPER_MAGIC) {
    host.cgroups = Host::Cgroups::unified;
    host.hierarchies = {
        {.mount = mount_point,
         .controllers = {},
         .own = own_path(parse_memberships(own), {.root = "/", .point = {}, .type = "cgroup2", .options = {}}),
         .unified = true}};
    return {};
  }
  // Thousands of containers are thousands of mounts.
  const std::string mountinfo = TRY(proc.read_file("self/mountinfo", std::size_t{256} << 20));
  host.hierarchies = parse_hierarchies(mountinfo, own);
  const bool has_v2 = std::ranges::any_of(host.hierarchies, &CgroupHierarchy::unified);
  const bool has_v1 = !std::ranges::all_of(host.hierarchies, &CgroupHierarchy::unified);
  if (has_v1) host.cgroups = has_v2 ? Host::Cgroups::hybrid : Host::Cgroups::v1;
  if (has_v2 && !has_v1) host.cgroups = Host::Cgroups::unified;
  return {};
}

int read_last_capability() {
  int last = 40;
  while (last > 0 && ::prctl(PR_CAPBSET_READ, last, 0, 0, 0) < 0) --last;
  while (last < 63 && ::prctl(PR_CAPBSET_READ, last + 1, 0, 0, 0) >= 0) ++last;
  return last;
}

}  // namespace

std::uint32_t read_listen_fds() {
  const char *pid = std::getenv("LISTEN_PID");
  const char *count = std::getenv("LISTEN_FDS");
  if (pid == nullptr || count == nullptr) return 0;
  const auto wanted = static_cast<std::uint64_t>(::getpid());
  if (parse_cgroup_number(pid) != wanted) return 0;
  const std::uint64_t fds = parse_cgroup_number(count).value_or(0);
  return fds > 1U << 20 ? 0 : static_cast<std::uint32_t>(fds);
}

std::string read_notify_socket() {
  const char *socket = std::getenv("NOTIFY_SOCKET");
  return socket == nullptr ? "" : socket;
}

std::vector<CgroupHierarchy> parse_hierarchies(std::string_view mountinfo, std::string_view own) {
  const std::vector<Membership> memberships = parse_memberships(own);
  std::vector<CgroupHierarchy> out;
  while (std::optional<std::string_view> line = next_line(mountinfo)) {
    const Mount mount = parse_mount(*line);
    if (mount.type != "cgroup" && mount.type != "cgroup2") continue;
    CgroupHierarchy found{.mount = mount.point,
                          .controllers = {},
                          .own = own_path(memberships, mount),
                          .unified = mount.type == "cgroup2"};
    if (!found.unified) found.controllers = controllers_of(memberships, mount);
    const bool known = std::ranges::any_of(out, [&](const CgroupHierarchy &earlier) {
      return earlier.unified == found.unified && earlier.controllers == found.controllers;
    });
    if (!known && (found.unified || !found.controllers.empty())) out.push_back(std::move(found));
  }
  return out;
}

Result<Host> read_host() { return read_host(TRY(kernel::Procfs::open_host())); }

Result<Host> read_host(const kernel::Procfs &proc) {
  Host host;
  host.uid = ::geteuid();
  host.gid = ::getegid();
  host.last_capability = read_last_capability();
  host.capabilities = TRY(kernel::capget()).permitted;
  host.notify_socket = read_notify_socket();
  host.listen_fds = read_listen_fds();
  host.privileged = host.uid == 0 && TRY(kernel::in_first_user_namespace(proc));
  struct statfs filesystem{};
  const bool there = ::statfs(mount_point, &filesystem) == 0;
  TRY(read_hierarchies(proc, there ? static_cast<long>(filesystem.f_type) : 0, host));
  return host;
}

}  // namespace skiff
