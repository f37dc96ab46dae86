// watch and up --watch: files that change on the host, and what their project's containers see of it.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/background.h"
#include "tests/cli/compose/compose_rig.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

// A project of one service, `web`, whose files lie in src/ and whose /out is out/ of the host.
class WatchedProject {
 public:
  WatchedProject(const std::string &service, const std::string &rules) {
    for (const char *folder : {"src", "out"}) fs::create_directory(rig_.path(folder));
    write_file(rig_.path("src/page"), "first");
    write_file(rig_.path("compose.yaml"),
               "name: p\nservices:\n  web:\n    network_mode: none\n    stop_grace_period: 0s\n"
               "    volumes: ['./out:/out']\n" +
                   service + "    develop:\n      watch:\n" + rules);
  }
  ~WatchedProject() {
    if (child_.pid() != 0) {
      EXPECT_EQ(end(), 128 + SIGINT);
    }
    EXPECT_EQ(compose({"down", "--volumes"}).code, 0);
    EXPECT_TRUE(rig_.leftovers().empty()) << rig_.leftovers().front();
  }
  WatchedProject(const WatchedProject &) = delete;
  WatchedProject &operator=(const WatchedProject &) = delete;

  Outcome compose(std::vector<std::string> words) {
    words.insert(words.begin(), {"-f", rig_.path("compose.yaml")});
    return rig_.compose(words);
  }

  // Goes on until the project's end; returns when it watches.
  void start(std::vector<std::string> words) {
    words.insert(words.begin(), {"-f", rig_.path("compose.yaml")});
    kernel::Pipe said = kernel::pipe2().value();
    const kernel::Fd null = kernel::open("/dev/null", O_RDWR).value();
    child_ = start_program(rig_.words(words), {null, said.write, said.write});
    said_ = std::move(said.read);
    said.write.reset();
    ASSERT_TRUE(says("Watching")) << heard_;
  }
  bool says(std::string_view text) {
    heard_ = read_until(said_, text);
    return heard_.find(text) != std::string::npos;
  }
  int end() {
    EXPECT_TRUE(kernel::pidfd_send_signal(child_.pidfd(), SIGINT));
    const int code = wait_for_code(child_);
    child_ = {};
    return code;
  }

  void write(const std::string &name, const std::string &text) const { write_file(rig_.path("src/" + name), text); }
  // What a container has done makes a file of this name.
  [[nodiscard]] bool sees(const std::string &name) const { return wait_for_file(rig_.path("out/" + name)); }
  [[nodiscard]] const std::string &heard() const { return heard_; }
  [[nodiscard]] std::string path(const std::string &name) const { return rig_.path(name); }
  [[nodiscard]] std::string id() const { return rig_.inspect("p-web-1")["Id"]; }

 private:
  ComposeRig rig_;
  kernel::Child child_;
  kernel::Fd said_;
  std::string heard_;
};

constexpr const char *image = "    image: busybox\n";
constexpr const char *built =
    "    build:\n      context: ./src\n      dockerfile_inline: |\n        FROM busybox\n        COPY page /page\n";

TEST(ComposeWatch, SyncBringsFilesInAndTakesThemAway) {
  REQUIRE_ROOT();
  WatchedProject project(
      std::string(image) +
          "    command: [sh, -c, 'until grep -qs second /app/deep/er/page; do sleep 0.05; done; "
          ": >/out/second; while test -e /app/deep; do sleep 0.05; done; : >/out/gone; sleep 1000']\n",
      "      - {action: sync, path: ./src, target: /app, ignore: ['*.log'], initial_sync: true}\n");
  project.start({"watch"});
  const std::string id = project.id();
  fs::create_directories(project.path("src/deep/er"));
  project.write("deep/er/page", "second");
  project.write("x.log", "not this");
  EXPECT_TRUE(project.sees("second"));
  EXPECT_EQ(project.compose({"exec", "-T", "web", "cat", "/app/page"}).out, "first") << "what was there at first";
  EXPECT_NE(project.compose({"exec", "-T", "web", "test", "-e", "/app/x.log"}).code, 0);
  fs::remove_all(project.path("src/deep"));
  EXPECT_TRUE(project.sees("gone"));
  EXPECT_EQ(project.id(), id) << "it was never made anew";
}

