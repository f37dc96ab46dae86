#include "compose/creation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "compose/container_volumes.h"
#include "compose/contains.h"
#include "compose/events.h"
#include "compose/granted_ids.h"
#include "compose/half_made.h"
#include "compose/image_bundle.h"
#include "compose/joined_namespaces.h"
#include "compose/random_name.h"
#include "compose/rootfs_mount.h"
#include "compose/shared_memory.h"
#include "compose/taken_ids.h"
#include "compose/user_network.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

using kernel::Fd;

// A name of one's own choice is taken or not; one that is made up is tried with a number behind it.
Status claim(const Places &places, const CreateRequest &request, ContainerRecord &record) {
  if (!request.name.empty()) {
    Status claimed = claim_name(places, request.name, record.id);
    if (claimed || claimed.error().number != EEXIST || !TRY(sweep_name(places, request.name))) return claimed;
    return claim_name(places, request.name, record.id);
  }
  Status claimed;
  for (int i = 0; i < 20; ++i) {
    record.name = TRY(make_name());
    if (i > 5) record.name += fmt::format("_{}", record.id.substr(0, 4));
    claimed = claim_name(places, record.name, record.id);
    if (claimed || claimed.error().number != EEXIST) break;
  }
  return claimed;
}

ContainerRecord make_record(const CreateRequest &request, std::string id) {
  ContainerRecord record;
  record.id = std::move(id);
  record.name = request.name;
  record.project = request.project;
  record.service = request.service_name;
  record.number = request.number;
  record.one_off = request.one_off;
  record.config_hash = request.config_hash;
  record.created = time_now();
  record.auto_remove = request.auto_remove;
  record.stdin_once = request.stdin_once;
  return record;
}

// What of the service commands need later; the image's word counts where it is silent.
void describe(const Service &service, ContainerRecord &record) {
  record.image = service.image;
  record.rootfs = service.rootfs;
  record.entrypoint = service.entrypoint.value_or(std::vector<std::string>());
  record.command = service.command.value_or(std::vector<std::string>());
  record.hostname = service.hostname.empty() ? record.id.substr(0, 12) : service.hostname;
  record.domainname = service.domainname;
  record.dns = service.dns;
  record.dns_search = service.dns_search;
  record.dns_options = service.dns_options;
  for (const auto &[name, address] : service.extra_hosts) record.extra_hosts.push_back({name, address});
  record.user = service.user;
  record.working_dir = service.working_dir;
  record.platform = service.platform;
  record.labels = service.labels;
  record.restart = service.restart;
  record.health_check = service.health_check;
  record.ports = service.ports;
  for (const std::string &port : service.expose) {
    std::string word = port.contains('/') ? port : port + "/tcp";
    if (!contains(record.exposed, word)) record.exposed.push_back(std::move(word));
  }
  record.networks = service.networks;
  record.network_mode = service.network_mode;
  record.pid_mode = service.pid_mode;
  record.ipc_mode = service.ipc_mode;
  record.uts_mode = service.uts_mode;
  record.userns_mode = service.userns_mode;
  record.cgroup_mode = service.cgroup_mode;
  record.shm_size = service.shm_size;
  record.logging = service.logging;
  record.stop_signal = service.stop_signal;
  record.stop_timeout = service.stop_grace_period;
  record.post_start = service.post_start;
  record.pre_stop = service.pre_stop;
  record.tty = service.tty;
  record.stdin_open = service.stdin_open;
  record.privileged = service.privileged;
}

Status make_default_network(const Engine &engine, ContainerRecord &record) {
  if (!record.network_mode.empty() || !record.networks.empty()) return {};
  const auto there = find_network(engine.places, default_network);
  if (!there && there.error().number != ENOENT) return std::unexpected(there.error());
  if (!there) {
    Network network;
    network.name = network.key = default_network;
    const auto made = create_network(engine.places, network);
    // Two commands at once: the other one was first.
    if (!made && made.error().number != EEXIST) return std::unexpected(made.error());
  }
  Attachment attachment;
  attachment.network = default_network;
  record.networks.push_back(std::move(attachment));
  return {};
}

