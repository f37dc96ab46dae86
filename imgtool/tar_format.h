// The bytes of a tar archive: the header block of POSIX.1-2001 (pax, "ustar Interchange Format"), GNU's and star's
// variants of it, the records of pax, and the maps of sparse files. Values only.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "imgtool/tar_entry.h"
#include "spec/error.h"

namespace skiff::image::tar {

inline constexpr std::size_t block_size = 512;
// Pax records, a map of holes: more than this for one entry is an error.
inline constexpr std::uint64_t most_metadata = std::uint64_t{1} << 20U;
inline constexpr std::size_t most_ranges = std::size_t{1} << 16U;
inline constexpr std::size_t most_xattrs = 256;
inline constexpr std::size_t most_xattr_bytes = 65536;  // XATTR_SIZE_MAX

struct Field {
  std::size_t offset;
  std::size_t size;
  [[nodiscard]] std::string_view of(const char *block) const { return {block + offset, size}; }
};
namespace field {
inline constexpr Field name{0, 100};
inline constexpr Field mode{100, 8};
inline constexpr Field uid{108, 8};
inline constexpr Field gid{116, 8};
inline constexpr Field size{124, 12};
inline constexpr Field mtime{136, 12};
inline constexpr Field checksum{148, 8};
inline constexpr Field type{156, 1};
inline constexpr Field link{157, 100};
inline constexpr Field magic{257, 8};  // and the version
inline constexpr Field device_major{329, 8};
inline constexpr Field device_minor{337, 8};
inline constexpr Field prefix{345, 155};
inline constexpr Field star_prefix{345, 131};
inline constexpr Field star_trailer{508, 4};
inline constexpr Field gnu_map{386, 96};  // four ranges
inline constexpr Field gnu_map_goes_on{482, 1};
inline constexpr Field gnu_real_size{483, 12};
inline constexpr Field gnu_more_map{0, 504};  // a block of its own: 21 ranges
inline constexpr Field gnu_more_map_goes_on{504, 1};
}  // namespace field

inline constexpr std::string_view posix_magic{"ustar\0", 6};
inline constexpr std::string_view gnu_magic{"ustar  \0", 8};

// Up to the first NUL.
[[nodiscard]] std::string_view text_of(std::string_view field);
// Octal digits, or GNU's base 256 in two's complement; none where it is neither or beyond 63 bits. Empty is 0.
[[nodiscard]] std::optional<std::int64_t> parse_number(std::string_view field);
[[nodiscard]] std::optional<std::uint64_t> parse_decimal(std::string_view text);
// Seconds with up to nine digits of a fraction, perhaps negative; further digits are cut off.
[[nodiscard]] std::optional<timespec> parse_time(std::string_view text);
// As unsigned bytes by POSIX, as signed by old programs.
[[nodiscard]] bool checksum_fits(const char *block);

// What pax says of the next entry, or (globally) of all that follow. Only POSIX's own keywords count globally.
struct PaxFields {
  std::optional<std::string> path;
  std::optional<std::string> link;
  std::optional<std::uint64_t> size;
  std::optional<std::uint64_t> uid;
  std::optional<std::uint64_t> gid;
  std::optional<timespec> mtime;
  std::vector<Xattr> xattrs;
  // GNU.sparse.*: 0.0 lists offset and numbytes, 0.1 has them in one record, 1.0 in front of the data.
  std::optional<std::string> sparse_name;
  std::optional<std::uint64_t> sparse_size;
  std::optional<std::uint64_t> sparse_major;
  std::optional<std::uint64_t> sparse_minor;
  bool has_sparse_map = false;
  std::vector<SparseRange> sparse_map;
};

// Adds the records of one header to what is known. An error names the record.
[[nodiscard]] Status parse_pax(std::string_view records, PaxFields &into);

// Offset and size in turn, in one field of an old GNU header; ends at an empty one.
[[nodiscard]] Status parse_gnu_map(std::string_view field, std::vector<SparseRange> &into);
// Ascending, within `real_size`, together `stored` bytes.
[[nodiscard]] Status check_ranges(std::span<const SparseRange> ranges, std::uint64_t real_size, std::uint64_t stored);

}  // namespace skiff::image::tar
