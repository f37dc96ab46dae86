#include "imgtool/blob_fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "imgtool/blob_job.h"
#include "imgtool/header_field.h"
#include "imgtool/registry_answer.h"
#include "imgtool/thread.h"

namespace skiff::image {
namespace {

using Endpoints = std::span<const std::unique_ptr<Endpoint>>;
// What curl gives at a time is 16 KiB: each write of that would wake the blob's reader.
constexpr std::size_t write_size = std::size_t{256} << 10U;
constexpr std::uint64_t worth_renewing = std::uint64_t{1} << 20U;

struct Range {
  std::uint64_t at = 0;  // the next byte to come
  std::uint64_t end = 0;
};

// One range of one blob from one source, in one try.
class RangeTry {
 public:
  RangeTry(BlobJob &job, Range &range, std::function<void()> takes_all, std::function<void()> may_share)
      : job_(&job), range_(&range), takes_all_(std::move(takes_all)), may_share_(std::move(may_share)) {}

  void prepare(HttpRequest &request, bool with_range) {
    const bool whole = range_->at == 0 && range_->end == job_->size;
    if (!whole && with_range) {
      request.headers.push_back(fmt::format("Range: bytes={}-{}", range_->at, range_->end - 1));
    }
    request.begin = [this](const HttpResponse &head) { return begin(head); };
    request.sink = [this](std::span<const char> bytes) { return take(bytes); };
  }
  // The transfer was ended by us, for the range is full.
  [[nodiscard]] bool enough() const { return enough_; }
  // Writes what is left in the buffer, when the transfer has ended in whatever way.
  Status flush() {
    if (buffer_.empty()) return {};
    TRY(job_->file->write(range_->at, buffer_));
    range_->at += buffer_.size();
    if (job_->fetch->progress != nullptr) job_->fetch->progress->advance(buffer_.size());
    buffer_.clear();
    return {};
  }

 private:
  Status begin(const HttpResponse &head) {
    if (is_html(head)) return fail("an HTML page in place of the blob", "is it a registry, and no proxy in between?");
    if (head.status == 206) return begin_range(head);
    if (head.status != 200) return fail(fmt::format("{} in place of the blob", head.status));
    skip_ = range_->at;  // Range was ignored: everything comes, from the start
    takes_all_();
    const std::string_view length = head.header("content-length");
    if (!length.empty() && length != fmt::to_string(job_->size)) return wrong_size(length);
    return {};
  }

  Status begin_range(const HttpResponse &head) {
    const std::optional<ContentRange> sent = parse_content_range(head.header("content-range"));
    if (!sent || sent->first != range_->at || sent->last >= range_->end) {
      return fail(fmt::format("206 with the range {}, asked for bytes {}-{}", head.header("content-range"), range_->at,
                              range_->end - 1));
    }
    if (sent->total && *sent->total != job_->size) return wrong_size(fmt::to_string(*sent->total));
    may_share_();
    return {};
  }

  [[nodiscard]] Status wrong_size(std::string_view has) const {
    return fail(EBADMSG, fmt::format("the registry has {} bytes, the manifest says {}", has, job_->size));
  }

  Status take(std::span<const char> bytes) {
    const std::size_t skipped = std::min<std::uint64_t>(skip_, bytes.size());
    skip_ -= skipped;
    bytes = bytes.subspan(skipped);
    const std::size_t wanted = std::min<std::uint64_t>(range_->end - range_->at - buffer_.size(), bytes.size());
    if (wanted < bytes.size() && range_->end == job_->size) {
      return fail(EBADMSG, fmt::format("the registry sends more than the {} bytes of the manifest", job_->size));
    }
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(wanted));
    if (buffer_.size() >= write_size) TRY(flush());
    enough_ = wanted < bytes.size();
    if (enough_) return fail("enough");
    return {};
  }

