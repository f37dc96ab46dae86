// What the container will find in its rootfs: the program, its loader, the working directory, device nodes, hooks.
//
// The rootfs is looked at as it lies on the disk. Wherever a mount will cover it, nothing is claimed.
#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "runtime/host_check_parts.h"
#include "runtime/kernel/path.h"
#include "runtime/plan_mounts.h"
#include "runtime/plan_process.h"
#include "spec/path.h"

namespace skiff {
namespace {

// ---- looking up a path as the container will ----

struct Located {
  enum class Kind { found, missing, covered, unseen };
  Kind kind = Kind::unseen;
  std::string path;  // absolute inside the rootfs, every symbolic link resolved as far as there is something
  kernel::Fd fd;     // found: O_PATH
  mode_t mode = 0;   // found
  dev_t device = 0;  // found

  [[nodiscard]] bool is(Kind wanted) const { return kind == wanted; }
};

// The components of a path, the first one last.
void push_components(std::vector<std::string> &rest, std::string_view path) {
  const std::size_t kept = rest.size();
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(part.size() + 1, path.size()));
    if (!part.empty() && part != ".") rest.emplace_back(part);
  }
  std::reverse(rest.begin() + static_cast<std::ptrdiff_t>(kept), rest.end());
}

bool is_below(std::string_view path, std::string_view directory) {
  return path.starts_with(directory) && path.size() > directory.size() && path[directory.size()] == '/';
}

class RootfsLookup {
 public:
  RootfsLookup(kernel::Fd root, const HostChecker &c) : root_(std::move(root)) {
    const spec::Config &config = c.config();
    const std::string rootfs = spec::clean_path(rootfs_path(c.bundle()));
    const MountContext context{.bundle = c.bundle().path,
                               .rootfs = rootfs,
                               .user_namespace = has_user_namespace(config),
                               .linux_ = &config.linux_};
    for (const spec::Mount &mount : config.mounts) {
      const Result<MountStep> step = make_mount_step(mount, context);
      if (step && step->kind == MountStep::Kind::remount) continue;
      Located target = find(step ? step->destination : spec::clean_path(mount.destination));
      if (!target.is(Located::Kind::covered)) covers_.push_back(std::move(target.path));
    }
  }

  // Every symbolic link is followed inside the rootfs, one component at a time, so that none leads through a mount
  // unseen.
  [[nodiscard]] Located find(std::string_view path) const {
    constexpr int most_links = 40;  // as the kernel has it
    std::vector<std::string> rest;
    push_components(rest, path);
    Located out{.kind = Located::Kind::found, .path = {}, .fd = {}};
    for (int links = 0; !rest.empty();) {
      const std::string name = std::move(rest.back());
      rest.pop_back();
      if (name == "..") {
        out.path.resize(out.path.empty() ? 0 : out.path.rfind('/'));
        continue;
      }
      const std::string next = out.path + "/" + name;
      if (is_cover(next)) return end(Located::Kind::covered, next, rest);
      const auto fd = kernel::open_in_root(root_, next, O_PATH | O_NOFOLLOW);
      if (!fd) return end(is_absent(fd.error()) ? Located::Kind::missing : Located::Kind::unseen, next, rest);
      const auto status = kernel::fstat(*fd);
      if (!status) return end(Located::Kind::unseen, next, rest);
      if (!S_ISLNK(status->st_mode)) {
        out.path = next;
        continue;
      }
      const auto target = kernel::readlinkat(*fd, "");
      if (!target || ++links > most_links) return end(Located::Kind::missing, next, rest);
      if (target->starts_with('/')) out.path.clear();
      push_components(rest, *target);
    }
    return open(std::move(out));
  }

  // Whether a mount will make this directory on its way.
  [[nodiscard]] bool is_made_by_mount(std::string_view path) const {
    return std::ranges::any_of(covers_, [&](const std::string &cover) { return is_below(cover, path); });
  }

 private:
  [[nodiscard]] bool is_cover(std::string_view path) const { return std::ranges::find(covers_, path) != covers_.end(); }

  // What does not exist may still lie below a mount.
  [[nodiscard]] Located end(Located::Kind kind, std::string path, std::vector<std::string> &rest) const {
    for (; !rest.empty(); rest.pop_back()) path += "/" + rest.back();
    path = spec::clean_path(path);
    const bool covered =
        std::ranges::any_of(covers_, [&](const std::string &cover) { return path == cover || is_below(path, cover); });
    return {.kind = covered ? Located::Kind::covered : kind, .path = std::move(path), .fd = {}};
  }

  [[nodiscard]] Located open(Located out) const {
    if (out.path.empty()) out.path = "/";
    auto fd = kernel::open_in_root(root_, out.path, O_PATH | O_NOFOLLOW);
    const auto status = fd ? kernel::fstat(*fd) : std::unexpected(fd.error());
    if (!status) {
      out.kind = Located::Kind::unseen;
      return out;
    }
    out.fd = std::move(*fd);
    out.mode = status->st_mode;
    out.device = status->st_rdev;
    return out;
  }

