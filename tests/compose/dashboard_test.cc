// What the dashboard shows at a size, and what keys do to it.
#include <gtest/gtest.h>

#include <algorithm>

#include "compose/contains.h"
#include "compose/dashboard_model.h"
#include "runtime/cli/width.h"

namespace skiff::compose {
namespace {

using Phase = ContainerState::Phase;

constexpr std::int64_t now = 1767225720;  // 2026-01-01T00:02:00Z

Container make_container(const std::string &name, Phase phase) {
  Container container;
  container.record.id = std::string(64, name.front());
  container.record.project = "shop";
  container.record.name = "shop-" + name;
  container.record.image = "registry/" + name;
  container.state.phase = phase;
  container.state.run.started = "2026-01-01T00:00:00.000000000Z";
  return container;
}

UsageSample make_sample(std::int64_t seconds, std::uint64_t cpu_seconds, std::uint64_t memory) {
  return {.time = seconds * 1'000'000'000,
          .cpu = cpu_seconds * 1'000'000'000,
          .memory = memory,
          .memory_limit = 64 << 20,
          .received = static_cast<std::uint64_t>(seconds) * 1000,
          .sent = 0,
          .read = 0,
          .written = 0,
          .processes = 2};
}

// Three containers: web runs and is healthy, db runs, old has ended with 3.
class DashboardAt : public ::testing::Test {
 protected:
  DashboardModel make(std::size_t columns, std::size_t rows = 12, bool utf8 = true) {
    canvas_ = {.rows = rows, .columns = columns, .utf8 = utf8};
    DashboardModel model("project shop", canvas_);
    Container web = make_container("web", Phase::running);
    web.state.health = "healthy";
    web.record.ports = {{.container = 80, .host = 8080, .host_last = {}, .host_address = "127.0.0.1"}};
    Container old = make_container("old", Phase::exited);
    old.state.run.exit_code = 3;
    model.set_containers({web, make_container("db", Phase::running), old}, true);
    model.set_time(now, "00:02:00");
    for (const std::int64_t second : {1, 2}) {
      model.set_usage(std::string(64, 'w'), make_sample(second, static_cast<std::uint64_t>(second) / 2, 62 << 20));
      model.set_usage(std::string(64, 'd'), make_sample(second, 0, 1 << 20));
    }
    return model;
  }

  std::vector<std::string> lines(const DashboardModel &model) {
    std::vector<std::string> all;
    const Picture picture = model.picture();
    EXPECT_EQ(picture.lines.size(), canvas_.rows);
    for (const PictureLine &line : picture.lines) {
      all.push_back(text_of(line));
      EXPECT_LE(cli::width_of(all.back()), canvas_.columns) << all.back();
    }
    return all;
  }

  static std::size_t reversed(const DashboardModel &model) {
    const Picture picture = model.picture();
    const auto found = std::ranges::find(picture.lines.begin() + 1, picture.lines.end(), true, &PictureLine::reversed);
    return static_cast<std::size_t>(found - picture.lines.begin());
  }