void publish_exposed(ContainerRecord &record) {
  for (const std::string &word : record.exposed) {
    Port port;
    port.container = static_cast<std::uint16_t>(std::atoi(word.c_str()));
    if (const std::size_t slash = word.find('/'); slash != std::string::npos) port.protocol = word.substr(slash + 1);
    const bool there = std::ranges::any_of(record.ports, [&](const Port &one) {
      return one.container == port.container && one.protocol == port.protocol;
    });
    if (port.container != 0 && !there) record.ports.push_back(std::move(port));
  }
}

Result<LowerContext> lower_context(const Places &places, const ContainerRecord &record) {
  LowerContext context;
  context.id = record.id;
  const std::string shared = shared_with(record.network_mode);
  std::string owner = record.id;
  if (!shared.empty()) owner = find_id(places, shared).value_or(record.id);
  const std::string folder = places.directory(owner);
  context.hosts_file = folder + "/hosts";
  context.resolv_file = folder + "/resolv.conf";
  context.hostname_file = folder + "/hostname";
  // Those of other containers are found at every start.
  const auto later = [](const std::string &mode, const char *name) {
    return shared_with(mode).empty() ? std::string() : fmt::format("/proc/1/ns/{}", name);
  };
  context.namespaces.network = later(record.network_mode, "net");
  // A user's container makes its own: join_networks comes to it.
  if (record.network_mode.empty() && !is_rootless()) {
    context.namespaces.network = network_namespace(places, record.id);
  }
  context.namespaces.pid = later(record.pid_mode, "pid");
  context.namespaces.ipc = later(record.ipc_mode, "ipc");
  context.namespaces.uts = later(record.uts_mode, "uts");
  context.namespaces.cgroup = later(record.cgroup_mode, "cgroup");
  // Without maps the other one is in the host's, as this one then is.
  if (!record.uid_mappings.empty()) context.namespaces.user = later(record.userns_mode, "user");
  context.shm_directory = TRY(shared_memory_of(places, record.id, record.ipc_mode));
  return context;
}

// For who is in the user's namespace, where ids have other numbers.
Result<IdMaps> map_inside_granted(const HostFacts &host, const IdMaps &maps) {
  const IdMaps outer = TRY(make_user_network_maps(host));
  return IdMaps{.uids = TRY(in("uid_maps", map_inside(maps.uids, outer.uids))),
                .gids = TRY(in("gid_maps", map_inside(maps.gids, outer.gids)))};
}

// Who creates it is in there already.
Status map_from_user_network(const HostFacts &host, spec::Config &config) {
  spec::Linux &linux_ = config.linux_;
  IdMaps maps = TRY(map_inside_granted(host, {.uids = linux_.uid_mappings, .gids = linux_.gid_mappings}));
  linux_.uid_mappings = std::move(maps.uids);
  linux_.gid_mappings = std::move(maps.gids);
  return {};
}

Status write_config(const Places &places, const std::string &id, const spec::Config &config) {
  return replace_file(bundle_of(places, id) + "/config.json", spec::print_config(config, true) + "\n");
}

// The tree of --rootfs is used as it is, as other engines do.
Result<spec::Config> start_from_directory(const Places &places, const ContainerRecord &record) {
  TRY(kernel::make_directory(kernel::cwd, bundle_of(places, record.id), 0700));
  spec::Config config = spec::make_container_config();
  config.root = spec::Root{.path = record.rootfs, .readonly = false};
  return config;
}

// Whoever is root of the host or of granted ids gives files away; otherwise all of them are the user's own.
Status unpack_with_owners(const Engine &engine, UnpackRequest request, const HostFacts &host, const IdMaps &maps) {
  if (!host.rootless()) {
    request.id_maps = maps;
    return unpack_image(engine, request);
  }
  request.overlay = false;
  if (!has_granted_ids(host)) return unpack_image(engine, request);
  request.id_maps = TRY(map_inside_granted(host, maps));
  const Fd ids = TRY(open_granted_ids(host));
  request.inside = ids;
  return unpack_image(engine, request);
}

// What counts on several owners fails later, and does not say why.
void warn_of_one_owner(const Engine &engine, const HostFacts &host, const std::string &user) {
  const std::string name = user.substr(0, user.find(':'));
  if (!host.rootless() || has_granted_ids(host) || name.empty() || name == "0" || name == "root") return;
  cli::warning(engine.log,
               fmt::format("the image's user {} is you, as all of its files are yours: have ids granted in /etc/subuid "
                           "and /etc/subgid, and the package uidmap installed",
                           name));
}

