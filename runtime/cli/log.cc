#include "runtime/cli/log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>

namespace skiff::cli {
namespace {

constexpr std::string_view name_of(Level level) {
  switch (level) {
    case Level::Debug:
      return "debug";
    case Level::Info:
      return "info";
    case Level::Warning:
      return "warning";
    case Level::Error:
      return "error";
  }
  return "error";
}

// By <chrono> and not by gmtime_r, which reads /etc/localtime on its first call even so.
std::string rfc3339(std::int64_t seconds) {
  const std::chrono::sys_seconds time{std::chrono::seconds{seconds}};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

// The length of the UTF-8 sequence in front of the text (RFC 3629: no overlong form, no surrogate); 0: there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool shortest = first != 0xE0 || byte(1) >= 0xA0;
    const bool surrogate = first == 0xED && byte(1) >= 0xA0;
    return follows(1) && follows(2) && shortest && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool in_range = (first != 0xF0 || byte(1) >= 0x90) && (first != 0xF4 || byte(1) < 0x90);
    return follows(1) && follows(2) && follows(3) && in_range ? 4 : 0;
  }
  return 0;
}

// Between double quotes, as JSON writes it; a text line uses the same form, which Go's unquoting reads too.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const char c = text.front();
    const std::size_t length = utf8_length(text);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else if (length == 0) {
      out += "\xEF\xBF\xBD";  // U+FFFD: file names need not be UTF-8, JSON must be
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out + '"';
}

// One call, so that lines of two processes do not mix; the rest of a short write (a full pipe or disk) is given up.
void write_once(int fd, std::string_view line) {
  ssize_t written = 0;
  do {
    written = ::write(fd, line.data(), line.size());
  } while (written < 0 && errno == EINTR);
}

std::int64_t now() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec;
}

}  // namespace

Result<Log> open_log(std::string_view path, std::string_view format, bool debug) {
  Log log{.debug = debug};
  if (format == "json") {
    log.format = LogFormat::Json;
  } else if (!format.empty() && format != "text") {
    return fail(fmt::format("--log-format: \"{}\" is not one of text|json", format));
  }
  if (path.empty()) return log;
  const std::string name(path);
  log.fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
  if (log.fd < 0) return fail(errno, fmt::format("--log: open(\"{}\", O_WRONLY|O_CREAT|O_APPEND)", name));
  return log;
}

bool enabled(const Log &log, Level level) {
  if (level == Level::Debug) return log.debug;
  return level != Level::Error || log.fd >= 0;
}

void write_log(const Log &log, Level level, std::string_view message) {
  if (!enabled(log, level)) return;
  write_once(log.fd >= 0 ? log.fd : STDERR_FILENO, format_line(log.format, level, message, now()));
}

void report(const Log &log, std::string_view program, const Error &error) {
  const std::string message = error.message();
  write_log(log, Level::Error, message);
  if (log.fd < 0 && log.format == LogFormat::Json) {
    write_once(STDERR_FILENO, format_line(log.format, Level::Error, message, now()));
  } else {
    write_once(STDERR_FILENO, fmt::format("{}: {}\n", program, message));
  }
}

std::string format_line(LogFormat format, Level level, std::string_view message, std::int64_t seconds) {
  if (format == LogFormat::Json) {
    return fmt::format("{{\"level\":\"{}\",\"msg\":{},\"time\":\"{}\"}}\n", name_of(level), quoted(message),
                       rfc3339(seconds));
  }
  return fmt::format("time=\"{}\" level={} msg={}\n", rfc3339(seconds), name_of(level), quoted(message));
}

}  // namespace skiff::cli
