// What is said to CRIU and heard from it: its RPC (rpc.proto of CRIU's own sources) as values. Pure; criu.h speaks it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/error.h"

namespace skiff {

enum class CriuType : std::uint8_t {
  dump = 1,
  restore = 2,
  pre_dump = 4,
  notify = 6,
  feature_check = 9,
  version = 10,
};
[[nodiscard]] std::string_view criu_type_name(CriuType type);

// A mount that CRIU neither saves nor makes, only binds. At a dump the place in the container and the name it is to
// have in the images; at a restore that name and the source on the host.
struct CriuMount {
  std::string key;
  std::string value;
};

struct CriuCgroupRoot {
  std::string controllers;  // "cpu,cpuacct", "name=systemd", or empty for cgroup v2
  std::string path;
};

// A namespace that the restored processes join.
struct CriuNamespace {
  std::string type;  // ipc, uts, time
  std::string path;
};

// A descriptor of CRIU's own that takes the place of the one that has this name in the images.
struct CriuDescriptor {
  std::string key;  // pipe:[123], extRootNetNS
  int fd = -1;
};

struct CriuPageServer {
  std::string address;
  std::uint32_t port = 0;
};

// The options of a dump or a restore, each as CRIU names it. What stands at its default is not sent.
struct CriuOptions {
  int images_dir_fd = -1;  // descriptors that CRIU has inherited
  int work_dir_fd = -1;
  std::uint32_t pid = 0;
  std::string root;
  std::string log_file;
  std::string parent_img;
  std::string config_file;
  std::string freeze_cgroup;
  std::string lsm_profile;
  std::string lsm_mount_context;
  bool leave_running = false;
  bool ext_unix_sk = false;
  bool tcp_established = false;
  bool tcp_close = false;
  bool tcp_skip_in_flight = false;
  bool evasive_devices = false;
  bool shell_job = false;
  bool file_locks = false;
  bool link_remap = false;
  bool track_mem = false;
  bool auto_dedup = false;
  bool lazy_pages = false;
  bool rst_sibling = false;        // the restored init becomes a child of CRIU's parent
  bool orphan_pts_master = false;  // the master of the restored terminal is handed over in a notification
  std::uint32_t empty_ns = 0;      // CLONE_NEW*: made, but left empty
  std::optional<std::uint32_t> manage_cgroups_mode;
  std::optional<std::uint32_t> network_lock;
  std::optional<CriuPageServer> page_server;
  std::vector<CriuMount> mounts;
  std::vector<CriuCgroupRoot> cgroup_roots;
  std::vector<CriuNamespace> join_ns;
  std::vector<CriuDescriptor> inherit_fd;
  std::vector<std::string> external;  // net[INODE]:extRootNetNS
};

// The numbers behind the words of --manage-cgroups-mode and --network-lock; "" is whatever CRIU does by itself.
[[nodiscard]] std::optional<std::uint32_t> criu_cgroups_mode(std::string_view word);
[[nodiscard]] std::optional<std::uint32_t> criu_network_lock(std::string_view word);

struct CriuFeatures {
  bool mem_track = false;
  bool lazy_pages = false;
};

// CRIU serves another request after these two; the one after a dump or a restore would not be.
[[nodiscard]] std::string print_criu_version_request();
[[nodiscard]] std::string print_criu_feature_request(const CriuFeatures &wanted);
[[nodiscard]] std::string print_criu_request(CriuType type, const CriuOptions &options);
[[nodiscard]] std::string print_criu_answer(bool success);  // to a notification

struct CriuResponse {
  CriuType type = CriuType::notify;
  bool success = false;
  int number = 0;       // errno, or 0
  std::string message;  // CRIU's own sentence, or empty
  std::string script;   // of a notification: post-restore, orphan-pts-master, ...
  int pid = 0;          // of the restored init
  CriuFeatures features;
  int version = 0;  // as CRIU counts: 31701 is 3.17.1
};
[[nodiscard]] Result<CriuResponse> parse_criu_response(std::string_view bytes);

// "3.17.1" for 31701.
[[nodiscard]] std::string criu_version_text(int version);

// The lines of a CRIU log that say why: those with "Error", without their time, the first ones, for what follows them
// is what came of it. In one line, and empty where there is none.
[[nodiscard]] std::string criu_log_errors(std::string_view log);

}  // namespace skiff
