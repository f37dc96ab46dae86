// The output of several containers at once: each line with its container's name in front, aligned, in a colour of its
// own, in the order it was written.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compose/engine.h"
#include "compose/lifecycle.h"
#include "compose/log_reader.h"

namespace skiff::compose {

// "web-1   | ": as wide as the widest, the n-th name always in the n-th colour.
class LogPrefixes {
 public:
  explicit LogPrefixes(bool colour) : colour_(colour) {}
  void add(const std::string &name);
  [[nodiscard]] std::string of(const std::string &name) const;

 private:
  std::vector<std::string> names_;
  std::size_t width_ = 0;
  bool colour_;
};

// "web-1" of a project's container, else its name.
[[nodiscard]] std::string short_name(const ContainerRecord &record);

struct LogViewOptions {
  std::optional<std::uint64_t> tail;
  std::optional<timespec> since;
  std::optional<timespec> until;
  bool timestamps = false;
  bool prefix = true;
  bool colour = false;
};

class LogView {
 public:
  LogView(const Engine &engine, const LogViewOptions &options)
      : engine_(&engine), options_(options), prefixes_(options.colour) {}

  // One that is not shown, or keeps no log, counts with its end.
  [[nodiscard]] Status add(const Container &container, bool shown = true);
  // What is there now.
  [[nodiscard]] Status show();

  enum class End : std::uint8_t { all_over, interrupted, enough };
  // Until all have ended for good, `interrupt` is readable, or `on_end` says false. With a `refresh`, which may add
  // more whenever it is called, the end of all is none.
  [[nodiscard]] Result<End> follow(kernel::FdView interrupt,
                                   const std::function<bool(const ContainerRecord &, int code)> &on_end,
                                   const std::function<Status()> &refresh = {});
  [[nodiscard]] bool has(const std::string &id) const;

 private:
  struct Source {
    ContainerRecord record;
    std::string name;
    LogReader reader;
    std::optional<LogEntry> head;
    bool shown = true;
    bool over = false;
  };
  [[nodiscard]] Result<Source *> earliest();
  [[nodiscard]] Status print(const Source &source, const LogEntry &entry) const;
  [[nodiscard]] Result<bool> note_end(Source &source, const std::optional<ContainerState> &state,
                                      const std::function<bool(const ContainerRecord &, int code)> &on_end);

  const Engine *engine_;
  LogViewOptions options_;
  LogPrefixes prefixes_;
  std::vector<Source> sources_;
};

}  // namespace skiff::compose
