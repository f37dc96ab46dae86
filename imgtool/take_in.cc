#include "imgtool/take_in.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace skiff::image {
namespace {

constexpr std::size_t piece = 1U << 20U;

struct Taken {
  Digest digest;
  std::int64_t size = 0;
};

Result<Taken> append(const kernel::Fd &file, const ReadBytes &bytes, const spec::Descriptor &expected,
                     std::string_view algorithm, ProgressItem *progress) {
  Hasher hasher(algorithm);
  std::vector<char> buffer(piece);
  Taken taken;
  for (;;) {
    const std::size_t count = TRY(bytes(buffer));
    if (count == 0) break;
    const std::span<const char> part = std::span(buffer).first(count);
    taken.size += static_cast<std::int64_t>(count);
    // Size before digest (descriptor.md, "Verification"): an endless source ends here.
    if (expected.size > 0 && taken.size > expected.size) {
      return fail(EBADMSG, fmt::format("more than the {} bytes that it should have", expected.size));
    }
    hasher.update(part);
    TRY(kernel::write_all(file, std::string_view(part.data(), part.size())));
    if (progress != nullptr) progress->advance(count);
  }
  taken.digest = hasher.finish();
  return taken;
}

}  // namespace

ReadBytes read_range(kernel::FdView file, std::uint64_t offset, std::uint64_t size) {
  return [file, offset, end = offset + size](std::span<char> into) mutable -> Result<std::size_t> {
    const std::size_t wanted = std::min<std::uint64_t>(into.size(), end - offset);
    if (wanted == 0) return 0;
    const std::size_t count = TRY(kernel::pread_some(file, into.first(wanted), offset));
    if (count == 0) return fail(EIO, fmt::format("the file ends {} bytes too early", end - offset));
    offset += count;
    return count;
  };
}

ReadBytes read_stream(kernel::FdView file) {
  return [file](std::span<char> into) { return kernel::read_some(file, into); };
}

ReadBytes read_text(std::string_view text) {
  return [text](std::span<char> into) mutable -> Result<std::size_t> {
    const std::size_t count = std::min(into.size(), text.size());
    std::ranges::copy(text.substr(0, count), into.begin());
    text.remove_prefix(count);
    return count;
  };
}

Result<spec::Descriptor> take_in(const Layout &into, const OpenBytes &open, spec::Descriptor descriptor,
                                 ProgressItem *progress) {
  Digest digest;
  if (!descriptor.digest.empty()) {
    digest = TRY(Digest::parse(descriptor.digest));
    if (TRY(into.has_blob(digest))) {
      if (progress != nullptr) progress->done("Already exists");
      return descriptor;
    }
  }
  Incoming incoming = TRY(digest.valid() ? into.begin_blob(digest) : into.begin_unknown_blob());
  // Somebody else has brought it in meanwhile.
  if (!incoming.file.valid()) return descriptor;
  TRY(kernel::ftruncate(incoming.file, 0));
  TRY(kernel::lseek(incoming.file, 0, SEEK_SET));
  const std::string place = digest.valid() ? digest.text() : descriptor.media_type;
  const auto read = [&]() -> Result<Taken> {
    return append(incoming.file, TRY(open()), descriptor, digest.valid() ? digest.algorithm() : "sha256", progress);
  };
  const Result<Taken> came = in(place, read());
  if (!came && !digest.valid()) into.discard_blob(incoming);
  const Taken taken = TRY(Result<Taken>(came));
  if (descriptor.size > 0 && taken.size != descriptor.size) {
    return fail(EBADMSG,
                fmt::format("{}: {} bytes, not the {} that it should have", place, taken.size, descriptor.size));
  }
  TRY(into.commit_blob(std::move(incoming), taken.digest));
  descriptor.digest = taken.digest.text();
  descriptor.size = taken.size;
  if (progress != nullptr) progress->done("Copied");
  return descriptor;
}

Result<spec::Descriptor> take_in(const Layout &into, const ReadBytes &bytes, spec::Descriptor descriptor,
                                 ProgressItem *progress) {
  return take_in(into, OpenBytes([&bytes]() -> Result<ReadBytes> { return bytes; }), std::move(descriptor), progress);
}

}  // namespace skiff::image
