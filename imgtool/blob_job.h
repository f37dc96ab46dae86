// One blob that is being fetched, and which of its ranges is whose.
#pragma once

#include <memory>
#include <optional>

#include "imgtool/blob_file.h"
#include "imgtool/registry.h"

namespace skiff::image {

enum class JobState : std::uint8_t {
  waiting,    // nobody has begun
  asking,     // its first range is under way; whether the registry knows ranges is not known yet
  shared,     // it does: whoever is free takes the next one
  streaming,  // it does not, or there is only one: all the rest is one worker's
  ended,
};

struct BlobJob {
  BlobFetch *fetch = nullptr;
  Digest digest;
  std::uint64_t size = 0;
  std::unique_ptr<BlobFile> file;  // once somebody has begun

  // ---- under the queue's lock ----
  JobState state = JobState::waiting;
  std::uint64_t next = 0;  // the first byte that nobody fetches yet
  std::uint32_t workers = 0;
  std::size_t source = 0;  // the endpoint, or behind them the descriptor's address, that is asked now
  std::optional<Error> failure;
};

// Opens the file for it: keeps what an earlier try left, verifies it where that is everything, and begins anew where
// that is wrong. Takes the content out of the descriptor where it is embedded (descriptor.md, "Embedded Content").
[[nodiscard]] Status begin_job(BlobJob &job);
// Verifies what came and tells the arrival; what is behind a gap is cut off, so that the next try can count on the
// rest.
[[nodiscard]] Status end_job(BlobJob &job);

}  // namespace skiff::image