  Canvas canvas_;
};

Wish type(DashboardModel &model, std::string_view letters) {
  Wish wish;
  for (const char letter : letters) wish = model.press({.key = Key::letter, .letter = letter});
  return wish;
}

TEST_F(DashboardAt, WideHasEveryColumn) {
  const DashboardModel model = make(160);
  const std::vector<std::string> all = lines(model);
  EXPECT_EQ(all[0].substr(0, 31), " project shop  2 of 3 running  ");
  EXPECT_TRUE(all[0].ends_with("CPU 100.0 %  63MiB  00:02:00 ")) << all[0];
  EXPECT_EQ(all[1],
            "NAME↓  STATE     HEALTH    CPU %   MEMORY  LIMIT  NET IN/OUT /s   DISK R/W /s   PIDS   UP  "
            "PORTS                   IMAGE       ");
  EXPECT_TRUE(
      all[2].starts_with("db     running               0.0     1MiB  64MiB  1kB/0B          0B/0B            2 "
                         "  2m"))
      << all[2];
  EXPECT_TRUE(all[3].starts_with("old    exited 3  ")) << all[3];
  EXPECT_TRUE(all[4].starts_with("web    running   healthy   100.0    62MiB")) << all[4];
  EXPECT_TRUE(all[4].find("127.0.0.1:8080->80/tcp  registry/web") != std::string::npos) << all[4];
}

TEST_F(DashboardAt, NarrowKeepsWhatMattersMost) {
  EXPECT_EQ(lines(make(40))[1], "NAME↓  STATE      CPU %   MEMORY   UP");
  EXPECT_EQ(lines(make(26))[1], "NAME↓  STATE      CPU %");
  EXPECT_EQ(lines(make(16))[1], "NAME↓  STATE   ");
  EXPECT_EQ(lines(make(8))[1], "NAME↓");
  for (std::size_t columns = 1; columns < 200; ++columns) (void)lines(make(columns));
  for (std::size_t rows = 1; rows < 8; ++rows) (void)lines(make(80, rows));
}

TEST_F(DashboardAt, AsciiHasNoOtherLetter) {
  DashboardModel model = make(80, 12, false);
  (void)model.press({.key = Key::enter});
  model.add_log("grün\n");
  for (const std::string &line : lines(model)) {
    EXPECT_TRUE(std::ranges::all_of(line, [](char letter) { return letter >= ' ' && letter < 0x7f; })) << line;
  }
}

TEST_F(DashboardAt, TheSelectedContainerIsWhatKeysActOn) {
  DashboardModel model = make(80);
  EXPECT_EQ(reversed(model), 2U);
  const Wish stop = type(model, "js");
  EXPECT_EQ(stop.kind, Wish::Kind::stop);
  EXPECT_EQ(stop.id, std::string(64, 'o'));
  EXPECT_EQ(type(model, "S").kind, Wish::Kind::start);
  EXPECT_EQ(type(model, "r").kind, Wish::Kind::restart);
  EXPECT_EQ(type(model, "e").kind, Wish::Kind::shell);
  EXPECT_EQ(type(model, "p").kind, Wish::Kind::pause);
  EXPECT_EQ(type(model, "q").kind, Wish::Kind::quit);
  (void)model.press({.key = Key::end});
  EXPECT_EQ(type(model, "s").id, std::string(64, 'w'));
  (void)model.press({.key = Key::up});
  EXPECT_EQ(type(model, "s").id, std::string(64, 'o'));
}

TEST_F(DashboardAt, APausedOneIsResumed) {
  DashboardModel model = make(80);
  model.set_containers({make_container("web", Phase::paused)}, true);
  EXPECT_EQ(type(model, "p").kind, Wish::Kind::unpause);
}

TEST_F(DashboardAt, KillAsksFirst) {
  DashboardModel model = make(80);
  EXPECT_EQ(type(model, "K").kind, Wish::Kind::none);
  EXPECT_EQ(lines(model).back(), "Kill db? y or n");
  EXPECT_EQ(type(model, "n").kind, Wish::Kind::none);
  EXPECT_EQ(type(model, "Ky").kind, Wish::Kind::kill);
}

TEST_F(DashboardAt, AFilterHidesTheOthersUntilItIsCleared) {
  DashboardModel model = make(80);
  (void)type(model, "/exit");
  EXPECT_EQ(lines(model).back(), "Filter: exit_");
  EXPECT_TRUE(lines(model)[2].starts_with("old")) << lines(model)[2];
  EXPECT_EQ(lines(model)[3], "");
  (void)model.press({.key = Key::enter});
  EXPECT_EQ(type(model, "s").id, std::string(64, 'o')) << "the one that is seen";
  (void)model.press({.key = Key::escape});
  EXPECT_TRUE(lines(model)[4].starts_with("web"));
  (void)type(model, "/nothing");
  EXPECT_EQ(type(model, "").kind, Wish::Kind::none);
  EXPECT_EQ(lines(model)[1], "No container has these letters; Esc shows all.");
}

TEST_F(DashboardAt, SortsByWhatIsUsed) {
  DashboardModel model = make(80);
  (void)type(model, "oo");
  EXPECT_NE(lines(model)[1].find("CPU %↓"), std::string::npos) << lines(model)[1];
  EXPECT_TRUE(lines(model)[2].starts_with("web"));
}

TEST_F(DashboardAt, TheSelectionStaysWithItsContainer) {
  DashboardModel model = make(80);
  (void)type(model, "jj");
  model.set_containers({make_container("zoo", Phase::running), make_container("web", Phase::running)}, true);
  EXPECT_EQ(type(model, "s").id, std::string(64, 'w'));
  model.set_containers({make_container("zoo", Phase::running)}, true);
  EXPECT_EQ(type(model, "s").id, std::string(64, 'z'));
  model.set_containers({}, true);
  EXPECT_EQ(type(model, "s").kind, Wish::Kind::none);
  EXPECT_EQ(lines(model)[1], "There is no container.");
}

TEST_F(DashboardAt, MoreContainersThanLinesAreScrolled) {
  DashboardModel model = make(80, 6);
  std::vector<Container> many;
  for (const char *name : {"a", "b", "c", "d", "e", "f", "g"}) many.push_back(make_container(name, Phase::running));
  model.set_containers(many, true);
  (void)model.press({.key = Key::end});
  const std::vector<std::string> all = lines(model);
  EXPECT_TRUE(all[1].starts_with("NAME"));
  EXPECT_TRUE(all[4].starts_with("g ")) << all[4];
  EXPECT_EQ(reversed(model), 4U);
}

TEST_F(DashboardAt, TheDetailShowsFactsAndTheLogOfOne) {
  DashboardModel model = make(80, 24);
  EXPECT_EQ(model.followed(), "");
  (void)model.press({.key = Key::end});
  (void)model.press({.key = Key::enter});
  EXPECT_EQ(model.followed(), std::string(64, 'w'));
  model.add_log("first\n");
  model.add_log("\x1b[1msecond\x1b[0m\n");
  const std::vector<std::string> all = lines(model);
  EXPECT_EQ(all[1].substr(0, 17), "shop-web  running");
  EXPECT_TRUE(contains(all, std::string("second")));
  EXPECT_TRUE(std::ranges::any_of(
      all, [](const std::string &line) { return line.starts_with("Memory     62MiB of 64MiB (96.9 %)"); }));
  EXPECT_TRUE(
      std::ranges::any_of(all, [](const std::string &line) { return line.ends_with("▁█") || line.ends_with("██"); }));
  (void)model.press({.key = Key::escape});
  EXPECT_EQ(model.followed(), "");
}

TEST_F(DashboardAt, ALogStaysWhereItIsReadAndFollowsAgain) {
  DashboardModel model = make(20, 6);
  (void)type(model, "l");
  for (const char *line : {"1", "2", "3", "4", "5"}) model.add_log(line);
  EXPECT_EQ(lines(model)[4], "5");
  (void)type(model, "k");
  EXPECT_EQ(lines(model)[4], "4");
  model.add_log("6");
  EXPECT_EQ(lines(model)[4], "4");
  (void)model.press({.key = Key::end});
  EXPECT_EQ(lines(model)[4], "6");
  model.add_log("a line of more than twenty columns");
  EXPECT_EQ(lines(model)[3], "a line of more than ");
  EXPECT_EQ(lines(model)[4], "twenty columns");
}

TEST_F(DashboardAt, AnErrorIsShownWholeUntilTheNextKey) {
  DashboardModel model = make(20, 10);
  model.set_message("skiff-compose: something went wrong\nand more");
  std::vector<std::string> all = lines(model);
  EXPECT_EQ(all[6], "skiff-compose: somet");
  EXPECT_EQ(all[7], "hing went wrong");
  EXPECT_EQ(all[8], "and more");
  (void)type(model, "j");
  all = lines(model);
  EXPECT_EQ(all[8], "");
}

TEST_F(DashboardAt, WhatIsUnderWayStandsInItsState) {
  DashboardModel model = make(80);
  model.set_busy(std::string(64, 'w'), "stopping");
  EXPECT_NE(lines(model)[4].find("stopping…"), std::string::npos);
  model.set_busy(std::string(64, 'w'), "");
  EXPECT_NE(lines(model)[4].find("running"), std::string::npos);
}

TEST_F(DashboardAt, HelpTellsEveryKeyOfTheFooter) {
  DashboardModel model = make(100, 24);
  (void)type(model, "?");
  std::string all;
  for (const std::string &line : lines(model)) all += line + "\n";
  for (const char *word : {"stop it", "start it", "restart it", "kill it", "pause it", "a shell", "sort by", "quit"}) {
    EXPECT_NE(all.find(word), std::string::npos) << word;
  }
  EXPECT_EQ(type(model, "q").kind, Wish::Kind::none) << "any key leaves help";
  EXPECT_TRUE(lines(model)[1].starts_with("NAME"));
}

TEST(UsageTrend, AContainerThatBeganAnewHasNoNegativeRate) {
  UsageTrend trend;
  trend.take(make_sample(1, 5, 0));
  trend.take({.time = 2'000'000'000});
  EXPECT_EQ(trend.cpu, 0);
  EXPECT_EQ(trend.received, 0);
  trend.end();
  EXPECT_FALSE(trend.now);
}

}  // namespace
}  // namespace skiff::compose
