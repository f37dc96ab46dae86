// One entry of `mounts` as a MountStep: which of its options are attributes of the mount, which are flags of the
// superblock, which are orders to the runtime, and which belong to the filesystem (config.md, "Linux mount options").
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "runtime/plan.h"

namespace skiff {

// Every option that is not simply handed to the filesystem, sorted: what `features` reports as mountOptions.
[[nodiscard]] std::span<const std::string_view> known_mount_options();

// What a mount needs to know of the rest of the configuration.
struct MountContext {
  std::string_view bundle = {};         // absolute: relative sources of bind mounts start here
  std::string_view rootfs = {};         // absolute, clean: a destination below it is meant inside, as runc reads it
  bool user_namespace = false;          // the container has one, new or joined
  const spec::Linux *linux_ = nullptr;  // borrowed, never null: id mappings and mountLabel
  std::string_view label_option = "context";  // the option that mountLabel is written to
};

// Errors name what follows "mounts[N]": an option whose value cannot be read, an id-mapped mount without mappings, no
// filesystem type.
[[nodiscard]] Result<MountStep> make_mount_step(const spec::Mount &mount, const MountContext &context);

// MS_* of "rslave" and the like, MS_REC or-ed in where recursive; 0 for another word.
[[nodiscard]] std::uint64_t parse_propagation(std::string_view word);

}  // namespace skiff
