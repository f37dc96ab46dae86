// An OCI image layout on disk (image-layout.md): blobs under their digests, and an index with names. The store is one,
// and so is what `oci:DIR` names.
//
// Nothing stands under a digest that was not verified: content comes in through a file of its own (blobs/partial/),
// which is renamed once digest and size are right and it is on the disk (fsync). A process that is killed leaves only
// what the next one resumes or the next prune removes.
//
// Locks: `lock` in the layout's directory, by flock(2). Whoever adds or reads blobs holds it shared for as long as it
// counts on them; prune takes it alone. index.json is changed under a lock of its own (`index.lock`), and by rename.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "imgtool/digest.h"
#include "runtime/kernel/fd.h"
#include "spec/image.h"

namespace skiff::image {

enum class LayoutAccess : std::uint8_t { read, write };

// A blob that comes in: bytes are appended to `file`, and may be read back there meanwhile. Dropped before it is
// committed it stays as it is, for the next try to resume.
struct Incoming {
  Digest digest;      // what it must have; none where it is not known before
  kernel::Fd file;    // locked (flock) against a second process that fetches the same; read and write
  std::string name;   // in blobs/partial/
  std::int64_t size;  // bytes that are there already
};

class Layout {
 public:
  // `write` makes the directory and its files where they are missing. ENOENT, or an error that says what is no layout.
  [[nodiscard]] static Result<Layout> open(const std::string &path, LayoutAccess access);

  [[nodiscard]] const std::string &path() const { return path_; }
  [[nodiscard]] const kernel::Fd &directory() const { return directory_; }

  // ---- blobs ----
  [[nodiscard]] Result<bool> has_blob(const Digest &digest) const;
  // ENOENT where it is missing. The size is compared where one is given (>= 0).
  [[nodiscard]] Result<kernel::Fd> open_blob(const Digest &digest, std::int64_t size = -1) const;
  // The whole of a small one (a manifest, a config), its digest verified; EFBIG above 16 MiB.
  [[nodiscard]] Result<std::string> read_blob(const Digest &digest) const;
  [[nodiscard]] Result<Digest> write_blob(std::string_view bytes) const;

  // Waits while another process brings in the same blob; where that one has finished, `file` is invalid and the blob
  // is there.
  [[nodiscard]] Result<Incoming> begin_blob(const Digest &digest) const;
  [[nodiscard]] Result<Incoming> begin_unknown_blob() const;
  // The caller has computed the digest over all of the file. EBADMSG where it is another than the expected one; the
  // file is removed then, so that the next try begins anew.
  [[nodiscard]] Status commit_blob(Incoming incoming, const Digest &computed) const;
  // What nobody can resume: it has no digest yet.
  void discard_blob(const Incoming &incoming) const;
  [[nodiscard]] Status remove_blob(const Digest &digest) const;
  struct BlobEntry {
    Digest digest;
    std::int64_t size = 0;
  };
  [[nodiscard]] Result<std::vector<BlobEntry>> list_blobs() const;

  // ---- names: org.opencontainers.image.ref.name of index.json's manifests ----
  [[nodiscard]] Result<spec::ImageIndex> load_index() const;
  // Without a name: the only manifest there is; an error lists the names where there are several.
  [[nodiscard]] Result<spec::Descriptor> find(std::string_view name) const;
  // The name moves to this manifest; the others keep theirs. An empty name adds it without one.
  [[nodiscard]] Status set_name(std::string_view name, spec::Descriptor manifest) const;
  // False where there was none of that name.
  [[nodiscard]] Result<bool> remove_name(std::string_view name) const;
  // Takes what stands in the index without a name out of it. The others stay.
  [[nodiscard]] Status remove_nameless(const std::vector<std::string> &digests) const;

  // ---- locks; held until the descriptor goes ----
  [[nodiscard]] Result<kernel::Fd> lock_shared() const;
  [[nodiscard]] Result<kernel::Fd> lock_alone() const;

 private:
  Layout() = default;
  std::string path_;
  kernel::Fd directory_;
};

}  // namespace skiff::image
