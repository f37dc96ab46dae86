#include "imgtool/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <vector>

#include "imgtool/progress_text.h"
#include "runtime/kernel/tty.h"

namespace skiff::image {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto shortest_pause = std::chrono::milliseconds(100);

struct Item {
  std::string id;
  std::string status;
  std::uint64_t current = 0;
  std::uint64_t total = 0;
  bool over = false;
  Clock::time_point shown;  // json
};

}  // namespace

struct Progress::State {
  State(ProgressMode wanted, kernel::FdView to) : mode(wanted), out(to) {
    if (mode == ProgressMode::automatic) {
      mode = kernel::is_terminal(out) ? ProgressMode::bars : ProgressMode::plain;
    }
  }

  void write(std::string_view text) const { (void)kernel::write_all(out, text); }

  // ---- bars: the lines at the bottom are drawn anew in place; what has ended or is said stays above them ----

  [[nodiscard]] std::string erase_bars() {
    std::string text;
    for (; bars > 0; --bars) text += "\x1b[1A\x1b[2K";
    return text;
  }

  [[nodiscard]] std::string draw_bars() {
    const Result<winsize> size = kernel::get_window_size(out);
    const std::size_t columns = size && size->ws_col > 20 ? size->ws_col - 1U : 79;
    const std::size_t rows = size && size->ws_row > 5 ? size->ws_row - 3U : 20;
    std::string text;
    std::size_t running = 0;
    for (const Item &item : items) {
      if (item.over || ++running > rows) continue;
      text += format_bar({.id = item.id, .status = item.status, .current = item.current, .total = item.total}, columns);
      text += '\n';
      ++bars;
    }
    if (running > 1) {
      text += format_bar(total_line(), columns) + "\n";
      ++bars;
    }
    return text;
  }

  [[nodiscard]] BarLine total_line() const {
    BarLine line{.id = "total", .status = {}};
    for (const Item &item : items) {
      line.current += item.current;
      line.total += item.total;
    }
    const std::chrono::duration<double> seconds = Clock::now() - begun;
    if (seconds.count() > 0.5) {
      line.per_second = static_cast<std::uint64_t>(static_cast<double>(line.current) / seconds.count());
    }
    return line;
  }

  void redraw(std::string_view above, bool now) {
    const auto time = Clock::now();
    if (!now && time - drawn < shortest_pause) return;
    drawn = time;
    std::string text = erase_bars();
    text += above;
    text += draw_bars();
    write(text);
  }

  // ---- one change of an item, in each mode ----

  // `now`: its status has changed.
  void show(Item &item, bool now) {
    switch (mode) {
      case ProgressMode::bars:
        redraw(item.over ? fmt::format("{:<12}  {}\n", item.id, item.status) : "", now);
        return;
      case ProgressMode::plain:
        if (now) write(fmt::format("{}: {}\n", item.id, item.status));
        return;
      case ProgressMode::json: {
        const auto time = Clock::now();
        if (!now && time - item.shown < shortest_pause) return;
        item.shown = time;
        write(format_json(item.id, item.status, item.current, item.total));
        return;
      }
      default:
        return;
    }
  }

  void finish(std::size_t index, std::string_view words) {
    const std::lock_guard lock(mutex);
    Item &item = items[index];
    if (item.over) return;
    item.over = true;
    item.status = words;
    show(item, true);
  }

  ProgressMode mode;
  kernel::FdView out;
  std::mutex mutex;
  std::vector<Item> items;
  std::size_t bars = 0;  // lines that are on the screen now
  Clock::time_point begun = Clock::now();
  Clock::time_point drawn;
};

Progress::Progress(ProgressMode mode, kernel::FdView out) : state_(std::make_unique<State>(mode, out)) {}

// The bars of what was not finished go: an error is what comes next.
Progress::~Progress() {
  if (state_->bars > 0) state_->write(state_->erase_bars());
}

ProgressItem Progress::begin(std::string_view id, std::string_view status, std::uint64_t total) {
  const std::lock_guard lock(state_->mutex);
  state_->items.push_back(
      {.id = std::string(id), .status = std::string(status), .current = 0, .total = total, .over = false, .shown = {}});
  state_->show(state_->items.back(), true);
  return {this, state_->items.size() - 1};
}

void Progress::say(std::string_view line) {
  const std::lock_guard lock(state_->mutex);
  switch (state_->mode) {
    case ProgressMode::bars:
      state_->redraw(fmt::format("{}\n", line), true);
      return;
    case ProgressMode::plain:
      state_->write(fmt::format("{}\n", line));
      return;
    case ProgressMode::json:
      state_->write(format_json({}, line, 0, 0));
      return;
    default:
      return;
  }
}

ProgressItem::ProgressItem(ProgressItem &&other) noexcept
    : progress_(std::exchange(other.progress_, nullptr)), index_(other.index_) {}

ProgressItem &ProgressItem::operator=(ProgressItem &&other) noexcept {
  if (this == &other) return *this;
  if (progress_ != nullptr) progress_->state_->finish(index_, "Failed");
  progress_ = std::exchange(other.progress_, nullptr);
  index_ = other.index_;
  return *this;
}

ProgressItem::~ProgressItem() {
  if (progress_ != nullptr) progress_->state_->finish(index_, "Failed");
}

void ProgressItem::advance(std::uint64_t bytes) {
  if (progress_ == nullptr) return;
  Progress::State &state = *progress_->state_;
  const std::lock_guard lock(state.mutex);
  Item &item = state.items[index_];
  item.current += bytes;
  if (!item.over) state.show(item, false);
}

void ProgressItem::status(std::string_view words) {
  if (progress_ == nullptr) return;
  Progress::State &state = *progress_->state_;
  const std::lock_guard lock(state.mutex);
  Item &item = state.items[index_];
  if (item.over || item.status == words) return;
  item.status = words;
  state.show(item, state.mode != ProgressMode::plain);  // there, a line at the start and one at the end
}

void ProgressItem::done(std::string_view words) {
  if (progress_ != nullptr) progress_->state_->finish(index_, words);
  progress_ = nullptr;
}

}  // namespace skiff::image
