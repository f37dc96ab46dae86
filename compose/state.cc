#include "compose/state.h"

#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "runtime/kernel/credential.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"

namespace skiff::compose {
namespace {

constexpr std::size_t longest_file = std::size_t{16} << 20U;

std::string variable(const char *name) {
  const char *value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Result<std::string> absolute(const std::string &path) {
  return path.starts_with('/') ? path : TRY(kernel::getcwd()) + "/" + path;
}

Result<std::string> user_data() {
  if (std::string data = variable("XDG_DATA_HOME"); data.starts_with('/')) return data;
  if (const std::string home = variable("HOME"); !home.empty()) return home + "/.local/share";
  return fail("$HOME is not set", "name a directory by --state");
}

}  // namespace

Result<Places> find_places(const cli::Flags &global) {
  std::string own(global.string("state"));
  if (own.empty()) own = variable("SKIFF_COMPOSE_STATE");
  if (!own.empty()) {
    own = TRY(absolute(own));
    return Places{.data = own, .run = own + "/run"};
  }
  if (kernel::geteuid() == 0) return Places{.data = "/var/lib/skiff/compose", .run = "/run/skiff-compose"};
  Places places{.data = TRY(user_data()) + "/skiff/compose", .run = {}};
  const std::string runtime = variable("XDG_RUNTIME_DIR");
  places.run = runtime.starts_with('/') ? runtime + "/skiff-compose" : places.data + "/run";
  return places;
}

Status make_places(const Places &places) {
  for (const std::string &path : {places.data, places.run}) {
    TRY(kernel::make_parents(path, 0755));
    TRY(kernel::make_directory(kernel::cwd, path, 0711));
  }
  for (const std::string &path : {places.containers(), places.names(), places.half_made(), places.runtime_root()}) {
    TRY(kernel::make_directory(kernel::cwd, path, 0711));
  }
  return {};
}

Result<kernel::Fd> lock_file(const std::string &path, int operation) {
  kernel::Fd file = TRY(kernel::open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  const Status locked = kernel::flock(file, operation);
  if (!locked && locked.error().number == EWOULDBLOCK) return kernel::Fd();
  TRY(in(path, locked));
  return file;
}

Status replace_file(const std::string &path, std::string_view text, mode_t mode) {
  const std::string fresh = fmt::format("{}.{}", path, kernel::getpid());
  {
    const kernel::Fd file = TRY(kernel::open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode));
    TRY(in(path, kernel::write_all(file, text)));
  }
  return kernel::renameat2(kernel::cwd, fresh, kernel::cwd, path);
}

Result<std::string> read_if_there(const std::string &path) {
  const kernel::Fd file = TRY(kernel::find_at(kernel::cwd, path, O_RDONLY | O_NOFOLLOW));
  if (!file.valid()) return std::string();
  return in(path, kernel::read_all(file, longest_file));
}

Result<std::string> make_id() {
  std::array<unsigned char, 32> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return fail(errno, "getrandom");
  }
  std::string id;
  for (const unsigned char byte : bytes) id += fmt::format("{:02x}", byte);
  return id;
}

Result<std::string> read_boot_id() {
  std::string text = TRY(kernel::read_all(TRY(kernel::open("/proc/sys/kernel/random/boot_id", O_RDONLY)), 128));
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

std::string time_text(timespec time) {
  tm parts{};
  ::gmtime_r(&time.tv_sec, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, time.tv_nsec);
}

std::string time_now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return time_text(now);
}

}  // namespace skiff::compose
