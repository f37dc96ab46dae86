// skiff-bundle.json, and the files that it names.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "compose/bundle.h"
#include "runtime/kernel/fd.h"

namespace skiff::compose {

inline constexpr const char *bundle_record_name = "skiff-bundle.json";
inline constexpr const char *bundled_project = "project";

[[nodiscard]] std::string print_bundle_record(const BundleRecord &record);
[[nodiscard]] Result<BundleRecord> parse_bundle_record(std::string_view text);

// Digests by path of all files in the directory and below; of a symbolic link of what it says. Anything else in it is
// an error.
[[nodiscard]] Result<std::map<std::string, std::string>> digest_files(kernel::FdView directory);

// sha256:HEX of a file.
[[nodiscard]] Result<std::string> digest_file(kernel::FdView directory, const std::string &name);

// A directory beside `path` that goes with the value, with all in it.
class StageDirectory {
 public:
  [[nodiscard]] static Result<StageDirectory> make_beside(const std::string &path);
  StageDirectory(StageDirectory &&other) noexcept
      : parent_(std::move(other.parent_)), path_(std::exchange(other.path_, {})) {}
  StageDirectory &operator=(StageDirectory &&) = delete;
  ~StageDirectory();

  [[nodiscard]] const std::string &path() const { return path_; }

 private:
  StageDirectory() = default;
  kernel::Fd parent_;
  std::string path_;
};

}  // namespace skiff::compose