Result<spec::Config> start_from_image(const Engine &engine, const CreateRequest &request, const HostFacts &host,
                                      const IdMaps &maps, ContainerRecord &record) {
  const std::string bundle = bundle_of(engine.places, record.id);
  const UnpackRequest unpack = {.image = request.service.image,
                                .pull_policy = request.service.pull_policy,
                                .platform = request.service.platform,
                                .bundle = bundle,
                                .id_maps = {},
                                .quiet = request.quiet};
  TRY(unpack_with_owners(engine, unpack, host, maps));
  if (!host.rootless()) record.layers = TRY(find_layers(bundle + "/rootfs"));
  const std::string path = bundle + "/config.json";
  spec::Parsed parsed = spec::parse_config(TRY(read_if_there(path)));
  if (!parsed.findings.empty()) return std::unexpected(spec::findings_error(path, parsed.findings));
  return std::move(parsed.config);
}

Status make(const Engine &engine, const CreateRequest &request, ContainerRecord &record) {
  const Places &places = engine.places;
  const HostFacts host = TRY(read_host_facts());
  const IdMaps maps = TRY(choose_id_maps(places, request.service, host, record));
  const bool from_image = request.service.rootfs.empty();
  record.rootfs = request.service.rootfs;
  spec::Config config =
      TRY(from_image ? start_from_image(engine, request, host, maps, record) : start_from_directory(places, record));
  std::optional<BundleImage> image;
  if (from_image) image = TRY(read_bundle_image(bundle_of(places, record.id)));
  const spec::ImageDefaults *defaults = image ? &image->config.config : nullptr;
  describe(image ? with_image_defaults(request.service, *defaults) : request.service, record);
  if (image) record.image_id = image->id;
  if (image && request.service.user.empty()) warn_of_one_owner(engine, host, defaults->user);
  if (request.publish_all) publish_exposed(record);
  TRY(make_default_network(engine, record));

  const std::string tree = from_image ? bundle_of(places, record.id) + "/rootfs" : record.rootfs;
  const Fd rootfs = TRY(kernel::open(tree, O_PATH | O_DIRECTORY));
  ContainerVolumes volumes = TRY(make_container_volumes(places, request.service, defaults, rootfs, record));
  record.mounts = volumes.records;
  LowerContext context = TRY(lower_context(places, record));
  context.rootfs = rootfs;
  context.image = defaults;
  context.host = &host;
  context.id_maps = maps;
  context.volumes = std::move(volumes.paths);
  context.files = request.files;
  if (request.service.init.value_or(false)) context.init_program = TRY(find_program("skiff-init"));
  TRY(lower_service(request.with_secrets ? *request.with_secrets : request.service, context, config));
  if (is_in_user_network(record)) TRY(map_from_user_network(host, config));
  return write_config(places, record.id, config);
}

// Every command here reads what skiff alone writes down of its containers. It is a drop-in for those that are accepted.
Status check_runtime(const Engine &engine, const std::string &name) {
  constexpr std::array<std::string_view, 4> alike = {"skiff", "runc", "crun", "io.containerd.runc.v2"};
  if (name.empty() || name == engine.runtime.front() || contains(alike, std::string_view(name))) return {};
  return fail(fmt::format("runtime {}: containers of skiff-compose are run by skiff alone", name),
              "leave it out; for a GPU there is --gpus");
}

}  // namespace

Result<ContainerRecord> create_container(const Engine &engine, const CreateRequest &request) {
  const Places &places = engine.places;
  if (!request.name.empty()) TRY(check_name(request.name));
  TRY(check_runtime(engine, request.service.runtime));
  TRY(sweep_half_made(places));
  ContainerRecord record = make_record(request, TRY(make_id()));
  Fd mark = TRY(mark_half_made(places, record.id));
  const auto build = [&]() -> Status {
    TRY(kernel::make_directory(kernel::cwd, places.directory(record.id), 0711));
    TRY(claim(places, request, record));
    TRY(save_record(places, record));
    TRY(make(engine, request, record));
    if (!request.starts_now) TRY(unmount_rootfs(places, record));
    record.ready = true;
    return save_record(places, record);
  };
  if (Status built = build(); !built) {
    mark.reset();
    record.ready = false;
    (void)erase(places, record, true);
    return std::unexpected(std::move(built).error());
  }
  TRY(unmark_half_made(places, record.id));
  record_event(places, record, "create");
  return record;
}

}  // namespace skiff::compose
