#include "compose/dashboard.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <optional>

#include "compose/log_reader.h"
#include "runtime/kernel/inotify.h"
#include "runtime/kernel/tty.h"

namespace skiff::compose {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds tick{1};
constexpr std::chrono::seconds shell_patience{3};
constexpr std::uint64_t log_lines_at_first = 500;
constexpr std::size_t log_lines_at_once = 5000;
constexpr std::chrono::milliseconds log_pause{100};
constexpr std::size_t longest_error = 65536;

// A command that runs for a wish; what it says is kept for when it fails.
struct Action {
  Wish wish;
  kernel::Child child;
  kernel::Fd said;
  std::string text;
  bool over = false;
};

class Dashboard {
 public:
  Dashboard(const Engine &engine, const DashboardOptions &options, TerminalScreen screen)
      : engine_(engine), options_(options), screen_(std::move(screen)), model_(options.title, screen_.canvas()) {}
  Status prepare();
  Result<int> run();

 private:
  Status refresh();
  Status sample();
  Status follow_log();
  Status read_log();
  [[nodiscard]] std::vector<pollfd> events() const;
  Status take_events(const std::vector<pollfd> &events);
  Status take_keys();
  Status take_signal();
  Status take_notices();
  Status fulfil(const Wish &wish);
  Status begin(const Wish &wish);
  Status open_shell(const std::string &id);
  Status wait_for_shell(kernel::Child &shell);
  void hear(Action &action);
  void end(Action &action);

  const Engine &engine_;
  const DashboardOptions &options_;
  TerminalScreen screen_;
  DashboardModel model_;
  std::vector<Container> containers_;
  kernel::Fd signals_;
  kernel::Fd notices_;  // of DATA/events
  std::string followed_;
  std::optional<LogReader> log_;
  Clock::time_point log_rests_until_;
  bool log_has_more_ = false;
  std::deque<Action> actions_;
  Clock::time_point next_tick_ = Clock::now();
  bool changed_ = true;  // something happened to a container
  std::optional<int> code_;
};

Status Dashboard::prepare() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH}) ::sigaddset(&set, number);
  TRY(kernel::block_signals(set));
  signals_ = TRY(kernel::signalfd(set, SFD_NONBLOCK));
  notices_ = TRY(kernel::inotify_init1());
  // Whatever happens to a container is written down in its `events`.
  const std::string &folder = engine_.places.data;
  TRY(kernel::inotify_add_watch(notices_, folder, IN_MODIFY | IN_CREATE | IN_MOVED_TO));
  return {};
}

Status Dashboard::refresh() {
  changed_ = false;
  containers_ = TRY(options_.list());
  model_.set_containers(containers_, options_.short_names);
  for (const Action &action : actions_) model_.set_busy(action.wish.id, wish_progress(action.wish.kind));
  return {};
}

Status Dashboard::sample() {
  for (const Container &container : containers_) {
    if (!container.state.is_running()) continue;
    // One that has just ended has none.
    const Result<UsageSample> used = sample_usage(engine_, container);
    model_.set_usage(container.id(), used ? std::optional(*used) : std::nullopt);
  }
  const std::time_t now = ::time(nullptr);
  tm parts{};
  ::localtime_r(&now, &parts);
  model_.set_time(now, fmt::format("{:02}:{:02}:{:02}", parts.tm_hour, parts.tm_min, parts.tm_sec));
  return {};
}

Status Dashboard::follow_log() {
  if (model_.followed() == followed_) return {};
  followed_ = model_.followed();
  log_.reset();
  log_has_more_ = false;
  if (followed_.empty()) return {};
  Result<LogReader> reader = LogReader::open(engine_.places.directory(followed_) + "/log", log_lines_at_first);
  if (!reader) {
    model_.set_message(reader.error().message());
    return {};
  }
  log_ = std::move(*reader);
  return read_log();
}

// A container that writes without end is drawn a few times a second, and keys have their turn.
Status Dashboard::read_log() {
  log_rests_until_ = Clock::now() + log_pause;
  log_->forget();
  for (std::size_t i = 0; i < log_lines_at_once; ++i) {
    const std::optional<LogEntry> entry = TRY(log_->next());
    log_has_more_ = entry.has_value();
    if (!entry) break;
    model_.add_log(entry->text);
  }
  return {};
}

std::vector<pollfd> Dashboard::events() const {
  std::vector<pollfd> events = {{0, POLLIN, 0}, {signals_.get(), POLLIN, 0}, {notices_.get(), POLLIN, 0}};
  const bool reads_log = log_ && Clock::now() >= log_rests_until_;
  events.push_back({reads_log ? log_->fd().get() : -1, POLLIN, 0});
  for (const Action &action : actions_) {
    // The end is known when all that it said is heard.
    const bool speaks = action.said.valid();
    events.push_back({speaks ? action.said.get() : action.child.pidfd().get(), POLLIN, 0});
  }
  return events;
}

void Dashboard::hear(Action &action) {
  std::array<char, 4096> buffer;
  const Result<std::size_t> count = kernel::read_some(action.said, buffer);
  if (!count || *count == 0) {
    action.said.reset();
    return;
  }
  if (action.text.size() < longest_error) action.text.append(buffer.data(), *count);
}

void Dashboard::end(Action &action) {
  const Result<kernel::ExitStatus> status = action.child.wait();
  const int code = status ? status->shell_code() : 255;
  action.over = true;
  model_.set_busy(action.wish.id, "");
  changed_ = true;
  if (code == 0) return;
  const std::string_view command = wish_command(action.wish.kind);
  model_.set_message(action.text.empty() ? fmt::format("{}: exit code {}", command, code) : action.text);
}

