// From an image's configuration to a container's config.json (image-spec, conversion.md).
//
// Everything in an image is hostile: what it says about users is read from its own files without following a link out,
// what it says about volumes stays below its root, and no label of it may steer a runtime.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/kernel/fd.h"
#include "spec/config.h"
#include "spec/image.h"

namespace skiff::image {

enum class VolumeStyle : std::uint8_t {
  tmpfs,  // empty at every start, with the owner and mode that the image's directory has
  bind,   // a directory of the bundle: make_volumes() makes them
  none,   // part of the root filesystem
};

// What a caller puts in place of the image's own words; what is empty leaves them.
struct RuntimeOptions {
  std::optional<std::vector<std::string>> entrypoint;  // the image's Cmd is dropped with it, as Docker does
  std::vector<std::string> args;                       // in place of Cmd
  std::vector<std::string> env;                        // NAME=VALUE, over the image's
  std::string user;
  std::string working_dir;
  std::string hostname;
  bool terminal = false;
  bool readonly_root = false;
  bool host_network = false;  // no network namespace of its own
  bool new_privileges = false;

  VolumeStyle volumes = VolumeStyle::tmpfs;
  std::string volume_directory = "volumes";  // of VolumeStyle::bind; relative to the bundle

  std::string root_path = "rootfs";
  // A user namespace with these; empty: none, or with `rootless` the caller's own id as root.
  std::vector<spec::IdMapping> uid_mappings;
  std::vector<spec::IdMapping> gid_mappings;
  // The ids in `rootfs` are the host's of these mappings (an unpack that shifted them).
  bool shifted_rootfs = false;
  bool rootless = false;
};

// A volume of VolumeStyle::bind.
struct BindVolume {
  std::string source;       // below the bundle
  std::string destination;  // in the container
  mode_t mode = 0755;
  uid_t uid = 0;  // on the host
  gid_t gid = 0;
};

struct RuntimeConfig {
  spec::Config config;
  std::vector<BindVolume> volumes;
  std::vector<std::string> warnings;  // what of the image was left out, and why
};

// `rootfs` is the unpacked root: /etc/passwd, /etc/group and the volumes' directories are looked at in it. Errors: a
// user or group that is not in the image, an id above 2147483647 (CVE-2024-40635), a file of it that is no regular one.
[[nodiscard]] Result<RuntimeConfig> make_runtime_config(const spec::ImageConfig &image, kernel::FdView rootfs,
                                                        const RuntimeOptions &options);
// Makes the directories of the volumes that are missing, with their owner where the caller may give it.
[[nodiscard]] Status make_volumes(kernel::FdView bundle, const std::vector<BindVolume> &volumes);

}  // namespace skiff::image
