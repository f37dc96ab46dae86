#include "compose/network_record.h"

#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>

#include "compose/record_fields.h"
#include "compose/user_network.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

constexpr std::string_view ending = ".json";

Result<std::vector<std::string>> list_records(const std::string &directory) {
  std::vector<std::string> names;
  const kernel::Fd fd = TRY(kernel::find_at(kernel::cwd, directory, O_RDONLY | O_DIRECTORY));
  if (!fd.valid()) return names;
  for (std::string &name : TRY(kernel::list_directory(fd))) {
    if (name.ends_with(ending)) names.push_back(name.substr(0, name.size() - ending.size()));
  }
  std::ranges::sort(names);
  return names;
}

template <class T>
Result<T> load(const std::string &path, const std::string &what) {
  const std::string text = TRY(read_if_there(path));
  if (text.empty()) return fail(ENOENT, what);
  return parse_document<T>(path, text);
}

template <class T>
Status save(const std::string &path, const T &record) {
  return replace_file(path, spec::Writer("  ").document(record) + "\n");
}

std::string network_path(const Places &places, const std::string &name) {
  return fmt::format("{}/{}{}", networks_directory(places), name, ending);
}

std::string attached_path(const Places &places, const std::string &container) {
  return fmt::format("{}/{}{}", attached_directory(places), container, ending);
}

}  // namespace

// A lock file would stay behind in a place that all state directories know. This one is in every network namespace,
// leaves nothing, and nobody but root can open it to keep others from it.
Result<kernel::Fd> lock_networks(const Places &places) {
  if (is_rootless()) {
    TRY(kernel::make_parents(places.run + "/networks/", 0711));
    return lock_file(places.run + "/networks.lock", LOCK_EX);
  }
  kernel::Fd file = TRY(kernel::open("/proc/sys/net/ipv4/tcp_fastopen_key", O_RDONLY));
  TRY(kernel::flock(file, LOCK_EX));
  return file;
}

std::string networks_directory(const Places &places) { return places.data + "/networks"; }
std::string attached_directory(const Places &places) { return places.run + "/networks/attached"; }
std::string namespaces_directory(const Places &places) { return places.run + "/networks/namespaces"; }
std::string names_directory(const Places &places) { return places.run + "/networks/names"; }

Status make_network_directories(const Places &places) {
  for (const std::string &directory : {networks_directory(places), attached_directory(places),
                                       namespaces_directory(places), names_directory(places)}) {
    TRY(kernel::make_parents(directory + "/", 0711));
  }
  return {};
}

Result<NetworkRecord> load_network(const Places &places, const std::string &name) {
  return load<NetworkRecord>(network_path(places, name), fmt::format("network {}", name));
}

Status save_network(const Places &places, const NetworkRecord &record) {
  return save(network_path(places, record.name), record);
}

Status forget_network(const Places &places, const std::string &name) {
  return kernel::unlinkat(kernel::cwd, network_path(places, name));
}

Result<std::vector<NetworkRecord>> list_networks(const Places &places) {
  std::vector<NetworkRecord> records;
  for (const std::string &name : TRY(list_records(networks_directory(places)))) {
    Result<NetworkRecord> record = load_network(places, name);
    if (record) records.push_back(std::move(*record));
    // Removed since the directory was read.
    if (!record && record.error().number != ENOENT) return std::unexpected(record.error());
  }
  return records;
}

// Whoever writes has the lock: under it a file that is no record is nobody's.
Status sweep_networks(const Places &places) {
  kernel::Fd lock;
  for (const std::string &path : {networks_directory(places), attached_directory(places)}) {
    const kernel::Fd directory = TRY(kernel::find_at(kernel::cwd, path, O_RDONLY | O_DIRECTORY));
    if (!directory.valid()) continue;
    for (const std::string &name : TRY(kernel::list_directory(directory))) {
      if (name.ends_with(ending)) continue;
      if (!lock.valid()) lock = TRY(lock_networks(places));
      // Its writer may have come to its end before we had the lock.
      const Status gone = kernel::unlinkat(directory, name);
      if (!gone && gone.error().number != ENOENT) return gone;
    }
  }
  return {};
}

Result<NetworkState> load_attached(const Places &places, const std::string &container) {
  return load<NetworkState>(attached_path(places, container), fmt::format("networks of container {}", container));
}

Status save_attached(const Places &places, const NetworkState &state) {
  return save(attached_path(places, state.container), state);
}

Status forget_attached(const Places &places, const std::string &container) {
  return kernel::unlinkat(kernel::cwd, attached_path(places, container));
}

Result<NetworkState> find_attached(const Places &places, const std::string &container) {
  NetworkState state = TRY(load_attached(places, container));
  // Interfaces and rules did not outlive the boot they were made in.
  if (state.boot_id != TRY(read_boot_id())) return fail(ENOENT, fmt::format("networks of container {}", container));
  return state;
}

Result<std::vector<NetworkState>> list_attached(const Places &places) {
  std::vector<NetworkState> states;
  for (const std::string &container : TRY(list_records(attached_directory(places)))) {
    Result<NetworkState> state = find_attached(places, container);
    if (state) states.push_back(std::move(*state));
    if (!state && state.error().number != ENOENT) return std::unexpected(state.error());
  }
  return states;
}

}  // namespace skiff::compose