  kernel::Fd root_;
  std::vector<std::string> covers_;  // mount points, resolved
};

bool is_executable(const Located &located) { return S_ISREG(located.mode) && (located.mode & 0111) != 0; }

// ---- the program ----

// The file that the kernel starts in the program's place: the interpreter of a script, the loader of a dynamic program.
// Only this machine's own 64-bit format; empty where there is none, or where the file is something else.
std::string read_interpreter(std::string_view head) {
  if (head.starts_with("#!")) {
    std::string_view line = head.substr(2, head.find('\n') - 2);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    return std::string(line.substr(0, line.find_first_of(" \t\r")));
  }
  Elf64_Ehdr header;
  if (head.size() < sizeof header || !head.starts_with(ELFMAG) || head[EI_CLASS] != ELFCLASS64) return {};
  std::memcpy(&header, head.data(), sizeof header);
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    if (header.e_phoff > head.size() || header.e_phoff + (i + 1) * sizeof segment > head.size()) return {};
    std::memcpy(&segment, head.data() + header.e_phoff + i * sizeof segment, sizeof segment);
    if (segment.p_type != PT_INTERP) continue;
    if (segment.p_offset > head.size() || segment.p_filesz > head.size() - segment.p_offset) return {};
    const std::string_view name = head.substr(segment.p_offset, segment.p_filesz);
    return std::string(name.substr(0, name.find('\0')));
  }
  return {};
}

void check_interpreter(HostChecker &c, const RootfsLookup &rootfs, const Located &program) {
  const auto file = c.proc().reopen(program.fd, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file) return;
  std::array<char, 4096> head{};
  const auto got = kernel::read_some(*file, head);
  if (!got) return;
  const std::string interpreter = read_interpreter({head.data(), *got});
  if (!interpreter.starts_with('/') || !rootfs.find(interpreter).is(Located::Kind::missing)) return;
  c.add(at("process", "args", 0U),
        fmt::format("{} is started by {}, which the rootfs does not have", program.path, interpreter),
        "install that too, or use a static program");
}

std::string_view last_value(const std::vector<std::string> &env, std::string_view name) {
  std::string_view value;
  for (const std::string_view entry : env) {
    if (entry.starts_with(name) && entry.substr(name.size()).starts_with('=')) value = entry.substr(name.size() + 1);
  }
  return value;
}

std::string in_directory(std::string_view directory, std::string_view name) {
  return name.starts_with('/') ? std::string(name) : fmt::format("{}/{}", directory, name);
}

void check_program_path(HostChecker &c, const RootfsLookup &rootfs, const std::string &path) {
  const Located program = rootfs.find(path);
  const std::string place = at("process", "args", 0U);
  if (program.is(Located::Kind::missing)) {
    c.add(place, fmt::format("{} does not exist in the rootfs", path), "install it there, or name another program");
  } else if (program.is(Located::Kind::found) && S_ISDIR(program.mode)) {
    c.add(place, fmt::format("{} is a directory", path), "name a program");
  } else if (program.is(Located::Kind::found) && !is_executable(program)) {
    c.add(place, fmt::format("{} is not executable", path), "chmod +x it in the rootfs");
  } else if (program.is(Located::Kind::found)) {
    check_interpreter(c, rootfs, program);
  }
}

// As execvp(3) does it: the first directory of PATH that has an executable file of that name.
void check_program_name(HostChecker &c, const RootfsLookup &rootfs, const spec::Process &process) {
  const std::string &name = process.args.front();
  std::string_view rest = last_value(process.env, "PATH");
  const bool has_path = !rest.empty();
  bool certain = true;
  std::string refused;
  while (!rest.empty()) {
    const std::string_view directory = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(directory.size() + 1, rest.size()));
    if (directory.empty()) continue;
    const Located program = rootfs.find(in_directory(in_directory(process.cwd, directory), name));
    if (program.is(Located::Kind::found) && is_executable(program)) return check_interpreter(c, rootfs, program);
    if (program.is(Located::Kind::found) && refused.empty()) refused = program.path;
    if (program.is(Located::Kind::covered) || program.is(Located::Kind::unseen)) certain = false;
  }
  if (!certain) {
    c.note(fmt::format("process.args[0] ({}) was not found in the rootfs, but may lie in a mount", name));
    return;
  }
  const std::string place = at("process", "args", 0U);
  if (!refused.empty()) return c.add(place, fmt::format("{} is not executable", refused), "chmod +x it in the rootfs");
  if (!has_path)
    return c.add(place, fmt::format("{} is looked for in PATH, which process.env lacks", name),
                 "set PATH in process.env, or give the program's path");
  c.add(place, fmt::format("{} is in no directory of PATH inside the rootfs", name),
        "install it there, or give its path");
}

