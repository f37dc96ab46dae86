#include "imgtool/foreign_compression.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "imgtool/late_library.h"

namespace skiff::image {
namespace {

constexpr std::string_view xz_magic(
    "\xfd"
    "7zXZ\0",
    6);
constexpr std::string_view bzip2_magic = "BZh";

struct Close {
  void operator()(archive *reader) const { ::archive_read_free(reader); }
};

}  // namespace

// At an address of its own: libarchive keeps it.
struct ForeignDecompressor::State {
  explicit State(ReadBytes bytes) : compressed(std::move(bytes)) {}

  ReadBytes compressed;
  std::vector<char> buffer = std::vector<char>(std::size_t{1} << 18U);
  std::optional<Error> failure;  // of `compressed`
  std::unique_ptr<archive, Close> reader{::archive_read_new()};

  [[nodiscard]] std::unexpected<Error> failed() const {
    if (failure) return std::unexpected(*failure);
    const char *text = ::archive_error_string(reader.get());
    return fail(EBADMSG, fmt::format("decompressing: {}", text == nullptr ? "damaged" : text));
  }
  static la_ssize_t give(archive *, void *user, const void **bytes) {
    auto &state = *static_cast<State *>(user);
    const Result<std::size_t> got = state.compressed(state.buffer);
    if (!got) state.failure = got.error();
    *bytes = state.buffer.data();
    return got ? static_cast<la_ssize_t>(*got) : -1;
  }
};

bool is_foreign_compression(std::string_view start) {
  return start.starts_with(xz_magic) || start.starts_with(bzip2_magic);
}

Result<std::string> peek(ReadBytes &stream, std::size_t count) {
  std::string start(count, '\0');
  std::size_t there = 0;
  while (there < count) {
    const std::size_t got = TRY(stream(std::span(start).subspan(there)));
    if (got == 0) break;
    there += got;
  }
  start.resize(there);
  stream = [first = start, at = std::size_t{0},
            rest = std::move(stream)](std::span<char> into) mutable -> Result<std::size_t> {
    if (at == first.size()) return rest(into);
    const std::size_t given = std::min(into.size(), first.size() - at);
    std::ranges::copy(std::string_view(first).substr(at, given), into.begin());
    at += given;
    return given;
  };
  return start;
}

ForeignDecompressor::ForeignDecompressor(std::unique_ptr<State> state) : state_(std::move(state)) {}
ForeignDecompressor::ForeignDecompressor(ForeignDecompressor &&) noexcept = default;
ForeignDecompressor::~ForeignDecompressor() = default;

Result<ForeignDecompressor> ForeignDecompressor::open(ReadBytes compressed) {
  TRY(load_archive());
  auto state = std::make_unique<State>(std::move(compressed));
  archive *const reader = state->reader.get();
  ::archive_read_support_filter_bzip2(reader);
  ::archive_read_support_filter_xz(reader);
  ::archive_read_support_format_raw(reader);
  archive_entry *entry = nullptr;
  if (::archive_read_open(reader, state.get(), nullptr, State::give, nullptr) != ARCHIVE_OK ||
      ::archive_read_next_header(reader, &entry) != ARCHIVE_OK) {
    return state->failed();
  }
  return ForeignDecompressor(std::move(state));
}

Result<std::size_t> ForeignDecompressor::read(std::span<char> into) {
  const la_ssize_t got = ::archive_read_data(state_->reader.get(), into.data(), into.size());
  if (got < 0) return state_->failed();
  return static_cast<std::size_t>(got);
}

}  // namespace skiff::image
