// Whether the store is sound: every blob read again, every image whole.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "imgtool/decompress.h"
#include "imgtool/reach.h"
#include "imgtool/store.h"
#include "imgtool/thread.h"

namespace skiff::image {
namespace {

using kernel::Fd;

constexpr const char *ref_name = "org.opencontainers.image.ref.name";
constexpr std::size_t buffer_size = std::size_t{1} << 20U;
constexpr unsigned window_log = 27;
constexpr unsigned most_threads = 4;

// One reading of a file, and the digest of what was read.
class HashedFile {
 public:
  HashedFile(const Fd &file, const Digest &digest, const std::function<void(std::uint64_t)> &seen)
      : file_(file), hasher_(digest.algorithm()), seen_(seen) {}

  Result<std::size_t> read(std::span<char> into) {
    const std::size_t count = TRY(kernel::read_some(file_, into));
    hasher_.update(into.first(count));
    if (seen_ && count > 0) seen_(count);
    return count;
  }
  // Reads what is left.
  Result<Digest> finish(std::span<char> buffer) {
    while (TRY(read(buffer)) > 0) {
    }
    return hasher_.finish();
  }

 private:
  const Fd &file_;
  Hasher hasher_;
  const std::function<void(std::uint64_t)> &seen_;
};

class Verifier {
 public:
  Verifier(const Layout &store, const Reached &reached, const std::function<void(std::uint64_t)> &seen)
      : store_(store), reached_(reached), seen_(seen) {}

  Status verify_all(VerifyReport &report);

 private:
  void work();
  Status verify_blob(const Layout::BlobEntry &blob);
  [[nodiscard]] const std::set<std::string> *diff_ids_of(const Digest &digest) const;
  void check_diff_id(const Digest &blob, const Digest &diff_id, const std::set<std::string> &expected);
  void report_error(Error error, const Digest *damaged);

  const Layout &store_;
  const Reached &reached_;
  const std::function<void(std::uint64_t)> &seen_;
  std::vector<Layout::BlobEntry> blobs_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  VerifyReport *report_ = nullptr;
};

void Verifier::report_error(Error error, const Digest *damaged) {
  const std::lock_guard lock(mutex_);
  report_->errors.push_back(std::move(error));
  if (damaged != nullptr) report_->damaged.push_back(*damaged);
}

const std::set<std::string> *Verifier::diff_ids_of(const Digest &digest) const {
  const auto found = reached_.diff_ids.find(digest.text());
  return found == reached_.diff_ids.end() ? nullptr : &found->second;
}

void Verifier::check_diff_id(const Digest &blob, const Digest &diff_id, const std::set<std::string> &expected) {
  for (const std::string &each : expected) {
    if (each == diff_id.text()) continue;
    report_error(Error{EBADMSG,
                       fmt::format("layer {}: uncompressed its digest is {}, a configuration says {}", blob.text(),
                                   diff_id.text(), each),
                       "the image was made wrongly; pull another"},
                 nullptr);
  }
}

// Of all uncompressed bytes, by the algorithm that the configuration names it with.
Result<Digest> read_diff_id(const ReadBytes &read, std::string_view algorithm, std::span<char> buffer) {
  Decompressor decompressor(read, window_log);
  Hasher hasher(algorithm);
  while (true) {
    const std::size_t count = TRY(decompressor.read(buffer));
    if (count == 0) return hasher.finish();
    hasher.update(buffer.first(count));
  }
}

Status Verifier::verify_blob(const Layout::BlobEntry &blob) {
  const Fd file = TRY(store_.open_blob(blob.digest));
  HashedFile hashed(file, blob.digest, seen_);
  std::vector<char> buffer(buffer_size);
  const std::set<std::string> *expected = diff_ids_of(blob.digest);
  Result<Digest> diff_id = Digest();
  if (expected != nullptr) {
    const std::string &first = *expected->begin();
    diff_id = read_diff_id([&](std::span<char> into) { return hashed.read(into); },
                           std::string_view(first).substr(0, first.find(':')), buffer);
  }
  const Digest found = TRY(hashed.finish(buffer));
  if (found != blob.digest) {
    report_error(Error{EBADMSG, fmt::format("blob {}: its content has the digest {}", blob.digest.text(), found.text()),
                       "remove it with --repair, and pull the image again"},
                 &blob.digest);
  } else if (!diff_id) {
    report_error(in(fmt::format("layer {}", blob.digest.text()), diff_id.error()), nullptr);
  } else if (expected != nullptr) {
    check_diff_id(blob.digest, *diff_id, *expected);
  }
  return {};
}

void Verifier::work() {
  while (true) {
    const std::size_t index = next_.fetch_add(1);
    if (index >= blobs_.size()) return;
    const Status verified = verify_blob(blobs_[index]);
    if (!verified) report_error(in(fmt::format("blob {}", blobs_[index].digest.text()), verified.error()), nullptr);
  }
}

Status Verifier::verify_all(VerifyReport &report) {
  report_ = &report;
  blobs_ = TRY(store_.list_blobs());
  // The large ones first, so that all threads end together.
  std::ranges::sort(blobs_, std::greater(), &Layout::BlobEntry::size);
  for (const Layout::BlobEntry &blob : blobs_) report.bytes += static_cast<std::uint64_t>(blob.size);
  report.blobs = blobs_.size();
  work_together(std::clamp(std::thread::hardware_concurrency(), 1U, most_threads), [this] { work(); });
  return {};
}

std::string handle_of(const spec::Descriptor &entry) {
  const auto name = entry.annotations.find(ref_name);
  return name == entry.annotations.end() ? entry.digest : name->second;
}

// What is missing of it, under its name.
Status verify_image(const Layout &store, const spec::Descriptor &entry, const std::vector<Digest> &damaged,
                    VerifyReport &report) {
  Reached reached;
  TRY(reach(store, entry, reached));
  const bool broken =
      std::ranges::any_of(damaged, [&](const Digest &digest) { return reached.digests.contains(digest.text()); });
  if (!broken && reached.missing.empty() && reached.unreadable.empty()) return {};
  report.images.push_back(handle_of(entry));
  for (const std::vector<Error> *errors : {&reached.missing, &reached.unreadable}) {
    for (const Error &error : *errors) report.errors.push_back(in(handle_of(entry), error));
  }
  return {};
}

}  // namespace

Result<VerifyReport> verify(const Layout &store, const std::function<void(std::uint64_t)> &seen) {
  const Fd lock = TRY(store.lock_shared());
  const spec::ImageIndex index = TRY(store.load_index());
  Reached reached;
  for (const spec::Descriptor &entry : index.manifests) TRY(reach(store, entry, reached));
  VerifyReport report;
  TRY(Verifier(store, reached, seen).verify_all(report));
  for (const spec::Descriptor &entry : index.manifests) TRY(verify_image(store, entry, report.damaged, report));
  return report;
}

}  // namespace skiff::image
