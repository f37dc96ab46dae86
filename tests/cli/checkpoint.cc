#include "tests/cli/checkpoint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "runtime/kernel/path.h"

namespace skiff::rig {
namespace {

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::ranges::replace(text, '\n', ' ');
  return text;
}

}  // namespace

std::string criu_program() {
  const char *chosen = std::getenv("SKIFF_CRIU");
  const std::string found = chosen != nullptr ? chosen : kernel::find_on_path("criu");
  return found.empty() ? "/usr/sbin/criu" : found;
}

std::string why_no_criu(const std::string &feature) {
  const std::string program = criu_program();
  if (!kernel::faccessat(kernel::cwd, program, X_OK))
    return program + ": not installed; the package criu has it, $SKIFF_CRIU names another one";
  std::vector<std::string> words = {program, "check"};
  if (!feature.empty()) words.insert(words.end(), {"--feature", feature});
  const Outcome outcome = run_program(words);
  return outcome.code == 0 ? "" : one_line(outcome.err + outcome.out);
}

Talk::Talk(Rig &rig) : rig_(rig), in_(kernel::pipe2().value()), out_(kernel::pipe2().value()) {
  rig_.script("n=0; while read line; do n=$((n+1)); echo $n $line; done");
}

Outcome Talk::run(const std::vector<std::string> &words) {
  const kernel::Fd err = kernel::open(rig_.path("err"), O_RDWR | O_CREAT | O_TRUNC, 0600).value();
  std::vector<std::string> all = {"--criu", criu_program(), "--log", rig_.path("log"), "--log-format", "json"};
  all.insert(all.end(), words.begin(), words.end());
  write_file(rig_.path("log"), "");
  kernel::Child child = start_program(command_line(rig_, all), {in_.read, out_.write, out_.write});
  Outcome outcome;
  outcome.code = wait_for_code(child, std::chrono::seconds(60));
  outcome.err = read_file(rig_.path("log"));
  return outcome;
}

Outcome Talk::start(const std::vector<std::string> &flags) {
  std::vector<std::string> words = {"run", "--detach"};
  words.insert(words.end(), flags.begin(), flags.end());
  words.push_back(rig_.id());
  return run(words);
}

Outcome Talk::checkpoint(const std::vector<std::string> &flags) {
  std::vector<std::string> words = {"checkpoint", "--image-path", rig_.path("images")};
  words.insert(words.end(), flags.begin(), flags.end());
  words.push_back(rig_.id());
  return run(words);
}

Outcome Talk::restore(const std::vector<std::string> &flags) {
  std::vector<std::string> words = {"restore", "--detach", "--image-path", rig_.path("images")};
  words.insert(words.end(), flags.begin(), flags.end());
  words.push_back(rig_.id());
  return run(words);
}

Outcome Talk::restore_and_stay() { return run({"restore", "--image-path", rig_.path("images"), rig_.id()}); }

void Talk::tell(const std::string &line) { EXPECT_TRUE(kernel::write_all(in_.write, line + "\n")); }

std::string Talk::say(const std::string &line) {
  tell(line);
  return read_until(out_.read, line + "\n");
}

}  // namespace skiff::rig
