#include "compose/log_file.h"

#include <fmt/format.h>

#include "compose/state.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

// The length of the UTF-8 sequence at the front, or 0: RFC 3629, without surrogates and what is too long for its value.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 && first <= 0xf4  ? 4
                             : first >= 0xe0 && first < 0xf0 ? 3
                             : first >= 0xc2 && first < 0xe0 ? 2
                                                             : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return 0;
  }
  const unsigned char second = byte(1);
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) || (first == 0xf0 && second < 0x90) ||
      (first == 0xf4 && second > 0x8f)) {
    return 0;
  }
  return length;
}

void append_escaped(std::string &out, std::string_view text) {
  while (!text.empty()) {
    const char c = text.front();
    const std::size_t length = sequence_length(text);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
    } else if (length == 0) {
      out += "\xef\xbf\xbd";
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

}  // namespace

void append_log_line(std::string &out, Stream stream, std::string_view text, std::string_view time) {
  out += R"({"log":")";
  append_escaped(out, text);
  out += stream == Stream::out ? R"(","stream":"stdout","time":")" : R"(","stream":"stderr","time":")";
  out += time;
  out += "\"}\n";
}

Result<LogFile> LogFile::open(LogOptions options) {
  LogFile log(std::move(options));
  if (!log.options_.path.empty()) TRY(log.open_file(O_APPEND));
  return log;
}

Status LogFile::open_file(int flags) {
  file_ = TRY(kernel::open(options_.path, O_WRONLY | O_CREAT | O_NOFOLLOW | flags, 0600));
  size_ = static_cast<std::uint64_t>(TRY(kernel::fstat(file_)).st_size);
  return {};
}

// Who follows the log has the old file open, and sees that the name is another one's.
Status LogFile::rotate() {
  const auto name = [&](std::uint32_t i) { return i == 0 ? options_.path : fmt::format("{}.{}", options_.path, i); };
  for (std::uint32_t i = options_.max_files - 1; i > 0; --i) {
    const Status moved = kernel::renameat2(kernel::cwd, name(i - 1), kernel::cwd, name(i));
    if (!moved && moved.error().number != ENOENT) return moved;
  }
  if (options_.max_files <= 1) TRY(kernel::unlinkat(kernel::cwd, options_.path));
  return open_file(O_APPEND);
}

Status LogFile::put(std::string_view lines) {
  if (options_.max_bytes != 0 && size_ >= options_.max_bytes) TRY(rotate());
  size_ += lines.size();
  return kernel::write_all(file_, lines);
}

Status LogFile::write(Stream stream, std::string_view bytes) {
  if (!file_.valid()) return {};
  const std::string time = time_now();
  std::string &part = parts_[static_cast<std::size_t>(stream)];
  std::string lines;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::size_t room = longest_part - part.size();
    const std::size_t count = std::min(end == bytes.npos ? bytes.size() : end + 1, room);
    const std::string_view piece = bytes.substr(0, count);
    bytes.remove_prefix(count);
    if (!piece.ends_with('\n') && count < room) {
      part += piece;
      continue;
    }
    if (part.empty()) {
      append_log_line(lines, stream, piece, time);
    } else {
      part += piece;
      append_log_line(lines, stream, part, time);
      part = {};
    }
  }
  return lines.empty() ? Status() : put(lines);
}

Status LogFile::finish() {
  if (!file_.valid()) return {};
  for (const Stream stream : {Stream::out, Stream::err}) {
    std::string &part = parts_[static_cast<std::size_t>(stream)];
    if (part.empty()) continue;
    std::string line;
    append_log_line(line, stream, part, time_now());
    part = {};
    TRY(put(line));
  }
  return {};
}

}  // namespace skiff::compose
