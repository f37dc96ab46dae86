// What has happened, in the order it happened: DATA/events, a line of docker's event JSON each.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "compose/container.h"
#include "compose/filter.h"

namespace skiff::compose {

// Appends a line. Beside the container's name, image and labels it has `details`, such as exitCode. What cannot be
// written is nobody's error: an event is no reason to fail what has happened.
void record_event(const Places &places, const ContainerRecord &record, std::string_view action,
                  const std::map<std::string, std::string> &details = {});

inline constexpr std::array<std::string_view, 5> event_keys = {"container", "event", "image", "label", "type"};

struct EventQuery {
  std::optional<std::int64_t> since;  // nanoseconds since the epoch; absent: from now on
  std::optional<std::int64_t> until;
  Filters filters;
  bool json = false;
};

class EventReader {
 public:
  [[nodiscard]] static Result<EventReader> open(const Places &places, EventQuery query);
  // Lines for those that are there and have not been read.
  [[nodiscard]] Result<std::string> read();
  // Until there may be more, or until it is over.
  [[nodiscard]] Status wait() const;
  [[nodiscard]] bool is_over() const;

 private:
  [[nodiscard]] std::string show(std::string_view line) const;

  std::string path_;
  EventQuery query_;
  kernel::Fd file_;
  std::string rest_;
  kernel::Fd watch_;
};

}  // namespace skiff::compose
