#include "compose/log_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "compose/show_text.h"

namespace skiff::compose {
namespace {

using Phase = ContainerState::Phase;

constexpr std::array<int, 10> colours = {36, 33, 32, 35, 34, 96, 93, 92, 95, 94};
// An end that nobody wrote down is found out by looking.
constexpr std::chrono::milliseconds longest_nap{1000};

bool is_before(const timespec &one, const timespec &other) {
  return one.tv_sec != other.tv_sec ? one.tv_sec < other.tv_sec : one.tv_nsec < other.tv_nsec;
}

bool is_over(const std::optional<ContainerState> &state) {
  return !state || (!state->is_running() && state->phase != Phase::restarting);
}

}  // namespace

void LogPrefixes::add(const std::string &name) {
  names_.push_back(name);
  width_ = std::max(width_, name.size());
}

std::string LogPrefixes::of(const std::string &name) const {
  const auto index = static_cast<std::size_t>(std::ranges::find(names_, name) - names_.begin());
  const std::string text = fmt::format("{:<{}}  | ", name, width_);
  return colour_ ? fmt::format("\x1b[{}m{}\x1b[0m", colours[index % colours.size()], text) : text;
}

std::string short_name(const ContainerRecord &record) {
  const std::string front = record.project + "-";
  return record.project.empty() || !record.name.starts_with(front) ? record.name : record.name.substr(front.size());
}

Status LogView::add(const Container &container, bool shown) {
  const std::string path = engine_->places.directory(container.id()) + "/log";
  LogReader reader = TRY(LogReader::open(path, options_.tail));
  sources_.push_back({.record = container.record,
                      .name = short_name(container.record),
                      .reader = std::move(reader),
                      .head = {},
                      .shown = shown,
                      .over = false});
  if (shown) prefixes_.add(sources_.back().name);
  return {};
}

bool LogView::has(const std::string &id) const {
  return std::ranges::any_of(sources_, [&](const Source &source) { return source.record.id == id; });
}

Status LogView::print(const Source &source, const LogEntry &entry) const {
  const std::optional<timespec> time = parse_time(entry.time);
  if (time && options_.until && !is_before(*time, *options_.until)) return {};
  if (time && options_.since && is_before(*time, *options_.since)) return {};
  std::string line = options_.prefix ? prefixes_.of(source.name) : std::string();
  if (options_.timestamps) line += entry.time + " ";
  line += entry.text;
  // Another container's line must not go on in this one.
  if (!line.ends_with('\n')) line += '\n';
  return in("stdout", kernel::write_all(kernel::FdView(entry.stream == Stream::err ? 2 : 1), line));
}

// The times are of one length and sort as they are written.
Result<LogView::Source *> LogView::earliest() {
  Source *first = nullptr;
  for (Source &source : sources_) {
    if (!source.shown) continue;
    if (!source.head) source.head = TRY(source.reader.next());
    if (source.head && (first == nullptr || source.head->time < first->head->time)) first = &source;
  }
  return first;
}

Status LogView::show() {
  while (Source *source = TRY(earliest())) {
    TRY(print(*source, *source->head));
    source->head.reset();
  }
  return {};
}

// A run that its policy has followed by another one has ended as well, and the container goes on.
Result<bool> LogView::note_end(Source &source, const std::optional<ContainerState> &state,
                               const std::function<bool(const ContainerRecord &, int code)> &on_end) {
  if (source.over || !is_over(state)) return true;
  source.over = true;
  const int code = state ? state->run.exit_code : 0;
  if (options_.prefix && source.shown) {
    const std::string line = fmt::format("{}exited with code {}\n", prefixes_.of(source.name), code);
    TRY(in("stdout", kernel::write_all(kernel::FdView(1), line)));
  }
  return on_end(source.record, code);
}

Result<LogView::End> LogView::follow(kernel::FdView interrupt,
                                     const std::function<bool(const ContainerRecord &, int code)> &on_end,
                                     const std::function<Status()> &refresh) {
  while (true) {
    if (refresh) TRY(refresh());
    // First how they are, then what they wrote: an end is told after the last word.
    std::vector<std::optional<ContainerState>> states;
    for (const Source &source : sources_) {
      Result<ContainerState> state = read_state(engine_->places, source.record.id);
      if (!state && state.error().number != ENOENT) return std::unexpected(std::move(state).error());
      states.emplace_back(state ? std::optional(std::move(*state)) : std::nullopt);
    }
    TRY(show());
    bool enough = false;
    for (std::size_t i = 0; i < sources_.size(); ++i) enough |= !TRY(note_end(sources_[i], states[i], on_end));
    if (enough) return End::enough;
    if (!refresh && std::ranges::all_of(sources_, &Source::over)) return End::all_over;
    std::vector<pollfd> events = {{interrupt.get(), POLLIN, 0}};
    for (const Source &source : sources_) events.push_back({source.reader.fd().get(), POLLIN, 0});
    TRY(kernel::poll(events, longest_nap));
    if (events[0].revents != 0) return End::interrupted;
    for (const Source &source : sources_) source.reader.forget();
  }
}

}  // namespace skiff::compose
