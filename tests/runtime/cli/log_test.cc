#include "runtime/cli/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace skiff::cli {
namespace {

// 2026-01-02T03:04:05Z
constexpr std::int64_t kTime = 1767323045;

// A directory of the test's own, gone when the test ends, and the log in it.
class LogFile : public testing::Test {
 protected:
  LogFile() {
    std::string pattern = testing::TempDir() + "skiff-log-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    path_ = directory_ + "/log";
  }
  ~LogFile() override {
    unlink(path_.c_str());
    rmdir(directory_.c_str());
  }

  [[nodiscard]] std::string text() const {
    const int fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    std::array<char, 4096> buffer{};
    const ssize_t size = read(fd, buffer.data(), buffer.size());
    close(fd);
    return {buffer.data(), static_cast<std::size_t>(size)};
  }

  std::string directory_;
  std::string path_;
};

TEST(Log, AJsonLineHasLogrussThreeKeysAndNoOther) {
  EXPECT_EQ(format_line(LogFormat::Json, Level::Error, "it broke", kTime),
            "{\"level\":\"error\",\"msg\":\"it broke\",\"time\":\"2026-01-02T03:04:05Z\"}\n");
}

TEST(Log, ATextLineHasTimeLevelAndMessage) {
  EXPECT_EQ(format_line(LogFormat::Text, Level::Warning, "it creaks", kTime),
            "time=\"2026-01-02T03:04:05Z\" level=warning msg=\"it creaks\"\n");
  EXPECT_EQ(format_line(LogFormat::Text, Level::Debug, "", 0), "time=\"1970-01-01T00:00:00Z\" level=debug msg=\"\"\n");
}

TEST(Log, AMessageOfSeveralLinesStaysOneLine) {
  EXPECT_EQ(format_line(LogFormat::Json, Level::Info, "a\nb\t\"c\\\"\r\x01\x7f", kTime),
            "{\"level\":\"info\",\"msg\":\"a\\nb\\t\\\"c\\\\\\\"\\u000d\\u0001\\u007f\",\"time\":"
            "\"2026-01-02T03:04:05Z\"}\n");
}

TEST(Log, BytesThatAreNoUtf8AreReplacedBecauseJsonMustBe) {
  const auto message = [](std::string_view text) {
    const std::string line = format_line(LogFormat::Json, Level::Info, text, kTime);
    return line.substr(23, line.size() - 23 - 33);
  };
  EXPECT_EQ(message("gr\u00fc\u00df\u2026 \U0001F6F6"), "gr\u00fc\u00df\u2026 \U0001F6F6");
  EXPECT_EQ(message("\xff"), "\uFFFD");
  EXPECT_EQ(message("\xc0\xaf"), "\uFFFD\uFFFD");                      // overlong
  EXPECT_EQ(message("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");            // surrogate
  EXPECT_EQ(message("\xf4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");  // beyond U+10FFFF
  EXPECT_EQ(message("a\xe2\x80"), "a\uFFFD\uFFFD");                    // cut short
}

TEST_F(LogFile, IsCreatedWith0644AndAppendedTo) {
  const mode_t mask = umask(0);
  const auto first = open_log(path_, "json", false);
  umask(mask);
  ASSERT_TRUE(first) << first.error().message();
  struct stat status{};
  ASSERT_EQ(fstat(first->fd, &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0644U);
  EXPECT_EQ(fcntl(first->fd, F_GETFD), FD_CLOEXEC);
  warning(*first, "one");
  const auto second = open_log(path_, "text", false);
  ASSERT_TRUE(second);
  warning(*second, "two");
  const std::string lines = text();
  EXPECT_TRUE(lines.starts_with("{\"level\":\"warning\",\"msg\":\"one\",\"time\":\"")) << lines;
  EXPECT_NE(lines.find("\"}\ntime=\""), std::string::npos) << lines;
  EXPECT_TRUE(lines.ends_with("level=warning msg=\"two\"\n")) << lines;
  close(first->fd);
  close(second->fd);
}

TEST_F(LogFile, GetsDebugLinesOnlyWhereTheyWereAskedFor) {
  auto log = open_log(path_, "", false);
  ASSERT_TRUE(log);
  EXPECT_FALSE(enabled(*log, Level::Debug));
  debug(*log, "quiet");
  EXPECT_EQ(text(), "");
  log->debug = true;
  debug(*log, "loud");
  EXPECT_TRUE(text().ends_with("level=debug msg=\"loud\"\n"));
  close(log->fd);
}

TEST_F(LogFile, TakesLinesOfAForkedChild) {
  const auto log = open_log(path_, "json", false);
  ASSERT_TRUE(log);
  const pid_t child = fork();
  if (child == 0) {
    write_log(*log, Level::Error, "from the child");
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_NE(text().find("\"msg\":\"from the child\""), std::string::npos);
  close(log->fd);
}

TEST_F(LogFile, AndStderrBothGetTheErrorThatEndsTheProgram) {
  const auto log = open_log(path_, "json", false);
  ASSERT_TRUE(log);
  testing::internal::CaptureStderr();
  report(*log, "skiff", Error{ENOENT, "open(\"config.json\")", "is this a bundle?"});
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "skiff: open(\"config.json\"): no such file or directory; is this a bundle?\n");
  EXPECT_TRUE(text().starts_with(
      R"({"level":"error","msg":"open(\"config.json\"): no such file or directory; is this a bundle?","time":")"));
  close(log->fd);
}

TEST(Log, WithoutAFileStderrGetsWarningsAndTheErrorOnce) {
  const auto log = open_log("", "", false);
  ASSERT_TRUE(log);
  EXPECT_EQ(log->fd, -1);
  testing::internal::CaptureStderr();
  warning(*log, "it creaks");
  write_log(*log, Level::Error, "main says this");
  report(*log, "skiff", Error{0, "it broke", ""});
  const std::string lines = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(lines.ends_with("level=warning msg=\"it creaks\"\nskiff: it broke\n")) << lines;
}

TEST(Log, WithoutAFileAnErrorIsJsonWhereJsonWasAskedFor) {
  const auto log = open_log("", "json", false);
  ASSERT_TRUE(log);
  testing::internal::CaptureStderr();
  report(*log, "skiff", Error{0, "it broke", ""});
  EXPECT_TRUE(
      testing::internal::GetCapturedStderr().starts_with("{\"level\":\"error\",\"msg\":\"it broke\",\"time\":"));
}

TEST(Log, AnErrorOfOpenNamesTheFileAndTheCall) {
  const auto log = open_log("/nonexistent/log", "json", false);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().message(),
            "--log: open(\"/nonexistent/log\", O_WRONLY|O_CREAT|O_APPEND): no such file or directory");
  EXPECT_FALSE(open_log("", "xml", false));
}

}  // namespace
}  // namespace skiff::cli
