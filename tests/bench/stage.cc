#include "tests/bench/stage.h"

#include <fmt/format.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "runtime/bpf.h"
#include "tests/bench/documents.h"

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

// The sources of the bind mounts, and their targets.
Status make_volumes(const std::string &volumes, const std::string &rootfs) {
  std::error_code error;
  for (int i = 0; i < bind_mount_count && !error; ++i) {
    fs::create_directories(fmt::format("{}/{}", volumes, i), error);
    if (!error) fs::create_directories(fmt::format("{}/mnt/{}", rootfs, i), error);
  }
  if (error) return fail(error.value(), volumes);
  return {};
}

}  // namespace

Result<Stage> Stage::make(bool host_cgroups) {
  if (::geteuid() != 0) return fail("containers with cgroups need root", "run  sudo make bench");
  TRY(leave_host_mounts());
  if (!host_cgroups) TRY(mount_cgroup2());
  ::setenv("FLOOR_CGROUP", cgroup_prefix().c_str(), 1);
  Stage stage;
  stage.directory_ = TRY(make_directory());
  stage.streams_ = TRY(Streams::open(stage.directory_ + "/errors"));
  TRY(make_rootfs(stage.rootfs()));
  TRY(make_volumes(stage.volumes(), stage.rootfs()));
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
  std::error_code error;
  fs::create_directories(root(contestant), error);
  if (error) return fail(error.value(), root(contestant));
  contestants_.push_back(contestant);
  TRY(write(contestant, Bundle::passing, 0));
  return write(contestant, Bundle::resident, 0);
}

Status Stage::write_config(const std::string &bundle, Bundle which, Surroundings where) const {
  where.rootfs = rootfs();
  where.volumes = volumes();
  std::error_code error;
  fs::create_directories(bundle, error);
  return write_file(bundle + "/config.json", spec::print_config(make_config(which, where), true));
}

Status Stage::write(const Contestant &contestant, Bundle which, int resident, std::uint64_t memory_limit) const {
  return write_config(bundle(contestant, which), which,
                      {.rootfs = {},
                       .volumes = {},
                       .cgroup = fmt::format("/{}{}-{}", cgroup_prefix(), contestant.name, name_of(which)),
                       .resident = resident,
                       .memory_limit = memory_limit});
}

Status Stage::write_member(const Contestant &contestant, Bundle which, int number) const {
  return write_config(
      member_bundle(contestant, number), which,
      {.rootfs = {}, .volumes = {}, .cgroup = fmt::format("/{}{}-crowd-{}", cgroup_prefix(), contestant.name, number)});
}

std::string Stage::member_bundle(const Contestant &contestant, int number) const {
  return fmt::format("{}/{}/crowd/{}", directory_, contestant.name, number);
}

Status Stage::write_filter() const {
  const SeccompProgram program = TRY(make_seccomp_program(engine_seccomp()));
  return write_file(filter(), {reinterpret_cast<const char *>(program.filter.data()),
                               program.filter.size() * sizeof program.filter.front()});
}

std::string Stage::bundle(const Contestant &contestant, Bundle which) const {
  return fmt::format("{}/{}/{}", directory_, contestant.name, name_of(which));
}

std::string Stage::root(const Contestant &contestant) const {
  return fmt::format("{}/{}/root", directory_, contestant.name);
}

std::string Stage::pid_file(const Contestant &contestant) const {
  return fmt::format("{}/{}/pid", directory_, contestant.name);
}

Words Stage::command(const Contestant &contestant, const Words &words) const {
  Words all = {contestant.program, "--root", root(contestant)};
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
