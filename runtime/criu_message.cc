#include "runtime/criu_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/protobuf.h"

namespace skiff {
namespace {

using protobuf::add_bytes;
using protobuf::add_number;

// The numbers of the fields in CRIU's rpc.proto.
namespace request {
constexpr unsigned type = 1, opts = 2, notify_success = 3, keep_open = 4, features = 5;
}
namespace feature {
constexpr unsigned mem_track = 1, lazy_pages = 2;
}
namespace response {
constexpr unsigned type = 1, success = 2, restore = 4, notify = 5, cr_errno = 7, features = 8, cr_errmsg = 9,
                   version = 10;
}
namespace option {
constexpr unsigned images_dir_fd = 1, pid = 2, log_level = 9, page_server = 11, notify_scripts = 12, work_dir_fd = 17,
                   ext_mnt = 23, manage_cgroups = 24, cg_root = 25, inherit_fd = 27, manage_cgroups_mode = 34,
                   external = 37, empty_ns = 38, join_ns = 39, network_lock = 64;
}

constexpr std::array<std::pair<bool CriuOptions::*, unsigned>, 14> switches = {{{&CriuOptions::leave_running, 3},
                                                                                {&CriuOptions::ext_unix_sk, 4},
                                                                                {&CriuOptions::tcp_established, 5},
                                                                                {&CriuOptions::evasive_devices, 6},
                                                                                {&CriuOptions::shell_job, 7},
                                                                                {&CriuOptions::file_locks, 8},
                                                                                {&CriuOptions::track_mem, 15},
                                                                                {&CriuOptions::auto_dedup, 16},
                                                                                {&CriuOptions::link_remap, 18},
                                                                                {&CriuOptions::rst_sibling, 26},
                                                                                {&CriuOptions::tcp_skip_in_flight, 46},
                                                                                {&CriuOptions::lazy_pages, 48},
                                                                                {&CriuOptions::orphan_pts_master, 50},
                                                                                {&CriuOptions::tcp_close, 52}}};

constexpr std::array<std::pair<std::string CriuOptions::*, unsigned>, 7> texts = {
    {{&CriuOptions::log_file, 10},
     {&CriuOptions::root, 13},
     {&CriuOptions::parent_img, 14},
     {&CriuOptions::freeze_cgroup, 44},
     {&CriuOptions::config_file, 51},
     {&CriuOptions::lsm_profile, 53},
     {&CriuOptions::lsm_mount_context, 63}}};

// A message of two fields, of which every other one in CRIU's options is.
std::string print_pair(std::string_view first, std::string_view second) {
  std::string out;
  add_bytes(out, 1, first);
  add_bytes(out, 2, second);
  return out;
}

std::string print_pair(std::string_view first, std::uint64_t second) {
  std::string out;
  add_bytes(out, 1, first);
  add_number(out, 2, second);
  return out;
}

std::string print_options(const CriuOptions &options) {
  constexpr unsigned log_errors_to_debug = 4;
  std::string out;
  add_number(out, option::images_dir_fd, static_cast<unsigned>(options.images_dir_fd));
  if (options.work_dir_fd >= 0) add_number(out, option::work_dir_fd, static_cast<unsigned>(options.work_dir_fd));
  if (options.pid != 0) add_number(out, option::pid, options.pid);
  add_number(out, option::log_level, log_errors_to_debug);
  add_number(out, option::notify_scripts, 1);
  for (const auto &[member, number] : switches) {
    if (options.*member) add_number(out, number, 1);
  }
  for (const auto &[member, number] : texts) {
    if (!(options.*member).empty()) add_bytes(out, number, options.*member);
  }
  if (options.empty_ns != 0) add_number(out, option::empty_ns, options.empty_ns);
  add_number(out, option::manage_cgroups, 1);
  if (options.manage_cgroups_mode) add_number(out, option::manage_cgroups_mode, *options.manage_cgroups_mode);
  if (options.network_lock) add_number(out, option::network_lock, *options.network_lock);
  if (options.page_server) {
    add_bytes(out, option::page_server, print_pair(options.page_server->address, options.page_server->port));
  }
  for (const CriuMount &mount : options.mounts) add_bytes(out, option::ext_mnt, print_pair(mount.key, mount.value));
  for (const CriuCgroupRoot &root : options.cgroup_roots) {
    add_bytes(out, option::cg_root, print_pair(root.controllers, root.path));
  }
  for (const CriuNamespace &each : options.join_ns) add_bytes(out, option::join_ns, print_pair(each.type, each.path));
  for (const CriuDescriptor &each : options.inherit_fd) {
    add_bytes(out, option::inherit_fd, print_pair(each.key, static_cast<unsigned>(each.fd)));
  }
  for (const std::string &each : options.external) add_bytes(out, option::external, each);
  return out;
}

std::string print_type(CriuType type) {
  std::string out;
  add_number(out, request::type, static_cast<std::uint64_t>(type));
  return out;
}

// Calls `visit` with every field of the message.
template <class Visit>
Status each_field(std::string_view message, Visit visit) {
  while (const std::optional<protobuf::Field> field = TRY(protobuf::take_field(message))) TRY(visit(*field));
  return {};
}

Status parse_features(std::string_view message, CriuFeatures &features) {
  return each_field(message, [&](const protobuf::Field &field) -> Status {
    if (field.field == feature::mem_track) features.mem_track = field.number != 0;
    if (field.field == feature::lazy_pages) features.lazy_pages = field.number != 0;
    return {};
  });
}

Status parse_version(std::string_view message, int &version) {
  constexpr unsigned major = 1, minor = 2, sublevel = 4;
  return each_field(message, [&](const protobuf::Field &field) -> Status {
    if (field.field == major) version += static_cast<int>(field.number) * 10000;
    if (field.field == minor) version += static_cast<int>(field.number) * 100;
    if (field.field == sublevel) version += static_cast<int>(field.number);
    return {};
  });
}

Status parse_notification(std::string_view message, CriuResponse &out) {
  constexpr unsigned script = 1, pid = 2;
  return each_field(message, [&](const protobuf::Field &field) -> Status {
    if (field.field == script) out.script = field.bytes;
    if (field.field == pid) out.pid = static_cast<int>(field.number);
    return {};
  });
}

}  // namespace

std::string_view criu_type_name(CriuType type) {
  switch (type) {
    case CriuType::dump:
      return "dump";
    case CriuType::restore:
      return "restore";
    case CriuType::pre_dump:
      return "pre-dump";
    case CriuType::notify:
      return "notify";
    case CriuType::feature_check:
      return "feature check";
    case CriuType::version:
      return "version";
  }
  return "request";
}

std::optional<std::uint32_t> criu_cgroups_mode(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, std::uint32_t>, 5> modes = {
      {{"ignore", 0}, {"soft", 3}, {"full", 4}, {"strict", 5}, {"", 6}}};
  for (const auto &[name, number] : modes) {
    if (name == word) return number;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> criu_network_lock(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, std::uint32_t>, 3> methods = {
      {{"iptables", 1}, {"nftables", 2}, {"skip", 3}}};
  for (const auto &[name, number] : methods) {
    if (name == word) return number;
  }
  return std::nullopt;
}

std::string print_criu_version_request() {
  std::string out = print_type(CriuType::version);
  add_number(out, request::keep_open, 1);
  return out;
}

std::string print_criu_feature_request(const CriuFeatures &wanted) {
  std::string features;
  if (wanted.mem_track) add_number(features, feature::mem_track, 1);
  if (wanted.lazy_pages) add_number(features, feature::lazy_pages, 1);
  std::string out = print_type(CriuType::feature_check);
  add_number(out, request::keep_open, 1);
  add_bytes(out, request::features, features);
  return out;
}

std::string print_criu_request(CriuType type, const CriuOptions &options) {
  std::string out = print_type(type);
  add_bytes(out, request::opts, print_options(options));
  return out;
}

std::string print_criu_answer(bool success) {
  std::string out = print_type(CriuType::notify);
  add_number(out, request::notify_success, success ? 1 : 0);
  return out;
}

Result<CriuResponse> parse_criu_response(std::string_view bytes) {
  CriuResponse out;
  TRY(each_field(bytes, [&](const protobuf::Field &field) -> Status {
    switch (field.field) {
      case response::type:
        out.type = static_cast<CriuType>(field.number);
        return {};
      case response::success:
        out.success = field.number != 0;
        return {};
      case response::restore:
        return each_field(field.bytes, [&](const protobuf::Field &inner) -> Status {
          if (inner.field == 1) out.pid = static_cast<int>(inner.number);
          return {};
        });
      case response::notify:
        return parse_notification(field.bytes, out);
      case response::cr_errno:
        out.number = static_cast<int>(field.number);
        return {};
      case response::features:
        return parse_features(field.bytes, out.features);
      case response::cr_errmsg:
        out.message = field.bytes;
        return {};
      case response::version:
        return parse_version(field.bytes, out.version);
      default:
        return {};
    }
  }));
  return out;
}

std::string criu_version_text(int version) {
  const int sublevel = version % 100;
  std::string out = fmt::format("{}.{}", version / 10000, version / 100 % 100);
  if (sublevel != 0) out += fmt::format(".{}", sublevel);
  return out;
}

std::string criu_log_errors(std::string_view log) {
  constexpr std::size_t most = 6;
  std::string out;
  for (std::size_t found = 0; found < most && !log.empty();) {
    std::string_view line = log.substr(0, log.find('\n'));
    log.remove_prefix(std::min(line.size() + 1, log.size()));
    const std::size_t error = line.find("Error (");
    if (error == std::string_view::npos) continue;
    line.remove_prefix(error);
    if (!out.empty()) out += "; ";
    out += line;
    ++found;
  }
  return out;
}

}  // namespace skiff
