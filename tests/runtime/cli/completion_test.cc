#include "runtime/cli/completion.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "tests/runtime/cli/boat.h"

namespace skiff::cli {
namespace {

// The script in a file of the test's own, so that a real shell can read it.
class Script {
 public:
  explicit Script(std::string_view shell) {
    std::string pattern = testing::TempDir() + "skiff-completion-XXXXXX";
    const int fd = mkstemp(pattern.data());
    path_ = pattern;
    const std::string text = completion_script(kBoat, shell).value_or("");
    EXPECT_EQ(write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    close(fd);
  }
  Script(const Script &) = delete;
  Script &operator=(const Script &) = delete;
  ~Script() { unlink(path_.c_str()); }

  [[nodiscard]] const std::string &path() const { return path_; }

  // What the shell prints for the command, in which $script is the file.
  [[nodiscard]] std::string run(const std::string &shell, const std::string &command) const {
    setenv("script", path_.c_str(), 1);
    setenv("command", command.c_str(), 1);
    FILE *pipe = popen((shell + " -c \"$command\" 2>&1").c_str(), "re");
    std::string out;
    std::array<char, 1024> buffer{};
    for (std::size_t size = 0; (size = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
      out.append(buffer.data(), size);
    pclose(pipe);
    return out;
  }

 private:
  std::string path_;
};

bool have(const std::string &shell) { return std::system(("command -v " + shell + " >/dev/null 2>&1").c_str()) == 0; }

// The candidates that bash gets for the words; the last one is the word under the cursor.
std::string complete_in_bash(const std::string &words) {
  return Script("bash").run("bash --norc", "boat() { printf 'tub\\ncask\\n'; }; . \"$script\"; COMP_WORDS=(" + words +
                                               "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); compopt() { :; }; "
                                               "_boat; echo \"${COMPREPLY[*]}\"");
}

TEST(Completion, BashOffersCommandsFlagsChoicesAndContainers) {
  if (!have("bash")) GTEST_SKIP() << "bash is not installed";
  EXPECT_EQ(complete_in_bash("boat cr"), "create\n");
  EXPECT_EQ(complete_in_bash("boat --root /x cr"), "create\n");
  EXPECT_EQ(complete_in_bash("boat create --d"), "--detach\n");
  EXPECT_EQ(complete_in_bash("boat --log-format j"), "json\n");
  EXPECT_EQ(complete_in_bash("boat --log-format = j"), "json\n");
  EXPECT_EQ(complete_in_bash("boat create --detach ''"), "tub cask\n");
  EXPECT_EQ(complete_in_bash("boat --root /us"), "/usr\n");
  EXPECT_EQ(complete_in_bash("boat create --bundle /us"), "/usr\n");
  EXPECT_EQ(complete_in_bash("boat create --no-s"), "\n");
  EXPECT_EQ(complete_in_bash("boat paint w"), "white\n");
}

TEST(Completion, ZshReadsItsScript) {
  if (!have("zsh")) GTEST_SKIP() << "zsh is not installed";
  EXPECT_EQ(Script("zsh").run("zsh -f", "zsh -fn \"$script\" && autoload -U compinit && compinit -D && . \"$script\""),
            "");
}

TEST(Completion, FishOffersCommandsFlagsChoicesAndContainers) {
  if (!have("fish")) GTEST_SKIP() << "fish is not installed";
  const Script script("fish");
  const auto complete = [&](const std::string &line) {
    return script.run("fish --no-config",
                      "function boat; printf 'tub\\ncask\\n'; end; source $script; complete -C '" + line + "'");
  };
  EXPECT_EQ(complete("boat cr"), "create\tcreate a container\n");
  EXPECT_EQ(complete("boat create --det"), "--detach\tdo not wait\n");
  EXPECT_EQ(complete("boat --log-format j"), "json\tform of the log\n");
  EXPECT_EQ(complete("boat create tu"), "tub\n");
  EXPECT_EQ(complete("boat paint w"), "white\n");
}

TEST(Completion, AnotherShellIsAnErrorThatNamesTheKnownOnes) {
  const auto script = completion_script(kBoat, "csh");
  ASSERT_FALSE(script);
  EXPECT_EQ(script.error().message(), "no completion for the shell \"csh\"; one of bash|zsh|fish");
}

}  // namespace
}  // namespace skiff::cli
