// A container's output on disk, in the lines of docker's json-file driver:
// {"log":"text\n","stream":"stdout","time":...}.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/kernel/fd.h"

namespace skiff::compose {

enum class Stream : std::uint8_t { out, err };

struct LogOptions {
  std::string path;             // empty: nothing is kept
  std::uint64_t max_bytes = 0;  // of one file; 0 without end
  std::uint32_t max_files = 1;  // PATH, PATH.1 and so on, the newest first
};

// Writes whole lines; what has no end yet waits, up to longest_part bytes, as docker has it.
class LogFile {
 public:
  static constexpr std::size_t longest_part = 16384;

  [[nodiscard]] static Result<LogFile> open(LogOptions options);
  [[nodiscard]] Status write(Stream stream, std::string_view bytes);
  // What waits for its line's end, when none will come.
  [[nodiscard]] Status finish();

 private:
  explicit LogFile(LogOptions options) : options_(std::move(options)) {}
  [[nodiscard]] Status open_file(int flags);
  [[nodiscard]] Status rotate();
  [[nodiscard]] Status put(std::string_view lines);

  LogOptions options_;
  kernel::Fd file_;
  std::uint64_t size_ = 0;
  std::array<std::string, 2> parts_;
};

// One line of the file, with its line end.
void append_log_line(std::string &out, Stream stream, std::string_view text, std::string_view time);

}  // namespace skiff::compose
