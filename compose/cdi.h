// The Container Device Interface (CNCF, cdi SPEC.md): files on the host, in JSON or YAML, that say what a device's name
// stands for.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/config.h"

namespace skiff::compose {

struct CdiDeviceNode {
  std::string path;       // in the container
  std::string host_path;  // empty: the same
  std::string type;       // what is not said is read from the host's device
  std::optional<std::int64_t> major;
  std::optional<std::int64_t> minor;
  std::optional<std::uint32_t> file_mode;
  std::string permissions;
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
};

struct CdiMount {
  std::string host_path;
  std::string container_path;
  std::string type;
  std::vector<std::string> options;
};

struct CdiHook {
  std::string name;  // createContainer
  std::string path;
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::optional<std::int32_t> timeout;
};

struct CdiNetDevice {
  std::string host_interface_name;
  std::string name;
};

// "containerEdits"
struct CdiEdits {
  std::vector<std::string> env;
  std::vector<CdiDeviceNode> device_nodes;
  std::vector<CdiNetDevice> net_devices;
  std::vector<CdiMount> mounts;
  std::vector<CdiHook> hooks;
  std::vector<std::uint32_t> additional_gids;
  std::optional<spec::IntelRdt> intel_rdt;
};

struct CdiDevice {
  std::string name;
  CdiEdits edits;
};

// One file.
struct CdiSpec {
  std::string path;
  std::string version;  // "cdiVersion"
  std::string kind;     // "vendor.com/class"
  std::vector<CdiDevice> devices;
  CdiEdits edits;  // of all its devices, once
};

// An error names the file and every wrong member.
[[nodiscard]] Result<CdiSpec> parse_cdi_spec(std::string_view json, const std::string &path);

// Every *.json, *.yaml and *.yml of the directories, the later directories first: their devices win. A directory that
// is not there has none. A file that is wrong is left out and told in `broken`: it hides the devices of no other.
struct CdiRegistry {
  std::vector<CdiSpec> specs;
  std::vector<Error> broken;
};
[[nodiscard]] CdiRegistry load_cdi(const std::vector<std::string> &directories);

struct CdiFound {
  const CdiSpec *spec = nullptr;
  const CdiDevice *device = nullptr;
};
// "vendor.com/class=name", or a name alone of any vendor's class "gpu". ENODEV with the names there are.
[[nodiscard]] Result<CdiFound> find_cdi_device(const CdiRegistry &registry, std::string_view name);

}  // namespace skiff::compose
