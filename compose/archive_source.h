// Images that are archives: what .ctst calls tar://PATH and https://URL@sha256:DIGEST (CTST.md, "Image sources").
#pragma once

#include <string>
#include <string_view>

#include "compose/engine.h"

namespace skiff::compose {

[[nodiscard]] bool is_archive_source(std::string_view image);

struct ArchiveOptions {
  bool offline = false;         // what is not in the cache is not fetched; an engine that is offline says so itself
  std::string cache_directory;  // of archives by https; empty: archive_cache_directory
};

// Brings the archive into the store, where it is not there yet, and gives the name it has there: the image of an OCI or
// a `docker save` archive, or one made of a tar file of a root filesystem; plain, gzip or zstd. Where the source has a
// digest, the file has to have it.
[[nodiscard]] Result<std::string> store_archive(const Engine &engine, const std::string &source,
                                                const ArchiveOptions &options = {});

// The name that it has there, or would have: another one for a file that has changed. ENOENT where there is no file.
[[nodiscard]] Result<std::string> name_of_archive(const std::string &source);

// skiff/archives in $XDG_CACHE_HOME or ~/.cache.
[[nodiscard]] std::string archive_cache_directory();

}  // namespace skiff::compose
