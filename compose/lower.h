// From a Service to the config.json of its container: what `skiff-image unpack` wrote for the image, with all that the
// service says put into it.
//
// Everything that has to be made before (volumes, the files of secrets, a network) is made by others and comes in as
// paths. Lowering itself looks at the root filesystem's /etc/passwd and /etc/group, at device files, at CDI's and
// seccomp's files, and makes the missing directories of binds whose create_host_path says so; nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compose/project.h"
#include "runtime/kernel/fd.h"
#include "spec/config.h"
#include "spec/image.h"

namespace skiff::compose {

struct IdRange {
  std::uint32_t first = 0;
  std::uint32_t size = 0;
};

// What of this host lowering has to know. One read serves all containers of a command.
struct HostFacts {
  bool cgroup_v2 = true;        // the unified hierarchy has the controllers
  bool swap_accounting = true;  // the memory controller can limit swap
  std::uint32_t uid = 0;        // whose command this is
  std::uint32_t gid = 0;
  std::string hostname;
  std::uint64_t capabilities = ~std::uint64_t{0};  // a bit for each that can be given; "ALL" means these
  // What subuid(5) and subgid(5) grant: to the caller, for root to "containers".
  std::vector<IdRange> uid_ranges;
  std::vector<IdRange> gid_ranges;

  [[nodiscard]] bool rootless() const { return uid != 0; }
};

[[nodiscard]] Result<HostFacts> read_host_facts();

// Empty: no user namespace of its own.
struct IdMaps {
  std::vector<spec::IdMapping> uids;
  std::vector<spec::IdMapping> gids;
};

// What the service's userns_mode, uid_maps and gid_maps come to; to be known before `skiff-image unpack --uid-map`.
// `taken` are the host's ids that other containers have: "auto" keeps away from them.
[[nodiscard]] Result<IdMaps> make_id_maps(const Service &service, const HostFacts &host,
                                          const std::vector<IdRange> &taken);

// What is mounted at `target` from the host; a bind.
struct SourcePath {
  std::string target;  // as the service has it
  std::string path;    // on the host, absolute
  bool read_only = false;
};

// Namespaces to join, as /proc/PID/ns/NAME or a file it is bound to; empty: what the service's mode says without one.
struct JoinedNamespaces {
  std::string network;  // of a network that is made already, of service:NAME and container:ID
  std::string pid;      // of pid_mode service:NAME and container:ID, and so on
  std::string ipc;
  std::string uts;
  std::string cgroup;
  std::string user;
};

struct LowerContext {
  std::string id;                         // the container's: in its cgroup's path, its first 12 letters as hostname
  kernel::FdView rootfs = kernel::no_fd;  // the unpacked root filesystem
  const spec::ImageDefaults *image = nullptr;  // "config" of the image; null for a root filesystem without one
  const HostFacts *host = nullptr;
  IdMaps id_maps;  // of make_id_maps, or of the user namespace that is joined
  JoinedNamespaces namespaces;
  // The host's directory of each volume, or the part of it that a subpath names: of mounts of Kind::volume, of the
  // image's VOLUMEs, and of volumes_from. One whose target no mount of the service has is mounted as well.
  std::vector<SourcePath> volumes;
  std::vector<SourcePath> files;  // of secrets and configs, with owner and mode; bound read-only
  // Bound where a container looks for them; empty: the image's own.
  std::string hosts_file, resolv_file, hostname_file;
  std::string shm_directory;    // bound at /dev/shm: where several containers share it
  std::string cgroup_parent;    // where the service says none; empty: at the top, as no parent then stays
  bool systemd_cgroup = false;  // skiff runs with --systemd-cgroup: cgroup_parent is a slice
  std::string init_program;     // where the service wants an init; empty: skiff-init beside this program
  std::vector<std::string> cdi_directories = {"/etc/cdi", "/var/run/cdi"};  // the later one wins
};

// Errors name the service's field as compose.yaml spells it, and what to write instead. The config is whole or of no
// use: an error may leave it half changed.
[[nodiscard]] Status lower_service(const Service &service, const LowerContext &context, spec::Config &config);

// What a container has that says nothing of capabilities: "CAP_CHOWN" and so on.
[[nodiscard]] std::vector<std::string> usual_capabilities();

// The service with what the image says where it is silent: stop_signal, health_check, user, working_dir, command and
// entrypoint, exposed ports; environment and labels are the image's with the service's over them. For the record that
// `inspect`, `stop` and the supervisor read.
[[nodiscard]] Service with_image_defaults(Service service, const spec::ImageDefaults &image);

}  // namespace skiff::compose
