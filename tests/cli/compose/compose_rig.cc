#include "tests/cli/compose/compose_rig.h"

#include <filesystem>
#include <sstream>
#include <stdexcept>

#include "compose/log_reader.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> entries_of(const std::string &path) {
  std::vector<std::string> found;
  std::error_code none;
  for (const auto &entry : fs::directory_iterator(path, none)) found.push_back(entry.path());
  return found;
}

}  // namespace

ComposeRig::ComposeRig() {
  fs::create_directory(rig_.rootfs() + "/data");
  write_file(rig_.rootfs() + "/data/file", "of the image\n");
  const Outcome made = run_program({SKIFF_IMAGE_PROGRAM, "--progress", "none", "--store", path("store"), "import",
                                    "--cmd", "sh", "-e", "PATH=/bin", "file:" + rig_.rootfs(), "busybox"});
  if (made.code != 0) throw std::runtime_error("import: " + made.err);
}

ComposeRig::~ComposeRig() {
  for (const std::string &container : entries_of(state() + "/containers")) {
    (void)compose({"rm", "-fv", fs::path(container).filename()});
  }
}

std::vector<std::string> ComposeRig::words(const std::vector<std::string> &words) const {
  std::vector<std::string> all = {SKIFF_COMPOSE_PROGRAM, "--state", state(), "--store", path("store")};
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

Outcome ComposeRig::compose(const std::vector<std::string> &arguments, const std::string &input) const {
  return run_program(words(arguments), input);
}

std::string ComposeRig::start(const std::vector<std::string> &flags, const std::string &script) const {
  std::vector<std::string> all = {"run", "-d", "--network", "none"};
  all.insert(all.end(), flags.begin(), flags.end());
  all.insert(all.end(), {"busybox", "sh", "-c", script});
  Outcome outcome = compose(all);
  if (outcome.code != 0) throw std::runtime_error("run: " + outcome.err);
  outcome.out.pop_back();
  return outcome.out;
}

Json ComposeRig::inspect(const std::string &name) const {
  const Outcome outcome = compose({"inspect", name});
  if (outcome.code != 0) throw std::runtime_error("inspect: " + outcome.err);
  return Json::parse(outcome.out).at(0);
}

Json ComposeRig::run_record(const std::string &name) const {
  const std::string id = inspect(name).at("Id");
  return Json::parse(read_file(state() + "/containers/" + id + "/run.json"));
}

std::string ComposeRig::waiting() {
  return "trap 'exit 5' TERM; echo ready; while true; do sleep 1000 & wait $!; done";
}

bool ComposeRig::wait_for_log(const std::string &name, const std::string &text) const {
  const std::string id = inspect(name).at("Id");
  Result<compose::LogReader> reader = compose::LogReader::open(state() + "/containers/" + id + "/log", std::nullopt);
  while (reader) {
    const auto entry = reader->next();
    if (!entry) return false;
    if (*entry && (*entry)->text.find(text) != std::string::npos) return true;
    if (*entry) continue;
    const Result<bool> more = kernel::wait_readable(reader->fd(), std::chrono::seconds(20));
    if (!more || !*more) return false;
    reader->forget();
  }
  return false;
}

std::vector<std::string> ComposeRig::leftovers() const {
  std::vector<std::string> found;
  for (const char *folder : {"/containers", "/names", "/half-made", "/volumes", "/run/runtime"}) {
    for (const std::string &entry : entries_of(state() + folder)) {
      if (!entry.ends_with("/@seccomp")) found.push_back(entry);
    }
  }
  for (const std::string &entry : entries_of(state() + "/run")) {
    if (!entry.ends_with("/runtime") && !entry.ends_with("/networks")) found.push_back(entry);
  }
  std::istringstream mounts(read_file("/proc/self/mountinfo"));
  for (std::string line; std::getline(mounts, line);) {
    if (line.find(state()) != std::string::npos) found.push_back(line);
  }
  return found;
}

}  // namespace skiff::rig