  BlobJob *job_;
  Range *range_;
  std::function<void()> takes_all_;
  std::function<void()> may_share_;
  std::vector<char> buffer_;
  std::uint64_t skip_ = 0;
  bool enough_ = false;
};

// The blobs, and the workers that share them.
class Queue {
 public:
  Queue(Endpoints endpoints, const RegistryOptions &options, std::vector<BlobFetch> &blobs, std::stop_token stop)
      : endpoints_(endpoints), options_(options), stop_(std::move(stop)) {
    jobs_.reserve(blobs.size());
    for (BlobFetch &blob : blobs) {
      BlobJob &job = jobs_.emplace_back();
      job.fetch = &blob;
      job.size = static_cast<std::uint64_t>(std::max<std::int64_t>(blob.descriptor.size, 0));
    }
  }

  Status run() {
    work_together(count_workers(), [this] { work(); });
    return first_ ? Status(std::unexpected(*first_)) : Status();
  }

 private:
  [[nodiscard]] std::size_t count_workers() const {
    std::uint64_t ranges = 0;
    for (const BlobJob &job : jobs_) {
      ranges += options_.range_size == 0 ? 1 : std::max<std::uint64_t>(1, job.size / options_.range_size + 1);
    }
    return std::clamp<std::uint64_t>(ranges, 1, std::max(options_.parallel, 1U));
  }

  void work() {
    for (BlobJob *job = nullptr;;) {
      Range range;
      bool first = false;
      job = claim(job, range, first);
      if (job == nullptr) return;
      Status outcome;
      if (first) outcome = begin(*job, range);
      if (outcome && range.at < range.end) outcome = fetch(*job, range);
      leave(*job, std::move(outcome));
    }
  }

  // Its own blob's next range, so that the part without a gap grows; else a blob that nobody has begun; else a share of
  // the one with most to come. Nothing where all is taken.
  BlobJob *claim(BlobJob *mine, Range &range, bool &first) {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (mine != nullptr && take_range(*mine, range)) return mine;
      const auto waiting = std::ranges::find(jobs_, JobState::waiting, &BlobJob::state);
      if (waiting != jobs_.end()) {
        waiting->state = JobState::asking;
        waiting->workers = 1;
        first = true;
        return &*waiting;
      }
      const auto most = std::ranges::max_element(jobs_, {}, [](const BlobJob &job) { return unclaimed(job); });
      if (most != jobs_.end() && take_range(*most, range)) return &*most;
      if (std::ranges::find(jobs_, JobState::asking, &BlobJob::state) == jobs_.end()) return nullptr;
      changed_.wait(lock);
    }
  }

  static std::uint64_t unclaimed(const BlobJob &job) {
    return job.state == JobState::shared && !job.failure ? job.size - job.next : 0;
  }

  bool take_range(BlobJob &job, Range &range) const {
    if (unclaimed(job) == 0) return false;
    range.at = job.next;
    range.end = std::min(job.size, job.next + options_.range_size);
    job.next = range.end;
    ++job.workers;
    return true;
  }

  Status begin(BlobJob &job, Range &range) {
    if (stop_.stop_requested()) return given_up();
    if (job.fetch->descriptor.size < 0) {
      return fail(fmt::format("size {}: a blob has none below zero", job.fetch->descriptor.size));
    }
    job.digest = TRY(Digest::parse(job.fetch->descriptor.digest));
    TRY(begin_job(job));
    const std::lock_guard lock(mutex_);
    range.at = job.next;
    const bool ranges = options_.range_size > 0;
    range.end = ranges ? std::min(job.size, job.next + options_.range_size) : job.size;
    job.next = range.end;
    if (range.end == job.size) settle(job, JobState::streaming);
    return {};
  }

  void settle(BlobJob &job, JobState state) {
    if (job.state == JobState::asking) job.state = state;
    changed_.notify_all();
  }

  void leave(BlobJob &job, Status outcome) {
    {
      const std::lock_guard lock(mutex_);
      if (!outcome && !job.failure) job.failure = outcome.error();
      settle(job, JobState::streaming);
      --job.workers;
      const bool over = job.failure || job.next == job.size;
      if (job.workers > 0 || !over) return;
      job.state = JobState::ended;
    }
    const Status ended = end_job(job);  // hashes: not under the lock
    if (ended) return;
    const std::lock_guard lock(mutex_);
    if (!first_) first_ = in(fmt::format("blob {}", job.fetch->descriptor.digest), ended.error());
  }

