#include "tests/bench/stage.h"

#include <fmt/format.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "spec/config.h"

namespace skiff::bench {
namespace {

namespace fs = std::filesystem;

std::string cgroup_prefix() { return fmt::format("skiff-bench-{}-", ::getpid()); }

// Every mount from here on is seen by this process and its children alone.
Status leave_host_mounts() {
  if (::unshare(CLONE_NEWNS) < 0) return fail(errno, "unshare(CLONE_NEWNS)");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) return fail(errno, "mount(\"/\", MS_PRIVATE)");
  return {};
}

// Hybrid hosts are refused by some runtimes; on this mount all of them see cgroup v2 and nothing else.
Status mount_cgroup2() {
  if (::mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, nullptr) == 0) return {};
  return fail(errno, "mount(\"/sys/fs/cgroup\", cgroup2)", "try --host-cgroups");
}

// As /run is, where runtimes keep their state: on a disk its journal would be measured.
Result<std::string> make_directory() {
  std::string directory = "/tmp/skiff-bench-XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) return fail(errno, "mkdtemp");
  if (::mount("tmpfs", directory.c_str(), "tmpfs", 0, "mode=755") == 0) return directory;
  const int number = errno;
  (void)::rmdir(directory.c_str());
  return fail(number, fmt::format("mount(\"{}\", tmpfs)", directory));
}

Status write_file(const std::string &path, std::string_view text) {
  const kernel::Fd file = TRY(kernel::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  return kernel::write_all(file, text);
}

Status make_rootfs(const std::string &rootfs) {
  const std::string busybox = find_on_path("busybox");
  if (busybox.empty()) return fail("no busybox on $PATH", "run  apt-get install busybox-static");
  std::error_code error;
  for (const char *name : {"bin", "dev", "etc", "proc", "sys", "tmp"})
    fs::create_directories(rootfs + "/" + name, error);
  fs::copy_file(busybox, rootfs + "/bin/busybox", error);
  for (const char *name : {"true", "sleep"}) fs::create_symlink("busybox", rootfs + "/bin/" + name, error);
  if (error) return fail(error.value(), rootfs);
  return write_file(rootfs + "/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
}

}  // namespace

Result<Stage> Stage::make(bool host_cgroups) {
  if (::geteuid() != 0) return fail("containers with cgroups need root", "run  sudo make bench");
  TRY(leave_host_mounts());
  if (!host_cgroups) TRY(mount_cgroup2());
  Stage stage;
  stage.directory_ = TRY(make_directory());
  stage.streams_ = TRY(Streams::open(stage.directory_ + "/errors"));
  TRY(make_rootfs(stage.rootfs()));
  return stage;
}

Stage::Stage(Stage &&other) noexcept
    : directory_(std::exchange(other.directory_, {})),
      streams_(std::move(other.streams_)),
      contestants_(std::move(other.contestants_)) {}

Stage::~Stage() {
  if (directory_.empty()) return;
  for (const Contestant &contestant : contestants_) {
    for (const char *id : {passing_id, resident_id}) {
      // An id that is not there is no error here.
      if (!run_command(command(contestant, {"delete", "--force", id}), *streams_)) break;
    }
  }
  reap_orphans();
  remove_cgroups();
  (void)::umount2(directory_.c_str(), MNT_DETACH);
  (void)::rmdir(directory_.c_str());
}

// Whatever a failed command left: at the top of each hierarchy.
void Stage::remove_cgroups() const {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto &top : fs::directory_iterator("/sys/fs/cgroup", error)) {
    if (!top.is_directory(error)) continue;
    if (top.path().filename().string().starts_with(cgroup_prefix())) found.push_back(top.path());
    for (const auto &below : fs::directory_iterator(top.path(), error)) {
      if (below.path().filename().string().starts_with(cgroup_prefix())) found.push_back(below.path());
    }
  }
  for (const std::string &path : found) (void)::rmdir(path.c_str());
}

Status Stage::add(const Contestant &contestant) {
  const std::string cgroup = "/" + cgroup_prefix() + contestant.name;
  TRY(write_bundle(passing_bundle(contestant), cgroup + "-passing", {"/bin/true"}));
  TRY(write_bundle(resident_bundle(contestant), cgroup + "-resident", {"/bin/sleep", "1000000"}));
  contestants_.push_back(contestant);
  return {};
}

Status Stage::write_bundle(const std::string &bundle, const std::string &cgroup, const Words &args) const {
  spec::Config config = spec::make_default_config();
  config.oci_version = "1.0.2";  // older releases of crun refuse what they have not heard of
  config.process->terminal = false;
  config.process->args = args;
  config.root->path = rootfs();
  config.linux_.cgroups_path = cgroup;
  std::error_code error;
  fs::create_directories(bundle, error);
  return write_file(bundle + "/config.json", spec::print_config(config, true));
}

std::string Stage::passing_bundle(const Contestant &contestant) const {
  return fmt::format("{}/{}/passing", directory_, contestant.name);
}

std::string Stage::resident_bundle(const Contestant &contestant) const {
  return fmt::format("{}/{}/resident", directory_, contestant.name);
}

std::string Stage::pid_file(const Contestant &contestant) const {
  return fmt::format("{}/{}/pid", directory_, contestant.name);
}

Words Stage::command(const Contestant &contestant, const Words &words) const {
  Words all = {contestant.program, "--root", fmt::format("{}/{}/root", directory_, contestant.name)};
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

std::string find_on_path(std::string_view name) {
  const char *path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::size_t end = rest.find(':');
    std::string candidate = fmt::format("{}/{}", rest.substr(0, end), name);
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
  }
  return {};
}

}  // namespace skiff::bench
