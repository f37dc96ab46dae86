#include "imgtool/tar_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "spec/names.h"

namespace skiff::image {
namespace {

constexpr std::uint64_t round_up(std::uint64_t bytes) { return (bytes + tar::block_size - 1) & ~(tar::block_size - 1); }

bool is_zero(const char *block) {
  return std::all_of(block, block + tar::block_size, [](char c) { return c == 0; });
}

// None for a type that this program does not know.
std::optional<EntryType> type_of(char letter) {
  switch (letter) {
    case '\0':
    case '0':
    case '7':  // contiguous: POSIX has it read as a file
    case 'S':  // GNU's sparse file
      return EntryType::file;
    case '1':
      return EntryType::hard_link;
    case '2':
      return EntryType::symlink;
    case '3':
      return EntryType::character;
    case '4':
      return EntryType::block;
    case '5':
      return EntryType::directory;
    case '6':
      return EntryType::fifo;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::unexpected<Error> TarReader::damaged(std::string text) const {
  return fail(EBADMSG, entry_place(entry_) + ": " + std::move(text));
}

// False at the end of the stream.
Result<bool> TarReader::fill() {
  while (chunk_.empty() && !ended_) {
    Result<std::span<const char>> chunk = next_chunk_();
    if (!chunk) return std::unexpected(in(entry_place(entry_), std::move(chunk).error()));
    chunk_ = *chunk;
    ended_ = chunk_.empty();
  }
  return !chunk_.empty();
}

// The next 512 bytes in one piece; null where the stream ended before them.
Result<const char *> TarReader::block() {
  if (!TRY(fill())) return nullptr;
  if (chunk_.size() >= tar::block_size) {
    const char *const found = chunk_.data();
    chunk_ = chunk_.subspan(tar::block_size);
    return found;
  }
  std::size_t there = 0;
  while (there < tar::block_size) {
    if (!TRY(fill())) return damaged("the archive ends in the middle of a block");
    const std::size_t count = std::min(chunk_.size(), tar::block_size - there);
    std::memcpy(block_.data() + there, chunk_.data(), count);
    chunk_ = chunk_.subspan(count);
    there += count;
  }
  return block_.data();
}

Result<TarPiece> TarReader::read() {
  if (stored_ == 0) return TarPiece{};
  if (!TRY(fill())) return damaged(fmt::format("the archive ends {} bytes before its data does", stored_));
  std::uint64_t most = stored_;
  std::uint64_t offset = position_;
  if (entry_.sparse) {
    while (position_ == entry_.ranges[range_].size) {
      ++range_;
      position_ = 0;
    }
    most = entry_.ranges[range_].size - position_;
    offset = entry_.ranges[range_].offset + position_;
  }
  const std::size_t count = std::min<std::uint64_t>(chunk_.size(), most);
  const TarPiece piece{.offset = offset, .bytes = chunk_.first(count)};
  chunk_ = chunk_.subspan(count);
  stored_ -= count;
  position_ += count;
  return piece;
}

Status TarReader::skip() {
  std::uint64_t left = stored_ + padding_;
  stored_ = 0;
  padding_ = 0;
  while (left > 0) {
    if (!TRY(fill())) return damaged(fmt::format("the archive ends {} bytes before its data does", left));
    const std::size_t count = std::min<std::uint64_t>(chunk_.size(), left);
    chunk_ = chunk_.subspan(count);
    left -= count;
  }
  return {};
}

Status TarReader::drain() {
  while (TRY(fill())) chunk_ = {};
  return {};
}

Result<std::uint64_t> TarReader::number(const char *header, tar::Field field, std::string_view what) const {
  const std::optional<std::int64_t> found = tar::parse_number(field.of(header));
  if (!found) return damaged(fmt::format("its {} is no number", what));
  if (*found < 0) return damaged(fmt::format("its {} is negative: {}", what, *found));
  return static_cast<std::uint64_t>(*found);
}

// The data of an entry that describes the next one.
Result<std::string> TarReader::read_text(const char *header, std::uint64_t most, std::string_view what) {
  const std::uint64_t size = TRY(number(header, tar::field::size, "size"));
  if (size > most) return damaged(fmt::format("{} of {} bytes: {} is the most", what, size, most));
  stored_ = size;
  padding_ = round_up(size) - size;
  position_ = 0;
  entry_.sparse = false;
  std::string text;
  text.reserve(size);
  while (stored_ > 0) {
    const TarPiece piece = TRY(read());
    text.append(piece.bytes.data(), piece.bytes.size());
  }
  TRY(skip());
  return text;
}

Status TarReader::read_metadata(const char *header, char type) {
  if (type == 'L' || type == 'K') {
    // GNU ends the name with a NUL that counts.
    Result<std::string> text =
        remedy("raise --max-path", read_text(header, std::uint64_t{limits_.path_length} + 1, "a long name"));
    if (!text) return std::unexpected(text.error());
    (type == 'L' ? gnu_name_ : gnu_link_) = tar::text_of(*text);
    return {};
  }
  const std::string text = TRY(read_text(header, tar::most_metadata, "a pax header"));
  const bool global = type == 'g';
  (global ? has_global_ : has_local_) = true;
  return in(entry_place(entry_), tar::parse_pax(text, global ? global_ : local_));
}

// True where an entry has begun.
Result<bool> TarReader::next_header() {
  for (;;) {
    const char *header = TRY(block());
    if (header == nullptr) {
      if (has_local_ || !gnu_name_.empty() || !gnu_link_.empty()) return damaged("the archive ends before it");
      return false;
    }
    if (is_zero(header)) {
      header = TRY(block());
      if (header == nullptr || is_zero(header)) return false;
      return damaged("a header after one block of zeros, where two end the archive");
    }
    if (!tar::checksum_fits(header)) {
      Error error = damaged("the checksum of its header is wrong").error();
      error.remedy = "a layer is a tar archive, plain or compressed with gzip or zstd";
      return std::unexpected(std::move(error));
    }
    const char type = header[tar::field::type.offset];
    if (type == 'L' || type == 'K' || type == 'x' || type == 'X' || type == 'g') {
      // The block may lie in a chunk that reading on gives back.
      std::array<char, tar::block_size> kept{};
      std::memcpy(kept.data(), header, kept.size());
      TRY(read_metadata(kept.data(), type));
      continue;
    }
    if (header != block_.data()) std::memcpy(block_.data(), header, block_.size());
    TRY(make_entry(block_.data()));
    return true;
  }
}

Result<bool> TarReader::next() {
  TRY(skip());
  const std::uint64_t number = entry_.number + 1;
  entry_.number = number;
  entry_.name.clear();
  entry_.link.clear();
  entry_.xattrs.clear();
  entry_.ranges.clear();
  entry_.sparse = false;
  gnu_name_.clear();
  gnu_link_.clear();
  if (has_local_) local_ = {};
  has_local_ = false;
  if (!TRY(next_header())) return false;
  if (number > limits_.entries) {
    return fail(EFBIG, fmt::format("{}: more than {} entries", entry_place(entry_), limits_.entries),
                "raise --max-entries");
  }
  return true;
}

Status TarReader::set_names(const char *header) {
  const tar::PaxFields &pax = local_;
  const tar::PaxFields &global = global_;
  if (pax.sparse_name) {
    entry_.name = *pax.sparse_name;
  } else if (pax.path || global.path) {
    entry_.name = pax.path ? *pax.path : *global.path;
  } else if (!gnu_name_.empty()) {
    entry_.name = gnu_name_;
  } else {
    const bool posix = tar::field::magic.of(header).starts_with(tar::posix_magic);
    const bool star = posix && tar::field::star_trailer.of(header) == std::string_view("tar\0", 4);
    const std::string_view prefix = tar::text_of((star ? tar::field::star_prefix : tar::field::prefix).of(header));
    if (posix && !prefix.empty()) entry_.name.append(prefix).append("/");
    entry_.name += tar::text_of(tar::field::name.of(header));
  }
  if (pax.link || global.link) {
    entry_.link = pax.link ? *pax.link : *global.link;
  } else {
    entry_.link = gnu_link_.empty() ? tar::text_of(tar::field::link.of(header)) : std::string_view(gnu_link_);
  }
  if (entry_.name.empty()) return damaged("it has no name");
  if (std::max(entry_.name.size(), entry_.link.size()) <= limits_.path_length) return {};
  const std::size_t size = std::max(entry_.name.size(), entry_.link.size());
  entry_.name.resize(std::min<std::size_t>(entry_.name.size(), 64));
  return fail(ENAMETOOLONG,
              fmt::format("{}: a name of {} bytes: {} is the most", entry_place(entry_), size, limits_.path_length),
              "raise --max-path");
}

Status TarReader::set_numbers(const char *header) {
  const auto pick = [&](std::optional<std::uint64_t> tar::PaxFields::*field, tar::Field in_header,
                        std::string_view what) -> Result<std::uint64_t> {
    if (local_.*field) return *(local_.*field);
    if (global_.*field) return *(global_.*field);
    return number(header, in_header, what);
  };
  // 2^32 - 1 means "leave it" to chown(2).
  constexpr std::uint64_t highest_id = 0xfffffffe;
  const std::uint64_t uid = TRY(pick(&tar::PaxFields::uid, tar::field::uid, "uid"));
  const std::uint64_t gid = TRY(pick(&tar::PaxFields::gid, tar::field::gid, "gid"));
  if (uid > highest_id || gid > highest_id) return damaged(fmt::format("its owner {}:{} is none", uid, gid));
  entry_.uid = static_cast<std::uint32_t>(uid);
  entry_.gid = static_cast<std::uint32_t>(gid);
  entry_.mode = static_cast<std::uint32_t>(TRY(number(header, tar::field::mode, "mode")) & 07777U);
  entry_.device_major = 0;
  entry_.device_minor = 0;
  if (entry_.type == EntryType::character || entry_.type == EntryType::block) {
    const std::uint64_t major = TRY(number(header, tar::field::device_major, "device number"));
    const std::uint64_t minor = TRY(number(header, tar::field::device_minor, "device number"));
    // What the kernel's dev_t holds.
    if (major > 0xfffU || minor > 0xfffffU) return damaged(fmt::format("its device {}:{} is none", major, minor));
    entry_.device_major = static_cast<std::uint32_t>(major);
    entry_.device_minor = static_cast<std::uint32_t>(minor);
  }
  if (local_.mtime || global_.mtime) {
    entry_.mtime = local_.mtime ? *local_.mtime : *global_.mtime;
    return {};
  }
  const std::optional<std::int64_t> mtime = tar::parse_number(tar::field::mtime.of(header));
  if (!mtime) return damaged("its mtime is no number");
  entry_.mtime = {.tv_sec = *mtime, .tv_nsec = 0};
  return {};
}

Status TarReader::make_entry(const char *header) {
  const char type = header[tar::field::type.offset];
  TRY(set_names(header));
  const std::optional<EntryType> known = type_of(type);
  if (!known) return damaged(fmt::format("its type {} is not known", spec::quote(std::string_view(&type, 1))));
  entry_.type = *known;
  // Before POSIX a directory had no type of its own.
  if (type == '\0' && entry_.name.ends_with('/')) entry_.type = EntryType::directory;
  TRY(set_numbers(header));
  entry_.xattrs.swap(local_.xattrs);
  return set_data(header, type);
}

// Only files have data; a size in the header of anything else means nothing, and no data follows.
Status TarReader::set_data(const char *header, char type) {
  entry_.size = 0;
  position_ = 0;
  range_ = 0;
  if (entry_.type != EntryType::file) return {};
  std::uint64_t size = 0;
  if (local_.size || global_.size) {
    size = local_.size ? *local_.size : *global_.size;
  } else {
    size = TRY(number(header, tar::field::size, "size"));
  }
  const auto too_large = [&](std::uint64_t bytes) {
    return fail(EFBIG,
                fmt::format("{}: a file of {} bytes: {} is the most", entry_place(entry_), bytes, limits_.file_bytes),
                "raise --max-layer-size");
  };
  if (size > limits_.file_bytes) return too_large(size);
  stored_ = size;
  padding_ = round_up(size) - size;
  entry_.size = size;
  TRY(set_sparse(header, type));
  if (entry_.size > limits_.file_bytes) return too_large(entry_.size);
  if (!entry_.sparse) return {};
  return in(entry_place(entry_), tar::check_ranges(entry_.ranges, entry_.size, stored_));
}

Status TarReader::set_sparse(const char *header, char type) {
  if (type == 'S') {
    entry_.size = TRY(number(header, tar::field::gnu_real_size, "real size"));
    entry_.sparse = true;
    return read_gnu_map(header);
  }
  const bool one_zero = local_.sparse_major == 1U && local_.sparse_minor == 0U;
  if (local_.sparse_major && !one_zero) return damaged("a sparse format that is not known");
  if (!one_zero && !local_.has_sparse_map) return {};
  if (!local_.sparse_size) return damaged("a sparse file without its size");
  entry_.size = *local_.sparse_size;
  if (one_zero) TRY(read_pax_map());
  if (!one_zero) entry_.ranges = std::move(local_.sparse_map);
  entry_.sparse = true;
  return {};
}

Status TarReader::read_gnu_map(const char *header) {
  if (!tar::field::magic.of(header).starts_with(tar::gnu_magic))
    return damaged("a sparse file of GNU's in another header");
  TRY(in(entry_place(entry_), tar::parse_gnu_map(tar::field::gnu_map.of(header), entry_.ranges)));
  bool goes_on = *tar::field::gnu_map_goes_on.of(header).data() != 0;
  while (goes_on) {
    const char *const more = TRY(block());
    if (more == nullptr) return damaged("the archive ends in its sparse map");
    TRY(in(entry_place(entry_), tar::parse_gnu_map(tar::field::gnu_more_map.of(more), entry_.ranges)));
    goes_on = *tar::field::gnu_more_map_goes_on.of(more).data() != 0;
  }
  return {};
}

// Decimal numbers a line: how many ranges, then offset and size of each; filled up to whole blocks.
Status TarReader::read_pax_map() {
  std::string text;
  std::size_t at = 0;
  const auto next_number = [&]() -> Result<std::uint64_t> {
    std::size_t end = text.find('\n', at);
    while (end == text.npos) {
      if (text.size() - at >= tar::block_size) return damaged("a number in its sparse map is none");
      if (stored_ < tar::block_size) return damaged("its sparse map ends too early");
      const char *const block_of_map = TRY(block());
      if (block_of_map == nullptr) return damaged("the archive ends in its sparse map");
      stored_ -= tar::block_size;
      text.append(block_of_map, tar::block_size);
      end = text.find('\n', at);
    }
    const std::optional<std::uint64_t> value = tar::parse_decimal(std::string_view(text).substr(at, end - at));
    if (!value) return damaged("a number in its sparse map is none");
    at = end + 1;
    return *value;
  };
  const std::uint64_t count = TRY(next_number());
  if (count > tar::most_ranges) return damaged(fmt::format("its sparse map has more than {} ranges", tar::most_ranges));
  for (std::uint64_t i = 0; i < count; ++i) {
    SparseRange range;
    range.offset = TRY(next_number());
    range.size = TRY(next_number());
    entry_.ranges.push_back(range);
  }
  return {};
}

}  // namespace skiff::image
