#include "compose/log_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "runtime/kernel/inotify.h"
#include "runtime/kernel/path.h"
#include "spec/json.h"

namespace skiff::compose {
namespace {

constexpr std::size_t block = 65536;

// The newest first; as far as there are any.
std::vector<std::string> existing(const std::string &path) {
  std::vector<std::string> files;
  std::string name = path;
  while (kernel::faccessat(kernel::cwd, name, F_OK)) {
    files.push_back(name);
    name = fmt::format("{}.{}", path, files.size());
  }
  return files;
}

// Where the last `lines` lines begin; `lines` becomes how many are missing before the file's beginning.
Result<std::uint64_t> find_tail(const kernel::Fd &file, std::uint64_t &lines) {
  auto at = static_cast<std::uint64_t>(TRY(kernel::fstat(file)).st_size);
  const std::uint64_t end = at;
  std::string bytes(block, '\0');
  while (at > 0) {
    const std::uint64_t begin = at > block ? at - block : 0;
    const std::size_t count = TRY(kernel::pread_some(file, {bytes.data(), at - begin}, begin));
    for (std::size_t i = count; i-- > 0;) {
      // The end of the last line is no beginning of another.
      if (bytes[i] != '\n' || begin + i + 1 == end) continue;
      if (--lines == 0) return begin + i + 1;
    }
    at = begin;
  }
  if (end > 0) --lines;
  return 0;
}

std::optional<LogEntry> parse_entry(std::string_view line) {
  const auto document = spec::json::Document::parse(line);
  if (!document || document->root().kind() != spec::json::Kind::object) return std::nullopt;
  const spec::json::Value text = document->root().member("log");
  const spec::json::Value stream = document->root().member("stream");
  const spec::json::Value time = document->root().member("time");
  for (const spec::json::Value &one : {text, stream, time}) {
    if (!one || one.kind() != spec::json::Kind::string) return std::nullopt;
  }
  return LogEntry{.stream = stream.text() == "stderr" ? Stream::err : Stream::out,
                  .text = std::string(text.text()),
                  .time = std::string(time.text())};
}

}  // namespace

Status LogReader::watch(const std::string &path) {
  watch_ = TRY(kernel::inotify_init1());
  const std::string folder = path.substr(0, path.rfind('/'));
  // The folder: a rotated log is another file.
  TRY(kernel::inotify_add_watch(watch_, folder, IN_MODIFY | IN_CREATE | IN_MOVED_TO));
  return {};
}

void LogReader::forget() const {
  std::array<char, 4096> events;
  while (kernel::read_some(watch_, events)) {
  }
}

Status LogReader::skip_to_tail(const std::vector<std::string> &files, std::uint64_t tail) {
  for (const std::string &name : files) {
    const kernel::Fd file = TRY(kernel::open(name, O_RDONLY | O_NOFOLLOW));
    older_.push_back(name);
    std::uint64_t offset = tail == 0 ? static_cast<std::uint64_t>(TRY(kernel::fstat(file)).st_size) : 0;
    if (tail > 0) offset = TRY(find_tail(file, tail));
    if (tail > 0) continue;
    file_ = TRY(kernel::open(name, O_RDONLY | O_NOFOLLOW));
    TRY(kernel::lseek(file_, static_cast<off_t>(offset), SEEK_SET));
    older_.pop_back();
    return {};
  }
  return {};
}

Result<LogReader> LogReader::open(const std::string &path, std::optional<std::uint64_t> tail) {
  LogReader reader;
  reader.path_ = path;
  TRY(reader.watch(path));
  const std::vector<std::string> files = existing(path);
  if (tail) {
    TRY(reader.skip_to_tail(files, *tail));
  } else {
    reader.older_ = files;
  }
  return reader;
}

Result<bool> LogReader::go_on() {
  if (!older_.empty()) {
    file_ = TRY(kernel::open(older_.back(), O_RDONLY | O_NOFOLLOW));
    older_.pop_back();
    return true;
  }
  const Result<struct stat> named = kernel::fstatat(kernel::cwd, path_);
  if (!named) return named.error().number == ENOENT ? Result<bool>(false) : std::unexpected(named.error());
  if (file_.valid() && TRY(kernel::fstat(file_)).st_ino == named->st_ino) return false;
  file_ = TRY(kernel::open(path_, O_RDONLY | O_NOFOLLOW));
  return true;
}

Result<std::optional<LogEntry>> LogReader::next() {
  while (true) {
    const std::size_t end = buffer_.find('\n', begin_);
    if (end != std::string::npos) {
      std::optional<LogEntry> entry = parse_entry(std::string_view(buffer_).substr(begin_, end - begin_));
      begin_ = end + 1;
      if (entry) return entry;
      continue;
    }
    buffer_.erase(0, std::exchange(begin_, 0));
    const std::size_t had = buffer_.size();
    buffer_.resize(had + block);
    const std::size_t count = file_.valid() ? TRY(kernel::read_some(file_, {buffer_.data() + had, block})) : 0;
    buffer_.resize(had + count);
    if (count == 0 && !TRY(go_on())) return std::nullopt;
  }
}

}  // namespace skiff::compose