TEST(ComposeWatch, RestartStartsTheSameContainerAgain) {
  REQUIRE_ROOT();
  WatchedProject project(
      std::string(image) + "    command: [sh, -c, 'n=$$(ls /out | wc -l); : >/out/$$n; exec sleep 1000']\n",
      "      - {action: restart, path: ./src/page}\n");
  project.start({"watch"});
  ASSERT_TRUE(project.sees("0"));
  const std::string id = project.id();
  project.write("other", "nobody watches it");
  project.write("page", "second");
  EXPECT_TRUE(project.sees("1"));
  EXPECT_TRUE(project.says("Restarted")) << project.heard();
  EXPECT_EQ(project.id(), id);
  EXPECT_FALSE(fs::exists(project.path("out/2")));
}

TEST(ComposeWatch, RebuildMakesTheContainerOfANewImage) {
  REQUIRE_ROOT();
  WatchedProject project(std::string(built) + "    command: [sh, -c, ': >/out/$$(cat /page); exec sleep 1000']\n",
                         "      - {action: rebuild, path: ./src}\n");
  project.start({"watch"});
  ASSERT_TRUE(project.sees("first"));
  const std::string id = project.id();
  project.write("page", "second");
  EXPECT_TRUE(project.sees("second"));
  EXPECT_TRUE(project.says("Started")) << project.heard();
  EXPECT_NE(project.id(), id);
}

TEST(ComposeWatch, SyncAndExecRunsItsCommandAfterEachBatch) {
  REQUIRE_ROOT();
  WatchedProject project(std::string(image) + "    command: [sleep, '1000']\n",
                         "      - action: sync+exec\n        path: ./src\n        target: /app\n        exec:\n"
                         "          command: [sh, -c, ': >/out/$$(cat /app/page)$$SUFFIX']\n"
                         "          environment: [SUFFIX=-x]\n");
  project.start({"watch"});
  project.write("page", "second");
  EXPECT_TRUE(project.sees("second-x"));
}

TEST(ComposeWatch, WhatFailsIsToldAndTheNextChangeTriesAgain) {
  REQUIRE_ROOT();
  WatchedProject project(std::string(built) + "    command: [sh, -c, ': >/out/$$(cat /page); exec sleep 1000']\n",
                         "      - {action: rebuild, path: ./src}\n");
  project.start({"watch"});
  ASSERT_TRUE(project.sees("first"));
  fs::remove(project.path("src/page"));
  EXPECT_TRUE(project.says("skiff-compose: watch: service web: ")) << project.heard();
  project.write("page", "third");
  EXPECT_TRUE(project.sees("third"));
}

TEST(ComposeWatch, UpWatchShowsTheOutputOfWhatItMakesAnew) {
  REQUIRE_ROOT();
  WatchedProject project(std::string(built) + "    command: [sh, -c, 'echo page $$(cat /page); exec sleep 1000']\n",
                         "      - {action: rebuild, path: ./src}\n");
  project.start({"up", "--watch"});
  project.write("page", "second");
  EXPECT_TRUE(project.says("page second")) << project.heard();
  EXPECT_EQ(project.end(), 128 + SIGINT);
  EXPECT_EQ(project.compose({"ps", "-q"}).out, "") << "up stops what it has started";
}

TEST(ComposeWatch, WithoutRulesThereIsNothingToWatch) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  write_file(rig.path("compose.yaml"), "name: p\nservices:\n  web: {image: busybox, network_mode: none}\n");
  const Outcome none = rig.compose({"-f", rig.path("compose.yaml"), "watch", "--no-up"});
  EXPECT_EQ(none.code, 4);
  EXPECT_NE(none.err.find("no service has a develop.watch"), std::string::npos) << none.err;
  const Outcome named = rig.compose({"-f", rig.path("compose.yaml"), "watch", "--no-up", "web"});
  EXPECT_EQ(named.code, 4);
  EXPECT_NE(named.err.find("service web: it has no develop.watch"), std::string::npos) << named.err;
}

}  // namespace
}  // namespace skiff::rig
