#include "tests/cli/compose/engine_rig.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "runtime/kernel/fd.h"
#include "runtime/kernel/netlink.h"
#include "tests/cli/compose/remove_containers.h"

namespace skiff::rig {

EngineRig::EngineRig() {
  EXPECT_EQ(::unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
  EXPECT_EQ(::mount("", "/", "", MS_REC | MS_PRIVATE, nullptr), 0);
  EXPECT_TRUE(kernel::bring_up_loopback());
  std::filesystem::create_directory(out());
}

EngineRig::~EngineRig() {
  remove_containers([&](const std::vector<std::string> &words) { return compose(words); });
  const auto route = kernel::RouteSocket::open();
  const std::vector<kernel::Link> links = route->list_links().value();
  EXPECT_EQ(links.size(), 1) << links.back().name;
  // A supervisor ends when its last container is gone: its lock says when.
  for (const int pid : processes_with(state())) EXPECT_TRUE(wait_for_end(pid)) << pid;
}

Outcome EngineRig::compose(const std::vector<std::string> &words) {
  std::vector<std::string> all = {SKIFF_COMPOSE_PROGRAM, "--state", state(), "--store", path("store")};
  all.insert(all.end(), words.begin(), words.end());
  return run_program(all);
}

Outcome EngineRig::run(const std::vector<std::string> &flags, const std::string &script) {
  std::vector<std::string> words = {"run"};
  words.insert(words.end(), flags.begin(), flags.end());
  for (const char *word : {"--rootfs", "", "sh", "-c"}) words.emplace_back(word);
  words[words.size() - 3] = rig_.rootfs();
  words.push_back(script);
  return compose(words);
}

Json EngineRig::inspect(const std::string &name) { return Json::parse(compose({"inspect", name}).out).at(0); }

bool wait_for_text(const std::string &directory, const std::string &name, const std::string &text) {
  const kernel::Fd watch(::inotify_init1(IN_CLOEXEC));
  if (::inotify_add_watch(watch.get(), directory.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO) < 0) return false;
  while (read_file(directory + "/" + name) != text) {
    if (!kernel::wait_readable(watch, std::chrono::seconds(20)).value_or(false)) return false;
    std::array<char, 4096> events{};
    if (!kernel::read_some(watch, events)) return false;
  }
  return true;
}

std::vector<int> EngineRig::processes(const std::string &word) const {
  std::vector<int> pids = processes_with(state());
  std::erase_if(pids, [&](int pid) { return !read_file("/proc/" + std::to_string(pid) + "/cmdline").contains(word); });
  return pids;
}

std::vector<int> processes_with(const std::string &word) {
  std::vector<int> pids;
  for (const auto &entry : std::filesystem::directory_iterator("/proc")) {
    const int pid = std::atoi(entry.path().filename().c_str());
    if (pid > 0 && pid != ::getpid() && read_file(entry.path().string() + "/cmdline").contains(word)) {
      pids.push_back(pid);
    }
  }
  return pids;
}

}  // namespace skiff::rig
