#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include "imgtool/cmd/command.h"
#include "imgtool/credentials.h"
#include "imgtool/output.h"
#include "runtime/kernel/tty.h"

namespace skiff::image {
namespace {

constexpr std::array<cli::FlagSpec, 3> login_flags = {{
    {.name = "username", .letter = 'u', .value = "USER", .text = "who logs in"},
    {.name = "password",
     .letter = 'p',
     .value = "PASSWORD",
     .text = "seen by everybody in ps: --password-stdin is not"},
    {.name = "password-stdin", .kind = cli::Kind::Bool, .text = "read the password from stdin"},
}};

constexpr std::size_t longest_line = 64U << 10U;

// The terminal without echo while the value lives.
class Silence {
 public:
  explicit Silence(bool on) {
    if (!on || ::tcgetattr(0, &saved_) != 0) return;
    termios silent = saved_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    active_ = ::tcsetattr(0, TCSAFLUSH, &silent) == 0;
  }
  Silence(const Silence &) = delete;
  Silence &operator=(const Silence &) = delete;
  ~Silence() {
    if (!active_) return;
    (void)::tcsetattr(0, TCSAFLUSH, &saved_);
    (void)kernel::write_all(kernel::FdView(2), "\n");
  }

 private:
  termios saved_{};
  bool active_ = false;
};

Result<std::string> ask(std::string_view words, bool silent) {
  TRY(kernel::write_all(kernel::FdView(2), words));
  const Silence silence(silent);
  std::string line;
  for (char letter = 0; line.size() < longest_line;) {
    if (TRY(kernel::read_some(kernel::FdView(0), std::span(&letter, 1))) == 0 || letter == '\n') return line;
    line += letter;
  }
  return fail(E2BIG, "stdin: the line has no end");
}

Result<std::string> read_password(const Context &context) {
  if (context.flags().given("password")) return context.flag("password");
  if (context.flags().boolean("password-stdin")) {
    std::string text = TRY(in("stdin", kernel::read_all(kernel::FdView(0), longest_line)));
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    return text;
  }
  if (!kernel::is_terminal(kernel::FdView(0))) {
    return fail("login: no password, and stdin is no terminal", "give it by --password-stdin");
  }
  return ask("Password: ", true);
}

Result<Login> read_login(const Context &context) {
  if (context.registry.login) return *context.registry.login;
  Login login;
  login.user = context.flag("username");
  if (login.user.empty()) {
    if (context.flags().boolean("password-stdin") || !kernel::is_terminal(kernel::FdView(0))) {
      return fail("login: no user", "name one by --username");
    }
    login.user = TRY(ask("Username: ", false));
  }
  login.password = TRY(read_password(context));
  if (login.user.empty() || login.password.empty()) return fail("login: the user or the password is empty");
  return login;
}

std::string key_of(const Context &context) {
  std::string key = context.argument(0).empty() ? "docker.io" : context.argument(0);
  for (const std::string_view scheme : {"https://", "http://", "docker://"}) {
    if (key.starts_with(scheme)) key.erase(0, scheme.size());
  }
  while (key.ends_with('/')) key.pop_back();
  return key;
}

Result<int> login(const Context &context) {
  const std::string key = key_of(context);
  RegistryOptions options = context.registry;
  options.login = TRY(read_login(context));
  // The registry alone, or a repository in it: what is asked is the registry's root.
  ImageName name;
  name.registry = key.substr(0, key.find('/'));
  name.repository = key.find('/') == std::string::npos ? "" : key.substr(key.find('/') + 1);
  Progress progress(ProgressMode::quiet);
  Registry registry = TRY(Registry::open(name, options, progress));
  TRY(registry.check_login());
  const std::string where = TRY(save_login(options.authfile, key, *options.login));
  return print(fmt::format("Login Succeeded! Kept in {}\n", where));
}

Result<int> logout(const Context &context) {
  const std::string key = key_of(context);
  if (!TRY(remove_login(context.registry.authfile, key))) {
    return fail(fmt::format("not logged in to {}", key), "login keeps a login under the name that it was given");
  }
  return print(fmt::format("Removed login credentials for {}\n", key));
}

}  // namespace

const CommandEntry login_command = {
    .command = {.name = "login",
                .usage = "[REGISTRY]",
                .summary = "keep a registry's user and password, where Podman and skopeo keep them",
                .flags = login_flags,
                .max_positionals = 1},
    .run = login};

const CommandEntry logout_command = {
    .command = {.name = "logout", .usage = "[REGISTRY]", .summary = "forget what login kept", .max_positionals = 1},
    .run = logout};

}  // namespace skiff::image