Status Dashboard::take_notices() {
  return kernel::read_notices(notices_, [&](const kernel::Notice &notice) -> Status {
    changed_ = changed_ || notice.name.empty() || notice.name == "events";
    return {};
  });
}

Status Dashboard::take_signal() {
  signalfd_siginfo info{};
  TRY(kernel::read_some(signals_, {reinterpret_cast<char *>(&info), sizeof info}));
  const int number = static_cast<int>(info.ssi_signo);
  if (number == SIGWINCH) {
    model_.resize(screen_.canvas());
  } else {
    code_ = 128 + number;
  }
  return {};
}

// No program of ours hears a signal of the terminal: each has a session of its own but for the shell.
Status Dashboard::begin(const Wish &wish) {
  // A key that is held down is one wish; another one, such as a kill of what does not stop, need not wait.
  const auto same = [&](const Action &one) { return one.wish.id == wish.id && one.wish.kind == wish.kind; };
  if (std::ranges::any_of(actions_, same)) return {};
  kernel::Pipe said = TRY(kernel::pipe2());
  Words words = engine_.run_self({"--no-project", std::string(wish_command(wish.kind)), wish.id});
  kernel::Child child = TRY(start_program(words, {.err = said.write}));
  actions_.push_back(
      {.wish = wish, .child = std::move(child), .said = std::move(said.read), .text = {}, .over = false});
  model_.set_busy(wish.id, wish_progress(wish.kind));
  return {};
}

// The terminal's own signals are meant for what runs in it. Those that end us it hears of as of a terminal that is
// gone, and has a moment to end.
Status Dashboard::wait_for_shell(kernel::Child &shell) {
  while (!code_) {
    std::array<pollfd, 2> events = {{{shell.pidfd().get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}}};
    TRY(kernel::poll(events, kernel::forever));
    if (events[1].revents != 0) TRY(take_signal());
    if (code_ == 128 + SIGINT || code_ == 128 + SIGQUIT) code_.reset();
    if (events[0].revents != 0) return {};
  }
  TRY(kernel::pidfd_send_signal(shell.pidfd(), SIGHUP));
  TRY(kernel::wait_readable(shell.pidfd(), shell_patience));
  return {};
}

Status Dashboard::open_shell(const std::string &id) {
  const Words words = engine_.run_self(
      {"--no-project", "exec", "-it", id, "sh", "-c", "command -v bash >/dev/null 2>&1 && exec bash; exec sh"});
  screen_.leave("\nThe end of this shell comes back to the dashboard.\n");
  Result<kernel::Child> shell =
      start_program(words, {.in = kernel::FdView(0), .out = kernel::FdView(1), .err = kernel::FdView(2)});
  const Status waited = shell ? wait_for_shell(*shell) : std::unexpected(shell.error());
  if (code_) return {};
  screen_.come_back();
  model_.resize(screen_.canvas());
  changed_ = true;
  TRY(Status(waited));
  const int code = TRY(shell->wait()).shell_code();
  // What it said is not to be seen any more, and a shell ends with the code of its last command.
  if (code == 126 || code == 127) model_.set_message("exec: there is no shell in this container that can be run");
  return {};
}

Status Dashboard::fulfil(const Wish &wish) {
  switch (wish.kind) {
    case Wish::Kind::none:
      return {};
    case Wish::Kind::quit:
      code_ = 0;
      return {};
    case Wish::Kind::shell:
      return open_shell(wish.id);
    default:
      return begin(wish);
  }
}

Status Dashboard::take_keys() {
  while (!code_) {
    const KeyPress press = screen_.read_key();
    if (press.key == Key::none) return {};
    const Status done = fulfil(model_.press(press));
    if (!done) model_.set_message(done.error().message());
  }
  return {};
}

Status Dashboard::take_events(const std::vector<pollfd> &events) {
  if (events[1].revents != 0) TRY(take_signal());
  // A terminal that is gone.
  if ((events[0].revents & (POLLHUP | POLLERR)) != 0) code_ = 128 + SIGHUP;
  if (events[2].revents != 0) TRY(take_notices());
  const bool reads_log = log_has_more_ && log_ && Clock::now() >= log_rests_until_;
  if (events[3].revents != 0 || reads_log) TRY(read_log());
  for (std::size_t i = 0; i < actions_.size(); ++i) {
    if (events[4 + i].revents == 0) continue;
    if (actions_[i].said.valid()) {
      hear(actions_[i]);
    } else {
      end(actions_[i]);
    }
  }
  std::erase_if(actions_, [](const Action &action) { return action.over; });
  if (events[0].revents != 0) TRY(take_keys());
  return {};
}

Result<int> Dashboard::run() {
  TRY(refresh());
  while (!code_) {
    const bool ticks = Clock::now() >= next_tick_;
    // What nobody writes down, such as a pause from elsewhere, is seen with the next second.
    if (changed_ || ticks) {
      const Status refreshed = refresh();
      if (!refreshed) model_.set_message(refreshed.error().message());
    }
    if (ticks) {
      TRY(sample());
      next_tick_ = std::max(next_tick_ + tick, Clock::now());
    }
    TRY(follow_log());
    screen_.show(model_.picture());
    const bool rests = log_ && Clock::now() < log_rests_until_;
    const Clock::time_point next = rests ? std::min(next_tick_, log_rests_until_) : next_tick_;
    const auto patience = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
    std::vector<pollfd> waiting = events();
    TRY(kernel::poll(waiting, std::max(patience, std::chrono::milliseconds(0))));
    TRY(take_events(waiting));
  }
  return *code_;
}

}  // namespace

Result<int> run_dashboard(const Engine &engine, const DashboardOptions &options) {
  Dashboard dashboard(engine, options, TRY(TerminalScreen::open(options.screen)));
  TRY(dashboard.prepare());
  return dashboard.run();
}

}  // namespace skiff::compose
