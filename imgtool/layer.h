// A layer and the tree it stands for (layer.md): applied to a directory, and made from one.
//
// The layer is hostile. Every write goes through a descriptor that openat2(2) gave inside the root
// (RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS; a parent that is a symlink is followed inside the root), the last component
// is never followed, and what an entry replaces is removed first.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "imgtool/bytes.h"
#include "imgtool/digest.h"
#include "runtime/kernel/fd.h"
#include "spec/config.h"

namespace skiff::image {

// Each adjustable; a layer beyond one is an error that names the entry and the limit's flag.
struct LayerLimits {
  std::uint64_t bytes = std::uint64_t{64} << 30U;  // of the uncompressed layer
  std::uint64_t entries = 4'000'000;
  std::uint32_t path_length = 4096;  // bytes of a name in the archive
  std::uint32_t ratio = 2000;        // uncompressed to compressed, looked at from 64 MiB up
  std::uint32_t window_log = 27;     // zstd's: 128 MiB
};

enum class WhiteoutStyle : std::uint8_t {
  apply,    // what a whiteout names is removed from the lower layers' tree below the same root
  overlay,  // kept as overlayfs wants them: a 0/0 character device, trusted.overlay.opaque (user.* in a user namespace)
};

struct ApplyOptions {
  WhiteoutStyle whiteouts = WhiteoutStyle::apply;
  // Container ids to the host's, as config.json's uidMappings; empty: unchanged. An id outside is an error.
  std::vector<spec::IdMapping> uid_mappings;
  std::vector<spec::IdMapping> gid_mappings;
  // Without the right to chown or mknod: everything is the caller's own, owner and device numbers are kept in
  // user.rootlesscontainers as umoci keeps them, a device is an empty file.
  bool rootless = false;
  bool user_xattr = false;  // overlay's whiteouts in user.overlay.*
  LayerLimits limits;
};

// Files that are copied into a tree that is in use, and no layer: no name is a whiteout, the top keeps its attributes,
// no directory gives way to a file and no file to a directory.
struct CopyRules {
  struct Owner {
    uid_t uid = 0;
    gid_t gid = 0;
  };
  std::optional<Owner> owner;  // of everything, whatever the entries say
  // A symbolic link that an entry's path goes through is followed below the top. Without, it is an error: what comes
  // out of a container may have been exchanged for one while it was read (CVE-2018-15664).
  bool follow_links = false;
};

struct AppliedLayer {
  Digest diff_id;           // of all the uncompressed bytes, what follows the archive's end included
  std::uint64_t bytes = 0;  // uncompressed
  std::uint64_t entries = 0;
  // Directories that entries lie in and no entry describes; made as 0755 root's. With WhiteoutStyle::overlay they cover
  // what a lower layer says of them: inherit_directories() below puts that right.
  std::vector<std::string> implicit_directories;
  std::vector<std::string> warnings;  // attributes that the filesystem or the kernel does not take
};

// Reads the layer to its end: gzip (several members, and NULs after them), zstd or plain, told by its first bytes.
// `root` is a directory's descriptor. Decompressing and hashing run in threads of their own, writing in the caller's.
// On an error the tree is half made: the caller removes it. Errors name the entry ("etc/passwd (entry 17)"), the call
// and the limit; they come once a read of `compressed` that is under way has returned, which `give_up` may hasten: it
// is called once what is read is of no use any more.
//
// A program that unpacks calls kernel::umask(0) once when it begins: the mask is the whole process's, so nothing here
// changes it. With another one the trees are the same, and every mode costs a call of its own.
[[nodiscard]] Result<AppliedLayer> apply_layer(const ReadBytes &compressed, kernel::FdView root,
                                               const ApplyOptions &options, const std::function<void()> &give_up = {});

// The layers below are unpacked on their own, perhaps at the same time; when they are there, the directories of
// AppliedLayer::implicit_directories get owner, mode, mtime and attributes of the first of `lowers` (the nearest first)
// that has such a directory. Needed before overlayfs shows them.
[[nodiscard]] Status inherit_directories(kernel::FdView root, const std::vector<std::string> &implicit_directories,
                                         const std::vector<kernel::FdView> &lowers, const ApplyOptions &options);

}  // namespace skiff::image
