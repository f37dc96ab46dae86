// What the dashboard shows and what a key does to it: values alone. The loop (dashboard.cc) gives it containers, log
// lines and keys, and does what it wishes.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "compose/dashboard_table.h"
#include "compose/picture.h"

namespace skiff::compose {

enum class Key : std::uint8_t { none, letter, up, down, page_up, page_down, home, end, enter, escape, backspace };
struct KeyPress {
  Key key = Key::none;
  char letter = 0;  // of Key::letter
};

// What the user wants done to a container.
struct Wish {
  enum class Kind : std::uint8_t { none, quit, stop, start, restart, kill, pause, unpause, shell };
  Kind kind = Kind::none;
  std::string id;
};
// "stop", "stopping": the command's name and what it is doing.
[[nodiscard]] std::string_view wish_command(Wish::Kind kind);
[[nodiscard]] std::string_view wish_progress(Wish::Kind kind);

class DashboardModel {
 public:
  // `title`: "project shop" or "all containers"
  DashboardModel(std::string title, const Canvas &canvas) : title_(std::move(title)), canvas_(canvas) {}

  void resize(const Canvas &canvas) { canvas_ = canvas; }
  // `now`: seconds since the epoch; `clock`: how it is shown.
  void set_time(std::int64_t now, std::string clock);
  // In place of those that there were; usage of those that stay is kept. The names are short in a project.
  void set_containers(std::vector<Container> containers, bool short_names);
  // None: it does not run.
  void set_usage(const std::string &id, const std::optional<UsageSample> &sample);
  // "" where nothing of ours is under way any more.
  void set_busy(const std::string &id, std::string_view progress);
  // Shown at the bottom, whole, until the next key.
  void set_message(std::string text) { message_ = std::move(text); }

  // Whose log is to be followed; empty: nobody's. A change empties what was added.
  [[nodiscard]] std::string followed() const;
  void add_log(std::string_view line);

  [[nodiscard]] Wish press(const KeyPress &press);
  [[nodiscard]] Picture picture() const;

 private:
  enum class View : std::uint8_t { list, detail, logs };
  enum class Prompt : std::uint8_t { none, filter, kill };

  [[nodiscard]] std::vector<const DashboardRow *> visible() const;
  [[nodiscard]] const DashboardRow *selected() const;
  [[nodiscard]] Wish press_in_prompt(const KeyPress &press);
  [[nodiscard]] Wish press_letter(char letter);
  [[nodiscard]] Wish wish_for(Wish::Kind kind) const;
  void move(const KeyPress &press);
  void scroll(const KeyPress &press);
  void open(View view);
  void leave_view();

  [[nodiscard]] PictureLine title_line() const;
  [[nodiscard]] std::vector<PictureLine> list_body(std::size_t rows) const;
  [[nodiscard]] std::vector<PictureLine> detail_body(std::size_t rows) const;
  [[nodiscard]] std::vector<PictureLine> log_body(std::size_t rows) const;
  [[nodiscard]] std::vector<PictureLine> help_body() const;
  [[nodiscard]] std::vector<PictureLine> body(std::size_t rows) const;
  [[nodiscard]] std::vector<PictureLine> message_lines() const;
  [[nodiscard]] PictureLine footer() const;

  std::string title_;
  Canvas canvas_;
  std::int64_t now_ = 0;
  std::string clock_;
  std::map<std::string, DashboardRow> rows_;  // by id
  std::string selected_;                      // its id; empty: the first
  std::size_t position_ = 0;                  // where it was, for when it goes
  SortKey sort_ = SortKey::name;
  std::string filter_;
  View view_ = View::list;
  View before_ = View::list;  // where logs were opened
  bool help_ = false;
  Prompt prompt_ = Prompt::none;
  std::string message_;
  std::deque<std::string> log_;
  std::size_t log_up_ = 0;  // how many lines from the newest, 0 follows
};

}  // namespace skiff::compose
