#include "compose/dashboard_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "compose/log_view.h"

namespace skiff::compose {
namespace {

using Phase = ContainerState::Phase;

constexpr std::size_t kept_log_lines = 2000;
constexpr std::size_t page = 10;

struct WishWords {
  std::string_view command;
  std::string_view progress;
};
constexpr std::array<WishWords, 9> wish_words = {{{"", ""},
                                                  {"", ""},
                                                  {"stop", "stopping"},
                                                  {"start", "starting"},
                                                  {"restart", "restarting"},
                                                  {"kill", "killing"},
                                                  {"pause", "pausing"},
                                                  {"unpause", "resuming"},
                                                  {"exec", ""}}};

bool contains_all(const DashboardRow &row, std::string_view words) {
  const ContainerRecord &record = row.container.record;
  const std::string text = fmt::format("{} {} {} {}", row.name, record.image, phase_name(row.container.state.phase),
                                       row.container.state.health);
  return text.find(words) != std::string::npos;
}

}  // namespace

std::string_view wish_command(Wish::Kind kind) { return wish_words[static_cast<std::size_t>(kind)].command; }
std::string_view wish_progress(Wish::Kind kind) { return wish_words[static_cast<std::size_t>(kind)].progress; }

void DashboardModel::set_time(std::int64_t now, std::string clock) {
  now_ = now;
  clock_ = std::move(clock);
}

void DashboardModel::set_containers(std::vector<Container> containers, bool short_names) {
  std::map<std::string, DashboardRow> rows;
  for (Container &container : containers) {
    const std::string id = container.id();
    const auto before = rows_.find(id);
    DashboardRow row = before == rows_.end() ? DashboardRow() : std::move(before->second);
    row.name = short_names ? short_name(container.record) : container.record.name;
    row.container = std::move(container);
    if (!row.container.state.is_running()) row.usage.end();
    rows.emplace(id, std::move(row));
  }
  rows_ = std::move(rows);
  // What is shown in full may be gone by now.
  if (!rows_.contains(selected_)) {
    view_ = View::list;
    selected_.clear();
  }
}

void DashboardModel::set_usage(const std::string &id, const std::optional<UsageSample> &sample) {
  const auto row = rows_.find(id);
  if (row == rows_.end()) return;
  if (sample) {
    row->second.usage.take(*sample);
  } else {
    row->second.usage.end();
  }
}

void DashboardModel::set_busy(const std::string &id, std::string_view progress) {
  const auto row = rows_.find(id);
  if (row != rows_.end()) row->second.busy = progress;
}

std::vector<const DashboardRow *> DashboardModel::visible() const {
  std::vector<const DashboardRow *> rows;
  for (const auto &[id, row] : rows_) {
    if (contains_all(row, filter_)) rows.push_back(&row);
  }
  sort_rows(rows, sort_);
  return rows;
}

const DashboardRow *DashboardModel::selected() const {
  if (const auto found = rows_.find(selected_); found != rows_.end()) {
    if (view_ != View::list || contains_all(found->second, filter_)) return &found->second;
  }
  const std::vector<const DashboardRow *> rows = visible();
  return rows.empty() ? nullptr : rows[std::min(position_, rows.size() - 1)];
}

std::string DashboardModel::followed() const {
  if (view_ == View::list) return {};
  const DashboardRow *row = selected();
  return row == nullptr ? std::string() : row->container.id();
}

void DashboardModel::add_log(std::string_view line) {
  if (log_.size() == kept_log_lines) log_.pop_front();
  while (line.ends_with('\n')) line.remove_suffix(1);
  log_.push_back(screen_text(line, canvas_));
  // What is looked at stays where it is.
  if (log_up_ > 0) log_up_ += wrap_text(log_.back(), canvas_.columns).size();
}

void DashboardModel::open(View view) {
  const std::string whose = followed();
  // It stays the one that is shown, whatever the others do.
  if (const DashboardRow *row = selected()) selected_ = row->container.id();
  if (view == View::logs) before_ = view_;
  view_ = view;
  if (followed() != whose) log_.clear();
  log_up_ = 0;
}

void DashboardModel::leave_view() {
  if (view_ == View::list) {
    filter_.clear();
    return;
  }
  open(view_ == View::detail ? View::list : before_);
}

void DashboardModel::move(const KeyPress &press) {
  const std::vector<const DashboardRow *> rows = visible();
  if (rows.empty()) return;
  const DashboardRow *now = selected();
  auto at = static_cast<std::size_t>(std::ranges::find(rows, now) - rows.begin());
  const std::size_t last = rows.size() - 1;
  at = std::min(at, last);
  switch (press.key) {
    case Key::up:
      at -= at > 0 ? 1 : 0;
      break;
    case Key::down:
      at = std::min(at + 1, last);
      break;
    case Key::page_up:
      at -= std::min(at, page);
      break;
    case Key::page_down:
      at = std::min(at + page, last);
      break;
    case Key::home:
      at = 0;
      break;
    case Key::end:
      at = last;
      break;
    default:
      break;
  }
  position_ = at;
  selected_ = rows[at]->container.id();
}

void DashboardModel::scroll(const KeyPress &press) {
  std::size_t all = 0;
  for (const std::string &line : log_) all += wrap_text(line, canvas_.columns).size();
  switch (press.key) {
    case Key::up:
      ++log_up_;
      break;
    case Key::page_up:
      log_up_ += page;
      break;
    case Key::home:
      log_up_ = all;
      break;
    case Key::down:
      log_up_ -= std::min<std::size_t>(log_up_, 1);
      break;
    case Key::page_down:
      log_up_ -= std::min(log_up_, page);
      break;
    default:
      log_up_ = 0;
  }
  log_up_ = std::min(log_up_, all > 0 ? all - 1 : 0);
}

Wish DashboardModel::wish_for(Wish::Kind kind) const {
  const DashboardRow *row = selected();
  if (row == nullptr) return {};
  if (kind == Wish::Kind::pause && row->container.state.phase == Phase::paused) kind = Wish::Kind::unpause;
  return {.kind = kind, .id = row->container.id()};
}

Wish DashboardModel::press_in_prompt(const KeyPress &press) {
  if (prompt_ == Prompt::kill) {
    prompt_ = Prompt::none;
    return press.letter == 'y' || press.letter == 'Y' ? wish_for(Wish::Kind::kill) : Wish{};
  }
  if (press.key == Key::letter) filter_ += press.letter;
  if (press.key == Key::backspace && !filter_.empty()) filter_.pop_back();
  if (press.key == Key::escape) filter_.clear();
  if (press.key == Key::enter || press.key == Key::escape) prompt_ = Prompt::none;
  position_ = 0;
  return {};
}

Wish DashboardModel::press_letter(char letter) {
  switch (letter) {
    case 'q':
      return {.kind = Wish::Kind::quit, .id = {}};
    case 'j':
    case 'k':
    case 'g':
    case 'G': {
      const Key key = letter == 'j' ? Key::down : letter == 'k' ? Key::up : letter == 'g' ? Key::home : Key::end;
      return press({.key = key, .letter = 0});
    }
    case 'l':
      if (view_ != View::logs && selected() != nullptr) open(View::logs);
      return {};
    case 's':
      return wish_for(Wish::Kind::stop);
    case 'S':
      return wish_for(Wish::Kind::start);
    case 'r':
      return wish_for(Wish::Kind::restart);
    case 'p':
      return wish_for(Wish::Kind::pause);
    case 'e':
      return wish_for(Wish::Kind::shell);
    case 'K':
      if (selected() != nullptr) prompt_ = Prompt::kill;
      return {};
    case '/':
      if (view_ == View::list) prompt_ = Prompt::filter;
      return {};
    case 'o':
      sort_ = static_cast<SortKey>((static_cast<std::uint8_t>(sort_) + 1) % sort_key_count);
      return {};
    case '?':
      help_ = true;
      return {};
    default:
      return {};
  }
}

Wish DashboardModel::press(const KeyPress &press) {
  if (press.key == Key::none) return {};
  if (prompt_ != Prompt::none) return press_in_prompt(press);
  // The first key after an error takes it away, and does what it does.
  const bool had_message = !message_.empty();
  message_.clear();
  if (help_) {
    help_ = false;
    return {};
  }
  switch (press.key) {
    case Key::letter:
      return press_letter(press.letter);
    case Key::enter:
      if (view_ == View::list && selected() != nullptr) open(View::detail);
      return {};
    case Key::escape:
    case Key::backspace:
      if (!had_message) leave_view();
      return {};
    default:
      if (view_ == View::list) {
        move(press);
      } else {
        scroll(press);
      }
      return {};
  }
}

}  // namespace skiff::compose
