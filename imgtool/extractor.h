// Writes the entries of one layer into a tree, as layer.md has it: one call an entry.
//
// Whatever stands where an entry goes is removed first (two directories excepted, whose attributes are replaced), and
// everything is made with O_EXCL's meaning below an open directory, so that no symlink is ever written through.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "imgtool/directory_cache.h"
#include "imgtool/layer.h"
#include "imgtool/layer_xattrs.h"
#include "imgtool/tar_reader.h"
#include "imgtool/tree_walk.h"

namespace skiff::image {

class Extractor {
 public:
  [[nodiscard]] static Result<Extractor> open(kernel::FdView root, const ApplyOptions &options,
                                              const std::optional<CopyRules> &copy = {});

  // The entry that the reader is at, with its data. Errors name it.
  [[nodiscard]] Status add(TarReader &reader);
  // After the last one: what can be set only then.
  [[nodiscard]] Status finish();

  [[nodiscard]] std::vector<std::string> take_warnings() { return std::move(warnings_); }
  [[nodiscard]] std::vector<std::string> take_implicit() const { return directories_.implicit(); }

 private:
  struct Owner {
    uid_t uid = 0;
    gid_t gid = 0;
  };
  // Where an entry goes.
  struct Target {
    DirectoryCache::Pointer directory;
    std::string path;
    std::string name;
    bool was_whiteout = false;  // one of overlayfs's stood there
  };

  Extractor(kernel::FdView root, const ApplyOptions &options, const std::optional<CopyRules> &copy);

  [[nodiscard]] Status add_entry(TarReader &reader);
  [[nodiscard]] Status place(TarReader &reader, Target &target, Owner owner);
  // False where something has the name already.
  [[nodiscard]] Result<bool> create(TarReader &reader, const Target &target, Owner owner);
  [[nodiscard]] Result<bool> create_file(TarReader &reader, const Target &target, Owner owner);
  [[nodiscard]] Result<bool> create_directory(const TarEntry &entry, const Target &target, Owner owner);
  [[nodiscard]] Result<bool> create_symlink(const TarEntry &entry, const Target &target, Owner owner);
  [[nodiscard]] Result<bool> create_node(const TarEntry &entry, const Target &target, Owner owner);
  [[nodiscard]] Result<bool> create_hard_link(const TarEntry &entry, const Target &target);
  [[nodiscard]] Status clear_way(const TarEntry &entry, Target &target);

  [[nodiscard]] Status describe_root(const TarEntry &entry, Owner owner);
  [[nodiscard]] Status describe_directory(const TarEntry &entry, const kernel::Fd &directory, Owner owner, bool is_new,
                                          const std::string &path);
  [[nodiscard]] Status describe_name(const TarEntry &entry, const Target &target, Owner owner);
  [[nodiscard]] Status set_xattrs(const TarEntry &entry, const kernel::Fd &file);
  [[nodiscard]] Status check_xattr(const TarEntry &entry, const std::string &name, Status done);
  [[nodiscard]] Status clear_xattrs(const kernel::Fd &directory);
  [[nodiscard]] std::vector<Xattr> xattrs_of(const TarEntry &entry) const;
  [[nodiscard]] Result<Owner> map_owner(const TarEntry &entry) const;
  [[nodiscard]] bool needs_chown(const OpenDirectory &directory, Owner owner) const;
  [[nodiscard]] bool needs_chmod(const OpenDirectory &directory, mode_t mode) const;
  [[nodiscard]] Status keep_path(const std::string &path);
  [[nodiscard]] ImplicitDirectory implicit_like(const TarEntry &entry) const;

  // ---- whiteouts: extractor_whiteouts.cc ----
  [[nodiscard]] Status add_whiteout(const TarEntry &entry, const std::string &path);
  [[nodiscard]] Status hide_lower(std::string_view parent, const std::string &name);
  [[nodiscard]] Status empty_lower(std::string_view path);
  [[nodiscard]] TreeSteps lower_removal(std::vector<InodeKey> &keys);
  [[nodiscard]] Status make_overlay_whiteout(const OpenDirectory &directory, const std::string &name);
  [[nodiscard]] Status make_overlay_opaque(const OpenDirectory &directory);
  [[nodiscard]] Status drop_covered_whiteouts(const kernel::Fd &directory);
  void note_upper(const OpenDirectory &directory, const std::string &name);
  [[nodiscard]] bool is_upper(const InodeKey &directory, std::string_view name) const;

  kernel::Fd root_;
  ApplyOptions options_;
  std::optional<CopyRules> copy_;
  XattrRules rules_;
  DirectoryCache directories_;
  Owner self_;                 // who makes files
  Owner container_root_;       // on the host
  bool always_chmod_ = false;  // the umask is not 0
  bool makes_devices_ = true;  // none but the host's root does
  bool lower_is_empty_ = false;

  // What this layer made: inode of the directory, and the name. Only where there is a lower layer to tell it from.
  std::unordered_set<std::string> upper_;
  std::unordered_set<InodeKey, InodeHash> whiteouts_;
  std::vector<std::string> opaque_;
  // Modes that would lock their unprivileged owner out while the layer is written.
  struct LateMode {
    std::string path;
    mode_t mode;
  };
  std::vector<LateMode> late_modes_;
  std::uint64_t kept_bytes_ = 0;  // of paths in the two lists
  std::vector<std::string> warnings_;
};

}  // namespace skiff::image
