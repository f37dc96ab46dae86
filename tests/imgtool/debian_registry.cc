#include "tests/imgtool/debian_registry.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

#include "tests/runtime/kernel/isolated.h"

namespace skiff::image::testing {
namespace {

constexpr const char *program = "/usr/bin/docker-registry";

std::string read_more(const kernel::Fd &log) {
  std::array<char, 4096> buffer{};
  const Result<std::size_t> got = kernel::read_some(log, buffer);
  return got ? std::string(buffer.data(), *got) : std::string();
}

}  // namespace

bool DebianRegistry::is_installed() { return kernel::faccessat(kernel::cwd, program, X_OK).has_value(); }

DebianRegistry::DebianRegistry(std::string more, std::string more_http) {
  const std::string config = directory_.path() + "/config.yml";
  kernel::testing::write_whole(
      config, fmt::format("version: 0.1\n"
                          "log: {{level: info, accesslog: {{disabled: true}}}}\n"
                          "storage: {{filesystem: {{rootdirectory: {}/data}}, delete: {{enabled: true}}}}\n"
                          "http:\n  addr: 127.0.0.1:0\n  secret: test\n{}{}",
                          directory_.path(), more_http, more));
  kernel::Pipe log = kernel::pipe2().value();
  const std::array<const char *, 4> argv = {program, "serve", config.c_str(), nullptr};
  process_ = kernel::clone3({}).value();
  if (process_.is_this_process()) {
    (void)kernel::dup_onto(log.write, 1);
    (void)kernel::dup_onto(log.write, 2);
    (void)kernel::execveat(kernel::cwd, program, argv.data(), environ, 0);
    ::_exit(127);
  }
  log.write.reset();
  log_ = std::move(log.read);
  constexpr std::string_view words = "listening on ";
  std::string text;
  std::size_t at = std::string::npos;
  while ((at = text.find(words)) == std::string::npos || text.find_first_of("\",", at) == std::string::npos) {
    const std::string line = read_more(log_);
    if (line.empty()) {
      ADD_FAILURE() << "docker-registry did not start: " << text;
      return;
    }
    text += line;
  }
  at += words.size();
  host_ = text.substr(at, text.find_first_of("\",", at) - at);
  reader_ = std::thread([this] {
    while (!read_more(log_).empty()) {
    }
  });
}

DebianRegistry::~DebianRegistry() {
  process_ = {};  // killed and reaped: the log has an end then
  if (reader_.joinable()) reader_.join();
}

}  // namespace skiff::image::testing
