#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "compose/dashboard_model.h"
#include "compose/show_text.h"
#include "runtime/cli/width.h"

namespace skiff::compose {
namespace {

struct KeyHelp {
  std::string_view keys;
  std::string_view text;
};
constexpr std::array<KeyHelp, 15> help = {{{"Up Down j k", "one container, or one line of the log, up or down"},
                                           {"PgUp PgDn", "ten at once"},
                                           {"Home End g G", "the first and the last; End follows a log again"},
                                           {"Enter", "everything about one container, with its log"},
                                           {"l", "its log alone"},
                                           {"s", "stop it"},
                                           {"S", "start it"},
                                           {"r", "restart it"},
                                           {"K", "kill it, after a question"},
                                           {"p", "pause it, or let it go on"},
                                           {"e", "a shell in it; its end comes back here"},
                                           {"/", "show those alone whose name, image or state has these letters"},
                                           {"o", "sort by the next column"},
                                           {"Esc", "back; in the list it clears what / has set"},
                                           {"q", "quit"}}};

struct KeyWord {
  std::string_view key;
  std::string_view word;
};
constexpr std::array<KeyWord, 12> list_keys = {{{"q", "quit"},
                                                {"?", "help"},
                                                {"Enter", "detail"},
                                                {"l", "logs"},
                                                {"s", "stop"},
                                                {"S", "start"},
                                                {"r", "restart"},
                                                {"e", "shell"},
                                                {"/", "filter"},
                                                {"o", "sort"},
                                                {"p", "pause"},
                                                {"K", "kill"}}};
constexpr std::array<KeyWord, 9> one_keys = {{{"q", "quit"},
                                              {"?", "help"},
                                              {"Esc", "back"},
                                              {"l", "logs"},
                                              {"s", "stop"},
                                              {"S", "start"},
                                              {"r", "restart"},
                                              {"e", "shell"},
                                              {"K", "kill"}}};

PictureLine key_line(std::span<const KeyWord> keys, const Canvas &canvas) {
  PictureLine line;
  std::size_t width = 0;
  for (const KeyWord &one : keys) {
    const std::string_view gap = width == 0 ? "" : "  ";
    width += gap.size() + one.key.size() + 1 + one.word.size();
    // The last column of the last line is one that some terminals scroll at.
    if (width >= canvas.columns) break;
    line.spans.push_back({.text = fmt::format("{}{}", gap, one.key), .tone = Tone::key});
    line.spans.push_back({.text = fmt::format(" {}", one.word), .tone = Tone::faint});
  }
  return line;
}

PictureLine fact(std::string_view name, std::string text, Tone tone = Tone::plain) {
  return {
      .spans = {{.text = fmt::format("{:<11}", name), .tone = Tone::faint}, {.text = std::move(text), .tone = tone}},
      .reversed = false};
}

std::string both(std::string_view one_name, std::uint64_t one, double one_rate, std::string_view other_name,
                 std::uint64_t other, double other_rate) {
  return fmt::format("{} {} ({}/s)   {} {} ({}/s)", one_name, decimal_size_text(one),
                     decimal_size_text(static_cast<std::uint64_t>(one_rate)), other_name, decimal_size_text(other),
                     decimal_size_text(static_cast<std::uint64_t>(other_rate)));
}

void add_usage(const UsageTrend &usage, const Canvas &canvas, std::vector<PictureLine> &lines) {
  if (!usage.now) return;
  const UsageSample &used = *usage.now;
  const std::size_t room = canvas.columns > 50 ? std::min<std::size_t>(canvas.columns - 47, 60) : 0;
  const auto with_history = [&](std::string_view name, const std::string &text, const std::vector<double> &history) {
    PictureLine line = fact(name, fmt::format("{:<32}", text));
    line.spans.push_back({.text = spark_line(history, room, canvas), .tone = Tone::good});
    lines.push_back(std::move(line));
  };
  with_history("CPU", fmt::format("{:.1f} %", usage.cpu), usage.cpu_history);
  const double share =
      used.memory_limit == 0 ? 0 : 100.0 * static_cast<double>(used.memory) / static_cast<double>(used.memory_limit);
  with_history(
      "Memory",
      fmt::format("{} of {} ({:.1f} %)", binary_size_text(used.memory), binary_size_text(used.memory_limit), share),
      usage.memory_history);
  lines.push_back(fact("Network", both("in", used.received, usage.received, "out", used.sent, usage.sent)));
  lines.push_back(fact("Disk", both("read", used.read, usage.read, "written", used.written, usage.written)));
  lines.push_back(fact("Processes", std::to_string(used.processes)));
}

std::string names_of_networks(const ContainerRecord &record) {
  std::string text = record.network_mode;
  for (const Attachment &one : record.networks) text += (text.empty() ? "" : ", ") + one.network;
  return text;
}

std::vector<PictureLine> facts_of(const DashboardRow &row, const Canvas &canvas) {
  const ContainerRecord &record = row.container.record;
  const ContainerState &state = row.container.state;
  std::vector<PictureLine> lines;
  PictureLine head = line_of(screen_text(record.name, canvas) + "  ", Tone::title);
  head.spans.push_back(state_span(row, canvas));
  head.spans.push_back({.text = "  " + status_text(state), .tone = Tone::faint});
  lines.push_back(std::move(head));
  const auto add = [&](std::string_view name, const std::string &text, Tone tone = Tone::plain) {
    if (!text.empty()) lines.push_back(fact(name, screen_text(text, canvas), tone));
  };
  add_usage(row.usage, canvas, lines);
  add("Error", state.run.error, Tone::bad);
  add("Image", record.image.empty() ? record.rootfs : record.image);
  add("Command", command_text(record));
  add("Ports", ports_text(record));
  add("Networks", names_of_networks(record));
  if (state.run.restarts > 0) add("Restarts", std::to_string(state.run.restarts));
  add("Id", row.container.short_id(), Tone::faint);
  return lines;
}

}  // namespace

PictureLine DashboardModel::title_line() const {
  std::size_t running = 0;
  double cpu = 0;
  std::uint64_t memory = 0;
  for (const auto &[id, row] : rows_) {
    running += row.container.state.is_running() ? 1 : 0;
    cpu += row.usage.cpu;
    memory += row.usage.now ? row.usage.now->memory : 0;
  }
  const std::string left = fmt::format(" {}  {} of {} running", title_, running, rows_.size());
  const std::string right = fmt::format("CPU {:.1f} %  {}  {} ", cpu, binary_size_text(memory), clock_);
  const std::size_t used = cli::width_of(left) + cli::width_of(right);
  PictureLine line = line_of(left, Tone::title);
  if (used + 2 <= canvas_.columns) {
    line.spans.push_back({.text = std::string(canvas_.columns - used, ' ') + right, .tone = Tone::title});
  }
  line.reversed = true;
  return line;
}

std::vector<PictureLine> DashboardModel::list_body(std::size_t rows) const {
  const std::vector<const DashboardRow *> shown = visible();
  std::vector<PictureLine> all = container_table(shown, sort_, now_, canvas_);
  if (shown.empty()) {
    const char *why = rows_.empty() ? "There is no container." : "No container has these letters; Esc shows all.";
    return {line_of(why, Tone::faint)};
  }
  const auto at = static_cast<std::size_t>(std::ranges::find(shown, selected()) - shown.begin());
  if (at < shown.size()) all[at + 1].reversed = true;
  // The heading stays, the rest moves so that the selected one is seen.
  const std::size_t room = rows > 1 ? rows - 1 : 0;
  const std::size_t first = at >= room && room > 0 ? at - room + 1 : 0;
  all.erase(all.begin() + 1, all.begin() + 1 + static_cast<std::ptrdiff_t>(first));
  return all;
}

std::vector<PictureLine> DashboardModel::log_body(std::size_t rows) const {
  std::vector<PictureLine> lines;
  std::size_t skip = log_up_;
  for (auto line = log_.rbegin(); line != log_.rend() && lines.size() < rows; ++line) {
    const std::vector<std::string> pieces = wrap_text(*line, canvas_.columns);
    for (auto piece = pieces.rbegin(); piece != pieces.rend() && lines.size() < rows; ++piece) {
      if (skip > 0) {
        --skip;
      } else {
        lines.push_back(line_of(*piece));
      }
    }
  }
  std::ranges::reverse(lines);
  return lines;
}

std::vector<PictureLine> DashboardModel::detail_body(std::size_t rows) const {
  const DashboardRow *row = selected();
  if (row == nullptr) return {line_of("It is gone.", Tone::faint)};
  std::vector<PictureLine> lines;
  if (view_ == View::detail) {
    lines = facts_of(*row, canvas_);
    // Something of the log is always to be seen.
    if (lines.size() + 4 > rows) lines.resize(rows > 4 ? rows - 4 : 1);
  }
  const std::string title = view_ == View::logs ? "Log of " + screen_text(row->name, canvas_) : "Log";
  lines.push_back(rule_line(log_up_ > 0 ? title + " (End follows it again)" : title, canvas_));
  const std::vector<PictureLine> log = log_body(rows > lines.size() ? rows - lines.size() : 0);
  if (log.empty() && log_.empty()) lines.push_back(line_of("It has written nothing.", Tone::faint));
  lines.insert(lines.end(), log.begin(), log.end());
  return lines;
}

std::vector<PictureLine> DashboardModel::help_body() const {
  std::vector<PictureLine> lines = {rule_line("Keys", canvas_)};
  for (const KeyHelp &one : help) {
    lines.push_back({.spans = {{.text = fmt::format(" {:<13}", one.keys), .tone = Tone::key},
                               {.text = std::string(one.text), .tone = Tone::plain}},
                     .reversed = false});
  }
  return lines;
}

std::vector<PictureLine> DashboardModel::body(std::size_t rows) const {
  if (help_) return help_body();
  return view_ == View::list ? list_body(rows) : detail_body(rows);
}

std::vector<PictureLine> DashboardModel::message_lines() const {
  std::vector<PictureLine> lines;
  std::string_view rest = message_;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    for (std::string &piece : wrap_text(screen_text(line, canvas_), canvas_.columns)) {
      lines.push_back(line_of(std::move(piece), Tone::bad));
    }
  }
  // Of an error that is longer than the screen the beginning says most.
  const std::size_t most = canvas_.rows > 4 ? canvas_.rows - 4 : 1;
  if (lines.size() > most) lines.resize(most);
  return lines;
}