void check_program(HostChecker &c, const RootfsLookup &rootfs, const spec::Process &process) {
  c.clause("config.md, Process");
  if (process.args.empty() || process.args.front().empty()) return;
  const std::string &name = process.args.front();
  if (name.find('/') == std::string::npos) return check_program_name(c, rootfs, process);
  check_program_path(c, rootfs, in_directory(process.cwd, name));
}

void check_cwd(HostChecker &c, const RootfsLookup &rootfs, const spec::Process &process) {
  if (!process.cwd.starts_with('/')) return;
  const Located cwd = rootfs.find(process.cwd);
  if (cwd.is(Located::Kind::found) && !S_ISDIR(cwd.mode)) {
    c.add(at("process", "cwd"), fmt::format("{} is not a directory in the rootfs", process.cwd), "name a directory");
  }
  // A missing one is made, but only after root.readonly has taken effect.
  if (!cwd.is(Located::Kind::missing) || !c.config().root->readonly || rootfs.is_made_by_mount(cwd.path)) return;
  c.add(at("process", "cwd"),
        fmt::format("{} does not exist in the rootfs, and root.readonly keeps it from being made", process.cwd),
        "make the directory in the rootfs");
}

void check_start_hooks(HostChecker &c, const RootfsLookup &rootfs) {
  c.clause("config.md, StartContainer Hooks");
  const std::vector<spec::Hook> &hooks = c.config().hooks.start_container;
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    if (!hooks[i].path.starts_with('/')) continue;
    const Located program = rootfs.find(hooks[i].path);
    const std::string place = at("hooks", "startContainer", i, "path");
    if (program.is(Located::Kind::missing)) {
      c.add(place, fmt::format("{} does not exist in the rootfs, where this hook runs", hooks[i].path),
            "install it there, or make it a hook of createRuntime");
    } else if (program.is(Located::Kind::found) && !is_executable(program)) {
      c.add(place, fmt::format("{} is not an executable file", hooks[i].path), "chmod +x it in the rootfs");
    }
  }
}

// ---- devices and mount points ----

bool is_device(mode_t mode, dev_t number, const spec::Device &device) {
  if (device.type == "p") return S_ISFIFO(mode);
  const bool same_type = device.type == "b" ? S_ISBLK(mode) : S_ISCHR(mode);
  return same_type && number == makedev(static_cast<unsigned>(device.major), static_cast<unsigned>(device.minor));
}

void check_device_nodes(HostChecker &c, const RootfsLookup &rootfs) {
  c.clause("config-linux.md, Devices");
  const std::vector<spec::Device> &devices = c.config().linux_.devices;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const Located node = rootfs.find(devices[i].path);
    if (!node.is(Located::Kind::found) || is_device(node.mode, node.device, devices[i])) continue;
    if (spec::clean_path(devices[i].path) == "/dev/ptmx") continue;
    c.add(at("linux", "devices", i, "path"),
          fmt::format("{} is in the rootfs already, and is not {} {}:{}", devices[i].path, devices[i].type,
                      devices[i].major, devices[i].minor),
          "remove it from the rootfs, or mount a tmpfs on /dev");
  }
}

bool has_node(const std::string &path, const spec::Device &device, int flags) {
  const auto there = kernel::fstatat(kernel::cwd, path, flags);
  return there && is_device(there->st_mode, there->st_rdev, device);
}

// mknod(2) is refused in a user namespace: the host's node is bound.
void check_host_nodes(HostChecker &c) {
  if (!has_user_namespace(c.config()) && c.host().privileged) return;
  c.clause("config-linux.md, Devices");
  const std::vector<spec::Device> &devices = c.config().linux_.devices;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const spec::Device &device = devices[i];
    if (device.type == "p" || spec::clean_path(device.path) == "/dev/ptmx") continue;
    const std::string by_number =
        fmt::format("/dev/{}/{}:{}", device.type == "b" ? "block" : "char", device.major, device.minor);
    if (has_node(device.path, device, AT_SYMLINK_NOFOLLOW) || has_node(by_number, device, 0)) continue;
    c.add(at("linux", "devices", i, "path"),
          fmt::format("the host has no device {}:{} at {}, and in a user namespace a device can only be bound",
                      device.major, device.minor, device.path),
          "make the node on the host, or leave the device out");
  }
}

}  // namespace

void check_inside_rootfs(HostChecker &c) {
  check_host_nodes(c);
  if (!c.config().root || c.config().root->path.empty()) return;
  const std::string path = spec::clean_path(rootfs_path(c.bundle()));
  auto root = kernel::open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!root) return;  // it has a finding, or a note
  const RootfsLookup rootfs(std::move(*root), c);
  if (c.config().process) {
    check_program(c, rootfs, *c.config().process);
    check_cwd(c, rootfs, *c.config().process);
  }
  check_start_hooks(c, rootfs);
  check_device_nodes(c, rootfs);
}

}  // namespace skiff
