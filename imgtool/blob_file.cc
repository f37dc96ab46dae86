#include "imgtool/blob_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace skiff::image {
namespace {

constexpr std::size_t read_size = std::size_t{256} << 10U;
constexpr std::uint64_t grain = std::uint64_t{1} << 20U;

}  // namespace

BlobFile::BlobFile(kernel::FdView file, std::uint64_t size, const Digest &digest, std::uint64_t there, Arrival *arrival)
    : file_(file), size_(size), digest_(digest), arrival_(arrival), reached_(there), hasher_(digest.algorithm()) {
  if (arrival_ != nullptr && there > 0) arrival_->reached(there);
}

void BlobFile::add(std::uint64_t begin, std::uint64_t end) {
  if (begin > reached_) {
    std::uint64_t &known = ahead_[begin];
    known = std::max(known, end);
    return;
  }
  reached_ = std::max(reached_, end);
  while (!ahead_.empty() && ahead_.begin()->first <= reached_) {
    reached_ = std::max(reached_, ahead_.begin()->second);
    ahead_.erase(ahead_.begin());
  }
  if (arrival_ != nullptr) arrival_->reached(reached_);
}

Status BlobFile::write(std::uint64_t offset, std::span<const char> bytes) {
  TRY(kernel::pwrite_all(file_, bytes, offset));
  bool from_buffer = false;
  {
    const std::lock_guard lock(mutex_);
    add(offset, offset + bytes.size());
    if (hashing_ || reached_ == hashed_) return {};
    if (hashed_ >= offset && hashed_ < offset + bytes.size()) {
      hashing_ = true;
      from_buffer = true;
      bytes = bytes.subspan(hashed_ - offset);
    }
  }
  if (from_buffer) {
    hasher_.update(bytes);
    const std::lock_guard lock(mutex_);
    hashed_ += bytes.size();
    hashing_ = false;
  }
  return hash_what_is_there();
}

Status BlobFile::hash_what_is_there() {
  std::uint64_t at = 0;
  std::uint64_t end = 0;
  const auto more = [&](bool begin) {
    const std::lock_guard lock(mutex_);
    if (begin && hashing_) return false;
    hashed_ = begin ? hashed_ : at;
    at = hashed_;
    end = reached_;
    hashing_ = at < end;
    return hashing_;
  };
  if (!more(true)) return {};
  std::vector<char> buffer(read_size);
  do {
    while (at < end) {
      const std::size_t wanted = std::min<std::uint64_t>(buffer.size(), end - at);
      const Result<std::size_t> got = kernel::pread_some(file_, std::span(buffer).first(wanted), at);
      if (!got || *got == 0) {
        const std::lock_guard lock(mutex_);
        hashed_ = at;
        hashing_ = false;
        if (!got) return std::unexpected(got.error());
        return fail(EIO, "the blob's file is shorter than what was written to it");
      }
      hasher_.update(std::span<const char>(buffer).first(*got));
      at += *got;
    }
  } while (more(false));
  return {};
}

std::uint64_t BlobFile::reached() {
  const std::lock_guard lock(mutex_);
  return reached_;
}

Status BlobFile::verify() {
  TRY(hash_what_is_there());
  if (!computed_) computed_ = hasher_.finish();
  if (*computed_ == digest_) return {};
  return fail(EBADMSG,
              fmt::format("the bytes that came have the digest {}, not {}", computed_->text(), digest_.text()));
}

Result<std::uint64_t> count_usable_bytes(kernel::FdView file, std::uint64_t size) {
  const struct stat facts = TRY(kernel::fstat(file));
  const auto there = static_cast<std::uint64_t>(facts.st_size);
  if (there == 0 || there > size) return 0;
  const auto hole = static_cast<std::uint64_t>(TRY(kernel::lseek(file, 0, SEEK_HOLE)));
  return hole >= there ? there : hole - hole % grain;
}

}  // namespace skiff::image