PictureLine DashboardModel::footer() const {
  const DashboardRow *row = selected();
  if (prompt_ == Prompt::kill && row != nullptr) {
    return line_of(fmt::format("Kill {}? y or n", screen_text(row->name, canvas_)), Tone::warning);
  }
  if (prompt_ == Prompt::filter) {
    return {.spans = {{.text = "Filter: ", .tone = Tone::key}, {.text = filter_ + "_", .tone = Tone::plain}},
            .reversed = false};
  }
  if (view_ != View::list) return key_line(one_keys, canvas_);
  if (filter_.empty()) return key_line(list_keys, canvas_);
  return {.spans = {{.text = "Filter: ", .tone = Tone::key},
                    {.text = filter_, .tone = Tone::plain},
                    {.text = "   Esc clears it", .tone = Tone::faint}},
          .reversed = false};
}

Picture DashboardModel::picture() const {
  const std::vector<PictureLine> message = message_lines();
  const std::size_t around = 2 + message.size();
  const std::size_t rows = canvas_.rows > around ? canvas_.rows - around : 0;
  Picture picture{.lines = {title_line()}};
  std::vector<PictureLine> middle = body(rows);
  middle.resize(rows);
  picture.lines.insert(picture.lines.end(), middle.begin(), middle.end());
  picture.lines.insert(picture.lines.end(), message.begin(), message.end());
  picture.lines.push_back(footer());
  picture.lines.resize(canvas_.rows);
  for (PictureLine &line : picture.lines) fit_line(line, canvas_);
  return picture;
}

}  // namespace skiff::compose
