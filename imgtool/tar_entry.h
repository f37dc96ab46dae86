// One entry of a tar archive, as the reader gives it and the writer takes it.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

namespace skiff::image {

enum class EntryType : std::uint8_t { file, hard_link, symlink, character, block, directory, fifo };

struct Xattr {
  std::string name;  // "security.capability"
  std::string value;
  friend bool operator==(const Xattr &, const Xattr &) = default;
  friend auto operator<=>(const Xattr &, const Xattr &) = default;
};

// A part of a sparse file that the archive holds; what lies between is a hole.
struct SparseRange {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

struct TarEntry {
  std::uint64_t number = 0;  // from 1
  EntryType type = EntryType::file;
  std::string name;        // as it stands in the archive: it may be absolute, hold "..", end in '/'
  std::string link;        // a symlink's target, or the name of the entry that a hard link is another name of
  std::uint32_t mode = 0;  // permission bits, set-id and sticky
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  std::uint64_t size = 0;  // of the file, holes included; 0 for all but files
  timespec mtime{};
  std::vector<Xattr> xattrs;
  bool sparse = false;
  std::vector<SparseRange> ranges;  // of a sparse file: ascending, apart from each other
};

// The name and the number, for an error: `etc/passwd (entry 17)`.
[[nodiscard]] std::string entry_place(const TarEntry &entry);

}  // namespace skiff::image
