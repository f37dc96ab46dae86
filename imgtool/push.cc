#include "imgtool/push.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>

#include "imgtool/thread.h"

namespace skiff::image {
namespace {

class Push {
 public:
  Push(Registry &registry, const Layout &from, const PushOptions &options, Progress &progress)
      : registry_(registry), from_(from), options_(options), progress_(progress) {}

  Status run(const std::vector<spec::Descriptor> &blobs) {
    for (const spec::Descriptor &blob : blobs) {
      const auto same = [&](const spec::Descriptor *known) { return known->digest == blob.digest; };
      if (std::ranges::none_of(blobs_, same)) blobs_.push_back(&blob);
    }
    work_together(std::min<std::size_t>(std::max(options_.parallel, 1U), blobs_.size()), [this] { work(); });
    return first_ ? Status(std::unexpected(*first_)) : Status();
  }

 private:
  void work() {
    for (;;) {
      const std::size_t index = next_++;
      if (index >= blobs_.size()) return;
      const Status sent = send(*blobs_[index]);
      if (sent) continue;
      next_ = blobs_.size();  // the others end what they have begun
      const std::lock_guard lock(mutex_);
      if (!first_) first_ = sent.error();
    }
  }

  Status send(const spec::Descriptor &descriptor) {
    const Digest digest = TRY(Digest::parse(descriptor.digest));
    const auto size = static_cast<std::uint64_t>(std::max<std::int64_t>(descriptor.size, 0));
    ProgressItem item = progress_.begin(digest.short_hex(), "Pushing", size);
    if (!descriptor.urls.empty()) {
      item.done("Left where it is");
      return {};
    }
    if (TRY(registry_.has_blob(digest))) {
      item.done("Already exists");
      return {};
    }
    for (const std::string &repository : options_.mount_from) {
      if (!TRY(registry_.mount_blob(digest, repository))) continue;
      item.done("Mounted from " + repository);
      return {};
    }
    const kernel::Fd file = TRY(from_.open_blob(digest, descriptor.size));
    TRY(registry_.put_blob(descriptor, file, &item));
    item.done("Pushed");
    return {};
  }

  Registry &registry_;
  const Layout &from_;
  const PushOptions &options_;
  Progress &progress_;
  std::vector<const spec::Descriptor *> blobs_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  std::optional<Error> first_;
};

}  // namespace

Status push_blobs(Registry &registry, const Layout &from, const std::vector<spec::Descriptor> &blobs,
                  const PushOptions &options, Progress &progress) {
  if (blobs.empty()) return {};
  return Push(registry, from, options, progress).run(blobs);
}

}  // namespace skiff::image
