#include "imgtool/blob_job.h"

#include <fmt/format.h>

#include "spec/base64.h"

namespace skiff::image {
namespace {

std::unique_ptr<BlobFile> make_file(const BlobJob &job, std::uint64_t there, Arrival *arrival) {
  return std::make_unique<BlobFile>(job.fetch->incoming->file, job.size, job.digest, there, arrival);
}

// Everything is there already. Nobody is told before it is verified: what is wrong can be thrown away then.
Result<bool> keep_whole_file(BlobJob &job) {
  job.file = make_file(job, job.size, nullptr);
  const Status right = job.file->verify();
  if (right) return true;
  if (right.error().number != EBADMSG) return std::unexpected(right.error());
  TRY(kernel::ftruncate(job.fetch->incoming->file, 0));
  return false;
}

Result<bool> take_embedded(BlobJob &job) {
  if (!job.fetch->descriptor.data) return false;
  const std::optional<std::string> content = spec::decode_base64(*job.fetch->descriptor.data);
  if (!content || content->size() != job.size || digest_of(*content, job.digest.algorithm()) != job.digest) {
    return fail("the descriptor's data is not the content that its size and digest name",
                "descriptor.md, \"Embedded Content\": they must be the same");
  }
  TRY(kernel::ftruncate(job.fetch->incoming->file, 0));
  job.file = make_file(job, 0, job.fetch->arrival);
  TRY(job.file->write(0, std::span(content->data(), content->size())));
  return true;
}

}  // namespace

Status begin_job(BlobJob &job) {
  const kernel::FdView file = job.fetch->incoming->file;
  std::uint64_t there = TRY(count_usable_bytes(file, job.size));
  if (there == job.size && !TRY(keep_whole_file(job))) there = 0;
  if (there < job.size && TRY(take_embedded(job))) there = job.size;
  if (there < job.size) {
    if (there == 0) TRY(kernel::ftruncate(file, 0));  // of another size than it can have
    job.file = make_file(job, there, job.fetch->arrival);
    TRY(job.file->hash_what_is_there());
  } else if (job.fetch->arrival != nullptr) {
    job.fetch->arrival->reached(there);
  }
  if (job.fetch->progress != nullptr && there > 0) job.fetch->progress->advance(there);
  job.next = there;
  return {};
}

Status end_job(BlobJob &job) {
  Status outcome;
  if (job.failure) {
    outcome = std::unexpected(*job.failure);
    if (job.file) (void)kernel::ftruncate(job.fetch->incoming->file, static_cast<off_t>(job.file->reached()));
  } else {
    outcome = job.file->verify();
  }
  if (job.fetch->arrival != nullptr) {
    if (outcome) {
      job.fetch->arrival->end();
    } else {
      job.fetch->arrival->fail(outcome.error());
    }
  }
  if (job.fetch->ended) job.fetch->ended(outcome);
  return outcome;
}

}  // namespace skiff::image
