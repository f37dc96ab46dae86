#include "compose/state.h"

#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <array>

#include "runtime/kernel/credential.h"
#include "runtime/kernel/environment.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"
#include "runtime/kernel/replace.h"

namespace skiff::compose {
namespace {

constexpr std::size_t longest_file = std::size_t{16} << 20U;

Result<std::string> absolute(const std::string &path) {
  return path.starts_with('/') ? path : TRY(kernel::getcwd()) + "/" + path;
}

Result<std::string> user_data() {
  std::string data = kernel::user_directory("XDG_DATA_HOME", "/.local/share");
  if (!data.empty()) return data;
  return fail("$HOME is not set", "name a directory by --state");
}

}  // namespace

Result<Places> find_places(const cli::Flags &global) {
  std::string own(global.string("state"));
  if (own.empty()) own = kernel::environment_variable("SKIFF_COMPOSE_STATE");
  if (!own.empty()) {
    own = TRY(absolute(own));
    return Places{.data = own, .run = own + "/run"};
  }
  if (kernel::geteuid() == 0) return Places{.data = "/var/lib/skiff/compose", .run = "/run/skiff-compose"};
  Places places{.data = TRY(user_data()) + "/skiff/compose", .run = {}};
  const std::string runtime = kernel::environment_variable("XDG_RUNTIME_DIR");
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
  const kernel::FileReplacement file = {.name = path, .temporary = fresh, .mode = mode, .synced = false};
  return in(path, kernel::replace_file(kernel::cwd, file, text));
}

Result<std::string> read_if_there(const std::string &path) {
  const kernel::Fd file = TRY(kernel::find_at(kernel::cwd, path, O_RDONLY));
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
