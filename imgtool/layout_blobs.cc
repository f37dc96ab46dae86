// The blobs of a layout: what comes in through a file of its own, and what is there.
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <array>

#include "imgtool/layout.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"

namespace skiff::image {
namespace {

using kernel::Fd;

constexpr std::size_t longest_document = std::size_t{16} << 20U;
constexpr const char *partial = "blobs/partial";
constexpr std::array<std::string_view, 2> algorithms = {"sha256", "sha512"};

std::string directory_of(const Digest &digest) { return fmt::format("blobs/{}", digest.algorithm()); }
std::string path_of(const Digest &digest) { return fmt::format("blobs/{}/{}", digest.algorithm(), digest.hex()); }
std::string partial_path(std::string_view name) { return fmt::format("{}/{}", partial, name); }

std::string place_of(const std::string &layout, const Digest &digest) {
  return fmt::format("{}: blob {}", layout, digest.text());
}

// The two answers of a full disk and a read-only one, which a person has to mend.
template <class T>
Result<T> with_remedy(Result<T> result) {
  if (result) return result;
  const int number = result.error().number;
  if (number == ENOSPC || number == EDQUOT)
    return remedy("make room; prune removes what no image needs", std::move(result));
  if (number == EROFS) return remedy("the layout is on a read-only file system; use another", std::move(result));
  return result;
}

// Whether the name still leads to this file: while one waits for its lock the other renames or removes it.
Result<bool> is_at(const Fd &layout, const std::string &path, const Fd &file) {
  const Fd there = TRY(kernel::find_at(layout, path, O_PATH | O_NOFOLLOW));
  if (!there.valid()) return false;
  const struct stat a = TRY(kernel::fstat(there));
  const struct stat b = TRY(kernel::fstat(file));
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

Status sync_directory(const Fd &layout, const std::string &name) {
  return kernel::fsync(TRY(kernel::openat(layout, name, O_RDONLY | O_DIRECTORY)));
}

Status put_in_place(const Fd &layout, const Incoming &incoming, const Digest &digest) {
  TRY(kernel::fsync(incoming.file));
  TRY(kernel::make_directory(layout, directory_of(digest), 0755));
  TRY(kernel::renameat2(layout, partial_path(incoming.name), layout, path_of(digest)));
  return sync_directory(layout, directory_of(digest));
}

Result<Incoming> open_incoming(const Fd &layout, std::string name, int more_flags) {
  TRY(kernel::make_directory(layout, partial, 0755));
  const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | more_flags;
  Incoming incoming{.digest = {}, .file = {}, .name = std::move(name), .size = 0};
  incoming.file = TRY(kernel::openat(layout, partial_path(incoming.name), flags, 0644));
  TRY(kernel::flock(incoming.file, LOCK_EX));
  return incoming;
}

}  // namespace

Result<bool> Layout::has_blob(const Digest &digest) const {
  const Fd file = TRY(kernel::find_at(directory_, path_of(digest), O_PATH));
  return file.valid();
}

Result<Fd> Layout::open_blob(const Digest &digest, std::int64_t size) const {
  // A FIFO in a foreign layout must not stop us.
  Fd file = TRY(kernel::find_at(directory_, path_of(digest), O_RDONLY | O_NONBLOCK));
  if (!file.valid())
    return fail(ENOENT, place_of(path_, digest), "the layout is not whole; pull or copy the image again");
  const struct stat status = TRY(kernel::fstat(file));
  if (!S_ISREG(status.st_mode)) return fail(EBADMSG, fmt::format("{}: it is no file", place_of(path_, digest)));
  if (size >= 0 && status.st_size != size) {
    return fail(EBADMSG, fmt::format("{}: it has {} bytes, its descriptor says {}", place_of(path_, digest),
                                     status.st_size, size));
  }
  return file;
}

Result<std::string> Layout::read_blob(const Digest &digest) const {
  const Fd file = TRY(open_blob(digest));
  std::string bytes = TRY(in(place_of(path_, digest), kernel::read_all(file, longest_document)));
  const Digest found = digest_of(bytes, digest.algorithm());
  if (found == digest) return bytes;
  return fail(EBADMSG, fmt::format("{}: its content has the digest {}", place_of(path_, digest), found.text()),
              "the layout is damaged; remove the blob and pull or copy the image again");
}

Result<Digest> Layout::write_blob(std::string_view bytes) const {
  Digest digest = digest_of(bytes);
  if (TRY(has_blob(digest))) return digest;
  const auto write = [&]() -> Status {
    Incoming incoming = TRY(begin_unknown_blob());
    Status written = kernel::write_all(incoming.file, bytes);
    if (written) written = put_in_place(directory_, incoming, digest);
    if (!written) discard_blob(incoming);
    return written;
  };
  TRY(in(place_of(path_, digest), with_remedy(write())));
  return digest;
}

Result<Incoming> Layout::begin_blob(const Digest &digest) const {
  const std::string name = fmt::format("{}-{}", digest.algorithm(), digest.hex());
  while (true) {
    if (TRY(has_blob(digest))) return Incoming{.digest = digest, .file = {}, .name = name, .size = 0};
    Incoming incoming = TRY(in(place_of(path_, digest), with_remedy(open_incoming(directory_, name, 0))));
    if (!TRY(is_at(directory_, partial_path(name), incoming.file))) continue;
    // The other one may have ended between the two looks, and a third have begun anew.
    if (TRY(has_blob(digest))) {
      (void)kernel::unlinkat(directory_, partial_path(name));
      continue;
    }
    incoming.digest = digest;
    incoming.size = TRY(kernel::lseek(incoming.file, 0, SEEK_END));
    return incoming;
  }
}

Result<Incoming> Layout::begin_unknown_blob() const {
  for (int count = 0;; ++count) {
    auto incoming = open_incoming(directory_, fmt::format("new-{}-{}", kernel::getpid(), count), O_EXCL);
    // Another thread's, or of an earlier process of our number.
    if (!incoming && incoming.error().number == EEXIST) continue;
    return in(path_, with_remedy(std::move(incoming)));
  }
}

Status Layout::commit_blob(Incoming incoming, const Digest &computed) const {
  const Digest &digest = incoming.digest.valid() ? incoming.digest : computed;
  if (digest != computed) {
    TRY(kernel::unlinkat(directory_, partial_path(incoming.name)));
    return fail(EBADMSG, fmt::format("{}: what came has the digest {}", place_of(path_, digest), computed.text()),
                "the sender is wrong or the connection was tampered with; what came was removed");
  }
  return in(place_of(path_, digest), with_remedy(put_in_place(directory_, incoming, digest)));
}

void Layout::discard_blob(const Incoming &incoming) const {
  // What cannot be removed now is prune's.
  (void)kernel::unlinkat(directory_, partial_path(incoming.name));
}

Status Layout::remove_blob(const Digest &digest) const {
  const Status removed = kernel::unlinkat(directory_, path_of(digest));
  if (!removed && removed.error().number == ENOENT) return {};
  return in(path_, with_remedy(removed));
}

Result<std::vector<Layout::BlobEntry>> Layout::list_blobs() const {
  std::vector<BlobEntry> blobs;
  for (const std::string_view algorithm : algorithms) {
    const Fd directory = TRY(kernel::find_at(directory_, fmt::format("blobs/{}", algorithm), O_RDONLY | O_DIRECTORY));
    if (!directory.valid()) continue;
    for (const std::string &name : TRY(kernel::list_directory(directory))) {
      const Result<Digest> digest = Digest::parse(fmt::format("{}:{}", algorithm, name));
      if (!digest) continue;
      const Result<struct stat> status = kernel::fstatat(directory, name);
      if (!status && status.error().number == ENOENT) continue;  // a pruner was faster
      blobs.push_back({*digest, TRY(Result<struct stat>(status)).st_size});
    }
  }
  std::ranges::sort(blobs, {}, &BlobEntry::digest);
  return blobs;
}

}  // namespace skiff::image
