#include <fmt/format.h>
#include <time.h>

#include <algorithm>

#include "compose/events.h"
#include "compose/words.h"
#include "runtime/kernel/inotify.h"
#include "runtime/kernel/path.h"
#include "spec/json.h"

namespace skiff::compose {
namespace {

using JsonValue = spec::json::Value;

std::int64_t now_in_nanoseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

std::string text_of(const JsonValue &object, std::string_view name) {
  const JsonValue value = object.member(name);
  return value && value.kind() == spec::json::Kind::string ? std::string(value.text()) : std::string();
}

Labels attributes_of(const JsonValue &event) {
  Labels labels;
  const JsonValue actor = event.member("Actor");
  const JsonValue attributes = actor ? actor.member("Attributes") : JsonValue();
  if (attributes) {
    attributes.each([&](const JsonValue &one) { labels[std::string(one.key())] = std::string(one.text()); });
  }
  return labels;
}

// "2026-01-02T03:04:05.000000006Z container die ID (exitCode=0, name=web)"
std::string line_text(const JsonValue &event, std::int64_t time, const Labels &attributes) {
  std::string text =
      fmt::format("{} container {} {} (", time_text({.tv_sec = time / 1'000'000'000, .tv_nsec = time % 1'000'000'000}),
                  text_of(event, "Action"), text_of(event, "id"));
  const char *separator = "";
  for (const auto &[key, value] : attributes) {
    text += fmt::format("{}{}={}", separator, key, value);
    separator = ", ";
  }
  return text + ")\n";
}

}  // namespace

Result<EventReader> EventReader::open(const Places &places, EventQuery query) {
  EventReader reader;
  reader.path_ = places.events();
  reader.watch_ = TRY(kernel::inotify_init1());
  TRY(kernel::inotify_add_watch(reader.watch_, places.data, IN_MODIFY | IN_CREATE));
  if (!query.since) query.since = now_in_nanoseconds();
  reader.query_ = std::move(query);
  // What was rotated away comes first.
  reader.file_ = TRY(kernel::find_at(kernel::cwd, reader.path_ + ".1", O_RDONLY | O_NOFOLLOW));
  return reader;
}

std::string EventReader::show(std::string_view line) const {
  const auto document = spec::json::Document::parse(line);
  // Torn by a full disk.
  if (!document || document->root().kind() != spec::json::Kind::object) return {};
  const JsonValue event = document->root();
  const JsonValue stamp = event.member("timeNano");
  const auto time = static_cast<std::int64_t>(stamp ? stamp.number() : 0);
  if (time < *query_.since || (query_.until && time >= *query_.until)) return {};
  const Labels attributes = attributes_of(event);
  const auto attribute = [&](const char *name) {
    const auto found = attributes.find(name);
    return found == attributes.end() ? std::string() : found->second;
  };
  const std::string id = text_of(event, "id");
  const bool meant =
      query_.filters.matches("container",
                             [&](const std::string &v) { return attribute("name") == v || id.starts_with(v); }) &&
      query_.filters.matches("event", [&](const std::string &v) { return text_of(event, "Action") == v; }) &&
      query_.filters.matches("image", [&](const std::string &v) { return attribute("image") == v; }) &&
      query_.filters.matches("type", [](const std::string &v) { return v == "container"; }) &&
      query_.filters.matches_labels(attributes);
  if (!meant) return {};
  return query_.json ? std::string(line) + "\n" : line_text(event, time, attributes);
}

Result<std::string> EventReader::read() {
  std::array<char, 4096> events;
  while (kernel::read_some(watch_, events)) {
  }
  std::string out;
  while (true) {
    std::array<char, 65536> buffer;
    const std::size_t count = file_.valid() ? TRY(kernel::read_some(file_, buffer)) : 0;
    rest_.append(buffer.data(), count);
    const std::size_t end = rest_.rfind('\n') + 1;
    for (const std::string_view line : lines_of(std::string_view(rest_).substr(0, end))) out += show(line);
    rest_.erase(0, end);
    if (count > 0) continue;
    const Result<struct stat> named = kernel::fstatat(kernel::cwd, path_);
    if (!named || (file_.valid() && TRY(kernel::fstat(file_)).st_ino == named->st_ino)) return out;
    file_ = TRY(kernel::open(path_, O_RDONLY | O_NOFOLLOW));
  }
}

bool EventReader::is_over() const { return query_.until && now_in_nanoseconds() >= *query_.until; }

Status EventReader::wait() const {
  auto patience = kernel::forever;
  if (query_.until) {
    const auto left = std::chrono::nanoseconds(std::max<std::int64_t>(*query_.until - now_in_nanoseconds(), 0));
    patience = std::chrono::ceil<std::chrono::milliseconds>(left);
  }
  TRY(kernel::wait_readable(watch_, patience));
  return {};
}

}  // namespace skiff::compose
