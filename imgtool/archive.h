// Image archives (oci-archive, docker-archive): a tar file whose members are looked up by name, and one that is
// written from start to end.
//
// An archive is hostile: names are keys and never paths on the host, a link leads to another member of the archive or
// nowhere, and no member's size is believed beyond the file's own.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "imgtool/bytes.h"
#include "imgtool/digest.h"
#include "runtime/kernel/fd.h"

namespace skiff::image {

class Archive {
 public:
  struct Member {
    std::uint64_t offset = 0;  // in file()
    std::uint64_t size = 0;
  };

  // "-" is stdin. One that is compressed or a pipe is first written to a file without a name in $TMPDIR, or /var/tmp.
  // Two members of one name: the last counts, as for tar.
  [[nodiscard]] static Result<Archive> open(const std::string &path);

  [[nodiscard]] const std::string &path() const { return path_; }
  [[nodiscard]] const kernel::Fd &file() const { return file_; }
  [[nodiscard]] bool has(const std::string &name) const;
  // ENOENT where there is none; ELOOP and EXDEV for links that go in circles or out of the archive.
  [[nodiscard]] Result<Member> find(const std::string &name) const;
  // A document: EFBIG above 16 MiB.
  [[nodiscard]] Result<std::string> read(const std::string &name) const;

 private:
  struct Entry {
    Member member;
    std::string link;  // the name that a symbolic or hard link leads to, resolved
  };
  Archive() = default;
  Status scan();
  Status add(const std::string &name, char type, const std::string &link, Member member);

  std::string path_;
  kernel::Fd file_;
  std::map<std::string, Entry> entries_;
};

// Everything belongs to 0:0 with mode 0644 and the time 0, so that the same image is the same bytes.
class ArchiveWriter {
 public:
  explicit ArchiveWriter(kernel::FdView file) : file_(file) {}
  [[nodiscard]] Status add_directory(const std::string &name);
  [[nodiscard]] Status add_text(const std::string &name, std::string_view text);
  // Exactly `size` bytes must come.
  [[nodiscard]] Status add(const std::string &name, std::uint64_t size, const ReadBytes &bytes);
  // As many as come: the file must be a regular one, for the header is written again when their number is known.
  [[nodiscard]] Status add_unknown(const std::string &name, const ReadBytes &bytes);
  [[nodiscard]] Status finish();

 private:
  Status header(const std::string &name, std::uint64_t size, char type, unsigned mode);
  Result<std::uint64_t> data(const ReadBytes &bytes, std::uint64_t most);
  Status pad(std::uint64_t size);
  kernel::FdView file_;
};

// For what does not fit into memory: $TMPDIR, or /var/tmp, as /tmp often is memory.
[[nodiscard]] std::string temporary_place();
// A file without a name, removed when it is closed: in $TMPDIR, or /var/tmp.
[[nodiscard]] Result<kernel::Fd> open_unnamed_file();

}  // namespace skiff::image
