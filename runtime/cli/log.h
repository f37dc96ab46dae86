// The runtime's log: what --log, --log-format and --debug ask for. A plain value, passed by reference.
//
// Engines read it: containerd takes the last line with level "error" and gives up at a line that is no JSON object,
// Podman wants the whole file to be one object. So an error is written once, and warnings are rare.
//
// A line is one write(2) to a descriptor opened with O_APPEND, so that parent and child can share a file. It works
// after fork and in a new root: no lock is held, no file is opened (times are UTC: local time would read the
// container's /etc/localtime), nothing is buffered.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "spec/error.h"

namespace skiff::cli {

enum class Level : std::uint8_t { Debug, Info, Warning, Error };
enum class LogFormat : std::uint8_t { Text, Json };

struct Log {
  int fd = -1;  // the file of --log, open for the life of the process; -1: none was asked for
  LogFormat format = LogFormat::Text;
  bool debug = false;
};

// Opens --log FILE for appending (0644, close on exec); an empty path asks for no file.
// The errno is open(2)'s; a format other than "", "text" and "json" is an error without one.
[[nodiscard]] Result<Log> open_log(std::string_view path, std::string_view format, bool debug);

// True where a line of this level would be written. Ask before building the text of a debug line.
[[nodiscard]] bool enabled(const Log &log, Level level);

// One line to the log, or to stderr where there is no log. Debug only with --debug. An error is written to the log
// alone: use report() for what ends the program. A failed write is not an error: there is no place left to say so.
void write_log(const Log &log, Level level, std::string_view message);

inline void debug(const Log &log, std::string_view message) { write_log(log, Level::Debug, message); }
inline void info(const Log &log, std::string_view message) { write_log(log, Level::Info, message); }
inline void warning(const Log &log, std::string_view message) { write_log(log, Level::Warning, message); }

// For main: the error that ends the program, to the log and to stderr ("PROGRAM: MESSAGE"; a JSON object where the
// format is JSON and there is no log). Both, because engines read the one, people and conmon the other.
void report(const Log &log, std::string_view program, const Error &error);

// The line that write_log writes, with its line end. `seconds` is the time since the epoch.
//   text: time="2026-01-02T03:04:05Z" level=warning msg="..."
//   JSON: {"level":"warning","msg":"...","time":"2026-01-02T03:04:05Z"}, always valid UTF-8
[[nodiscard]] std::string format_line(LogFormat format, Level level, std::string_view message, std::int64_t seconds);

}  // namespace skiff::cli
