// A container's log, read back: what LogFile has written, over its rotations, and what is still to come.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compose/log_file.h"

namespace skiff::compose {

struct LogEntry {
  Stream stream = Stream::out;
  std::string text;  // with its line end, where it has one
  std::string time;
};

class LogReader {
 public:
  // From the oldest line that is kept, or from the last `tail` lines. No file at all is an empty log.
  [[nodiscard]] static Result<LogReader> open(const std::string &path, std::optional<std::uint64_t> tail);
  // Nothing: no more for now. A line that is no entry (a torn one) is passed over.
  [[nodiscard]] Result<std::optional<LogEntry>> next();
  // Readable when there may be more; forget() before next() is asked again. inotify(7).
  [[nodiscard]] const kernel::Fd &fd() const { return watch_; }
  void forget() const;

 private:
  [[nodiscard]] Status watch(const std::string &path);
  [[nodiscard]] Status skip_to_tail(const std::vector<std::string> &files, std::uint64_t tail);
  // False: there is nothing behind this file.
  [[nodiscard]] Result<bool> go_on();

  std::string path_;
  std::vector<std::string> older_;  // still to be read, the next one last
  kernel::Fd file_;
  std::string buffer_;
  std::size_t begin_ = 0;
  kernel::Fd watch_;
};

}  // namespace skiff::compose
