#include "runtime/container.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/cgroup.h"
#include "runtime/gate.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"

namespace skiff {
namespace {

constexpr std::size_t max_id_bytes = 255;  // NAME_MAX: the id names a directory
constexpr std::size_t max_record_bytes = 16 << 20;

bool is_id_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '+' ||
         c == '.' || c == '-';
}

// mkdir -p of the runtime's own root: a trusted path on the host. Sticky, or what clears $XDG_RUNTIME_DIR of old files
// would take it away from under a container that lives long (XDG Base Directory Specification).
Status make_root(const std::string &root) {
  Status made = kernel::make_parents(root, 0755);
  if (made) made = kernel::make_directory(kernel::cwd, root, 01700);
  return in("--root", remedy("choose a directory that can be written with --root", std::move(made)));
}

Error missing(std::string_view id) {
  return {0, fmt::format("container \"{}\" does not exist", id), "see the names with `skiff list`"};
}

}  // namespace

Status check_container_id(std::string_view id) {
  constexpr std::string_view rule = "use letters, digits, and _ + . - only, at most 255 of them";
  if (id.empty()) return fail("invalid container ID: it is empty", std::string(rule));
  if (id.size() > max_id_bytes) {
    return fail(fmt::format("invalid container ID: {} characters, the most is {}", id.size(), max_id_bytes),
                std::string(rule));
  }
  const auto *const bad = std::ranges::find_if_not(id, is_id_character);
  if (bad != id.end() || id == "." || id == "..") {
    return fail(fmt::format("invalid container ID \"{}\"", id), std::string(rule));
  }
  return {};
}

Result<Container> Container::create(const std::string &root, const std::string &id) {
  TRY(check_container_id(id));
  Status made = kernel::mkdirat(kernel::cwd, root + "/" + id, 0700);
  if (!made && made.error().number == ENOENT) {
    TRY(make_root(root));
    made = kernel::mkdirat(kernel::cwd, root + "/" + id, 0700);
  }
  if (!made && made.error().number == EEXIST) {
    return fail(fmt::format("container with given ID already exists: \"{}\"", id),
                fmt::format("choose another ID or `skiff delete {}` first", id));
  }
  if (!made) return std::unexpected(in("--root", made.error()));
  Result<Container> container = open(root, id);
  const Status locked = container ? container->lock() : std::unexpected(container.error());
  if (locked) return container;
  // Nobody has seen it but those who found it without a record, and wait for the lock or gave up.
  (void)kernel::unlinkat(kernel::cwd, root + "/" + id, AT_REMOVEDIR);
  return std::unexpected(locked.error());
}

