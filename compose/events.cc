#include "compose/events.h"

#include <time.h>

#include "runtime/kernel/path.h"
#include "spec/writer.h"

namespace skiff::compose {
namespace {

// Two files of this size at most.
constexpr off_t longest_file = off_t{4} << 20U;

struct Actor {
  std::string id;
  std::map<std::string, std::string> attributes;
};

struct Event {
  std::string status;
  std::string from;
  Actor actor;
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;  // since the epoch, all of it
};

void fields(auto &v, const Actor &actor) {
  v.always("ID", actor.id);
  v.always("Attributes", actor.attributes);
}

void fields(auto &v, const Event &event) {
  v.always("status", event.status);
  v.always("id", event.actor.id);
  v.always("from", event.from);
  v.always("Type", std::string("container"));
  v.always("Action", event.status);
  v.always("Actor", event.actor);
  v.always("scope", std::string("local"));
  v.always("time", event.seconds);
  v.always("timeNano", event.nanoseconds);
}

Status append(const std::string &path, const std::string &line) {
  const kernel::Fd file = TRY(kernel::open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600));
  TRY(kernel::write_all(file, line));
  if (TRY(kernel::fstat(file)).st_size < longest_file) return {};
  return kernel::renameat2(kernel::cwd, path, kernel::cwd, path + ".1");
}

}  // namespace

void record_event(const Places &places, const ContainerRecord &record, std::string_view action,
                  const std::map<std::string, std::string> &details) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  Event event;
  event.status = action;
  event.from = record.image;
  event.actor.id = record.id;
  event.actor.attributes = record.labels;
  event.actor.attributes.insert(details.begin(), details.end());
  event.actor.attributes["name"] = record.name;
  event.actor.attributes["image"] = record.image;
  event.seconds = now.tv_sec;
  event.nanoseconds = now.tv_sec * 1'000'000'000 + now.tv_nsec;
  (void)append(places.events(), spec::Writer("").document(event) + "\n");
}

}  // namespace skiff::compose
