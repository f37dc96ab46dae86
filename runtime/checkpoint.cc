#include "runtime/checkpoint.h"

#include <fcntl.h>
#include <fmt/format.h>

#include "runtime/cgroup.h"
#include "runtime/criu.h"
#include "runtime/criu_images.h"
#include "runtime/criu_mounts.h"
#include "runtime/criu_plan.h"
#include "runtime/host_probe.h"
#include "runtime/kernel/namespace.h"
#include "runtime/kernel/path.h"
#include "runtime/notify.h"
#include "runtime/plan.h"

namespace skiff {
namespace {

constexpr const char *log_file = "dump.log";

// The container's plan once more, for what it has mounted.
Result<Plan> make_plan_again(const Container &container, const std::string &root, const spec::Config &config,
                             const Host &host) {
  const spec::Record &record = container.record;
  const bool notifies = kernel::faccessat(container.directory(), notify_directory, F_OK).has_value();
  return make_plan(config, host,
                   {.id = record.id,
                    .bundle = record.bundle,
                    .disable_cgroups = true,
                    .notify_directory = notifies ? fmt::format("{}/{}/{}", root, record.id, notify_directory) : "",
                    .defer_seccomp = true});
}

Status add_mounts(const Plan &plan, const std::vector<CgroupDirectory> &cgroups, const kernel::Fd &root,
                  const kernel::Procfs &proc, CriuOptions &options) {
  for (const ExternalMount &mount : find_external_mounts(plan, cgroups)) {
    const std::string place = TRY(resolve_destination(root, mount.destination, proc));
    options.mounts.push_back({place, place});
  }
  for (const std::string &path : find_masked_paths(plan)) {
    const kernel::Fd there = TRY(kernel::find_in_root(root, path, O_PATH));
    if (!there.valid() || S_ISDIR(TRY(kernel::fstat(there)).st_mode)) continue;
    options.mounts.push_back({path, mask_of_files});
  }
  return {};
}

Status add_namespaces(const Plan &plan, pid_t init, const kernel::Procfs &proc, CriuOptions &options) {
  for (const Join &join : plan.launch.joins) {
    if (!is_external_namespace(join)) continue;
    const char *name = join.flag == CLONE_NEWNET ? "net" : "pid";
    const kernel::Fd fd = TRY(in(join.field, kernel::open_namespace(proc, init, name)));
    options.external.push_back(external_namespace(join, TRY(kernel::fstat(fd)).st_ino));
  }
  return {};
}

Status fill_options(const Container &container, const CheckpointRequest &request, const kernel::Procfs &proc,
                    CriuOptions &options) {
  const spec::Record &record = container.record;
  const spec::Config config = spec::parse_config(TRY(container.read_config())).config;
  const Host host = TRY(read_host(proc));
  const Plan plan = TRY(make_plan_again(container, request.root, config, host));
  if (config.linux_.find(spec::NamespaceType::mount) == nullptr) {
    return fail("linux.namespaces: a container without a mount namespace cannot be checkpointed",
                "CRIU restores processes into mounts of their own");
  }
  options.pid = static_cast<std::uint32_t>(record.pid);
  options.root = record.rootfs;
  options.log_file = log_file;
  options.parent_img = request.parent_path;
  options.track_mem = !request.parent_path.empty() || request.pre_dump;
  options.config_file = choose_criu_config(config.annotations, has_own_criu_config());
  // All its processes stop at once; without a freezer CRIU stops them one by one.
  options.freeze_cgroup = TRY(Cgroup::open(record.cgroup_paths)).freezer_path();
  options.orphan_pts_master = true;
  options.empty_ns = emptied_namespaces;
  TRY(add_namespaces(plan, record.pid, proc, options));
  if (request.pre_dump) return {};
  const kernel::Fd root = TRY(kernel::open_process_root(proc, record.pid));
  return add_mounts(plan, match_cgroup_directories(record.cgroup_paths, host), root, proc, options);
}

Status run_criu(CheckpointRequest &request, const CriuOptions &options, const CriuDirectories &directories,
                const cli::Log &log) {
  // A server of lazy pages would wait for ever; the container goes on when it is killed.
  CriuStart start{.program = request.criu, .dies_with_caller = options.lazy_pages, .inherited = {directories.images}};
  if (directories.work.valid()) start.inherited.emplace_back(directories.work);
  Criu criu = TRY(Criu::start(std::move(start)));
  const int version = TRY(criu.serve());
  cli::debug(log, fmt::format("criu {}", criu_version_text(version)));
  const CriuFeatures wanted{.mem_track = request.pre_dump, .lazy_pages = options.lazy_pages};
  if (wanted.mem_track || wanted.lazy_pages) TRY(criu.require(wanted));
  const auto answer = [&](const CriuNotification &told) -> Status {
    if (told.script != "status-ready" || !request.status.valid()) return {};
    const kernel::Fd status = std::move(request.status);
    return in("--status-fd", kernel::write_all(status, std::string(1, '\0')));
  };
  TRY(criu.request(request.pre_dump ? CriuType::pre_dump : CriuType::dump, options, answer, directories.log, log));
  return {};
}

}  // namespace

Status checkpoint(const Container &container, CheckpointRequest request, const cli::Log &log) {
  const kernel::Procfs proc = TRY(kernel::Procfs::open_host());
  const CriuDirectories directories = TRY(open_criu_directories(request.image_path, request.work_path, true));
  TRY(check_parent_path(directories.images, request.parent_path));
  CriuOptions options = std::move(request.options);
  options.images_dir_fd = directories.images.get();
  options.work_dir_fd = directories.work.get();
  TRY(fill_options(container, request, proc, options));
  if (!request.pre_dump) TRY(save_descriptors(directories.images, container.record.descriptors));
  const Status done = run_criu(request, options, directories, log);
  if (done || request.pre_dump || options.leave_running) return done;
  // CRIU ends the container when the images are whole. Where its last word did not reach us, this has been done.
  const bool ended = TRY(container.status(proc)) == spec::ContainerStatus::stopped;
  if (!ended || !has_dumped(fmt::format("{}/{}", directories.log, log_file))) return done;
  cli::debug(log, done.error().message());
  return {};
}

}  // namespace skiff