Result<Container> Container::open(const std::string &root, const std::string &id) {
  TRY(check_container_id(id));
  kernel::Fd root_fd = TRY(kernel::open(root, O_PATH | O_DIRECTORY));
  kernel::Fd directory = TRY(kernel::openat(root_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return Container(std::move(root_fd), std::move(directory), id);
}

Result<Container> Container::load(const std::string &root, const std::string &id) {
  Result<Container> container = load_any(root, id);
  if (container && container->record.bundle.empty()) {
    return fail(fmt::format("container \"{}\" has no state: its creation was cut short", id),
                fmt::format("remove it with `skiff delete --force {}`", id));
  }
  return container;
}

Result<Container> Container::load_any(const std::string &root, const std::string &id) {
  Result<Container> container = open(root, id);
  if (!container && container.error().number == ENOENT) return std::unexpected(missing(id));
  if (!container) return container;
  TRY(container->read_record());
  return container;
}

Status Container::read_record() {
  const Result<kernel::Fd> file = kernel::openat(directory_, "state.json", O_RDONLY);
  if (!file && file.error().number == ENOENT) return {};
  if (!file) return std::unexpected(file.error());
  Result<spec::Record> read = spec::parse_record(TRY(kernel::read_all(*file, max_record_bytes)));
  if (read) record = *std::move(read);
  return {};
}

Result<std::vector<std::string>> Container::list(const std::string &root) {
  const Result<kernel::Fd> directory = kernel::open(root, O_RDONLY | O_DIRECTORY);
  if (!directory && directory.error().number == ENOENT) return std::vector<std::string>{};
  if (!directory) return std::unexpected(in("--root", directory.error()));
  std::vector<std::string> names = TRY(kernel::list_directory(*directory));
  std::erase_if(names, [](const std::string &name) { return !check_container_id(name); });
  std::ranges::sort(names);
  return names;
}

Status Container::lock() { return kernel::flock(directory_, LOCK_EX); }

Status Container::lock_and_reload() {
  TRY(lock());
  if (TRY(kernel::fstat(directory_)).st_nlink == 0) return std::unexpected(missing(record.id));
  return read_record();
}

Status Container::unlock() { return kernel::flock(directory_, LOCK_UN); }

void Container::close() {
  directory_.reset();
  root_.reset();
}

Status Container::save_first() {
  const kernel::Fd file = TRY(kernel::openat(directory_, "state.json", O_WRONLY | O_CREAT | O_EXCL, 0600));
  return kernel::write_all(file, spec::print_record(record));
}

Status Container::write_next() {
  const kernel::Fd file = TRY(kernel::openat(directory_, ".state.json", O_WRONLY | O_CREAT | O_TRUNC, 0600));
  return kernel::write_all(file, spec::print_record(record));
}

Status Container::replace() { return kernel::renameat2(directory_, ".state.json", directory_, "state.json"); }

Status Container::save_config(std::string_view json) {
  const kernel::Fd file = TRY(kernel::openat(directory_, "config.json", O_WRONLY | O_CREAT | O_TRUNC, 0600));
  return kernel::write_all(file, json);
}

Result<std::string> Container::read_config() const {
  const kernel::Fd file = TRY(kernel::openat(directory_, "config.json", O_RDONLY));
  return kernel::read_all(file, max_record_bytes);
}

Result<spec::ContainerStatus> Container::process_status(const kernel::Procfs &proc) const {
  using enum spec::ContainerStatus;
  if (!record.ready) {
    // The creator holds the lock for as long as it works; init dies with it.
    const Status locked = kernel::flock(directory_, LOCK_SH | LOCK_NB);
    if (!locked && locked.error().number == EWOULDBLOCK) return creating;
    TRY(locked);
    TRY(kernel::flock(directory_, LOCK_UN));
    return stopped;
  }
  const Result<kernel::ProcessStat> stat = proc.read_stat(record.pid);
  if (!stat && stat.error().number != ESRCH && stat.error().number != ENOENT) return std::unexpected(stat.error());
  if (!stat || stat->state == 'Z' || stat->state == 'X' || stat->start_time != record.start_time) return stopped;
  return TRY(is_gate_closed(directory_)) ? created : running;
}

Result<spec::ContainerStatus> Container::status(const kernel::Procfs &proc) const {
  const spec::ContainerStatus now = TRY(process_status(proc));
  const bool lives = now == spec::ContainerStatus::running || now == spec::ContainerStatus::created;
  if (lives && TRY(is_cgroup_frozen(record.cgroup_paths))) return spec::ContainerStatus::paused;
  return now;
}

Result<kernel::Fd> Container::open_init(const kernel::Procfs &proc) const {
  if (record.pid == 0) return fail(ESRCH, "container not running");
  Result<kernel::Fd> pidfd = kernel::pidfd_open(record.pid);
  if (!pidfd) return pidfd;
  // Compared after the pidfd is held: from here on the pid cannot become another process's.
  const Result<kernel::ProcessStat> stat = proc.read_stat(record.pid);
  if (!stat && stat.error().number != ESRCH) return std::unexpected(stat.error());
  if (!stat || stat->start_time != record.start_time || stat->state == 'Z' || stat->state == 'X') {
    return fail(ESRCH, "container not running");
  }
  return pidfd;
}

spec::State Container::state(spec::ContainerStatus status) const {
  spec::State state;
  state.oci_version = record.oci_version;
  state.id = record.id;
  state.pid = status == spec::ContainerStatus::stopped ? 0 : record.pid;
  state.status = status;
  state.bundle = record.bundle;
  state.rootfs = record.rootfs;
  state.created = record.created;
  state.annotations = record.annotations;
  return state;
}

Status Container::remove() {
  // What is there as a rule. The loop over the directory takes whatever else there is.
  for (const char *name : {"state.json", "config.json"}) (void)kernel::unlinkat(directory_, name);
  if (kernel::unlinkat(root_, record.id, AT_REMOVEDIR)) return {};
  return kernel::remove_tree_at(root_, record.id);
}

}  // namespace skiff