  static Status given_up() { return fail(ECANCELED, "given up"); }

  // ---- one range ----

  Status fetch(BlobJob &job, Range &range) {
    for (;;) {
      std::size_t source = 0;
      {
        const std::lock_guard lock(mutex_);
        source = job.source;
        if (job.failure) return {};  // another range's: this one is in vain
      }
      if (stop_.stop_requested()) return given_up();
      const Status outcome = fetch_from(job, range, source);
      if (outcome) return {};
      const std::lock_guard lock(mutex_);
      if (job.source == source) ++job.source;
      if (job.source >= endpoints_.size() + job.fetch->descriptor.urls.size()) return outcome;
    }
  }

  Ask make_ask(const BlobJob &job, std::size_t source) const {
    Ask ask;
    ask.request.stop = stop_;
    if (source < endpoints_.size()) {
      ask.request.url = endpoints_[source]->path("blobs/" + job.digest.text());
      ask.scopes = endpoints_[source]->scopes("pull");
    } else {
      ask.request.url = job.fetch->descriptor.urls[source - endpoints_.size()];
      ask.anonymous = true;
    }
    return ask;
  }

  Status fetch_from(BlobJob &job, Range &range, std::size_t source) {
    Endpoint &endpoint = *endpoints_[std::min(source, endpoints_.size() - 1)];
    Tries tries(endpoint.retry_policy(), job.fetch->progress, stop_);
    bool with_range = true;
    for (;;) {
      const std::uint64_t before = range.at;
      Ask ask = make_ask(job, source);
      RangeTry one(job, range, [&] { take_all(job, range); }, [&] { share(job); });
      one.prepare(ask.request, with_range);
      auto response = endpoint.send_once(ask);
      if (const Status written = one.flush(); !written) return std::unexpected(endpoint.error_of(ask, written.error()));
      if (one.enough() || (response && range.at == range.end)) return {};
      const bool passing = response ? may_pass(*response, with_range) : endpoint.is_passing(response.error());
      if (range.at - before >= worth_renewing) tries.renew();
      const auto wait = response ? parse_retry_after(response->header("retry-after"), std::chrono::system_clock::now())
                                 : std::nullopt;
      if (passing && tries.again(wait)) continue;
      if (stop_.stop_requested()) return given_up();
      if (!response) return std::unexpected(endpoint.error_of(ask, std::move(response.error().error)));
      if (response->status < 300) return std::unexpected(endpoint.error_of(ask, short_of(job, range)));
      return std::unexpected(endpoint.error_of(ask, *response));
    }
  }

  // A 2xx whose body was too short is a connection that ended; 416 is answered to by doing without ranges.
  static bool may_pass(const HttpResponse &response, bool &with_range) {
    if (response.status == 416 && with_range) {
      with_range = false;
      return true;
    }
    return response.status < 300 || is_passing_status(response.status);
  }

  static Error short_of(const BlobJob &job, const Range &range) {
    return {.number = EBADMSG,
            .text = fmt::format("the registry's bytes end at {}, the manifest says {}", range.at, job.size),
            .remedy = {}};
  }

  void take_all(BlobJob &job, Range &range) {
    const std::lock_guard lock(mutex_);
    if (job.state != JobState::asking) return;  // the others go on with their ranges, this one with its own
    range.end = job.size;
    job.next = job.size;
    settle(job, JobState::streaming);
  }

  void share(BlobJob &job) {
    const std::lock_guard lock(mutex_);
    settle(job, JobState::shared);
  }

  Endpoints endpoints_;
  const RegistryOptions &options_;
  std::stop_token stop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<BlobJob> jobs_;
  std::optional<Error> first_;
};

}  // namespace

Status fetch_blobs(Endpoints endpoints, const RegistryOptions &options, std::vector<BlobFetch> &blobs,
                   const std::stop_token &stop) {
  if (blobs.empty()) return {};
  return Queue(endpoints, options, blobs, stop).run();
}

}  // namespace skiff::image
