#include "imgtool/credential_program.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"
#include "spec/json.h"
#include "spec/names.h"
#include "spec/writer.h"

namespace skiff::image {
namespace {

constexpr std::size_t longest_answer = std::size_t{1} << 20U;
constexpr std::string_view token_user = "<token>";  // the secret is an identity token then

struct Answer {
  int code = 0;
  std::string text;
};

Result<std::string> find_program(const std::string &program) {
  std::string found = kernel::find_on_path(program);
  if (!found.empty()) return found;
  return fail(ENOENT, program, "install it, or take it out of credHelpers and credsStore");
}

// Between clone3(2) and exec: other threads may hold the heap's lock, so nothing here allocates.
[[noreturn]] void become(const std::string &path, const char *const *argv, const kernel::Fd &in,
                         const kernel::Fd &out) {
  const bool ready = kernel::reset_signals() && kernel::dup_onto(in, 0) && kernel::dup_onto(out, 1);
  if (ready) (void)kernel::execveat(kernel::cwd, path, argv, environ, 0);
  _exit(127);
}

Result<Answer> run(const std::string &name, const char *action, std::string_view input) {
  if (name.empty() || name.find('/') != std::string::npos) {
    return fail(fmt::format("credential program {}: not a name", spec::quote(name)));
  }
  const std::string program = "docker-credential-" + name;
  const std::string path = TRY(find_program(program));
  const std::array<const char *, 3> argv = {program.c_str(), action, nullptr};
  kernel::Pipe to = TRY(kernel::pipe2());
  kernel::Pipe from = TRY(kernel::pipe2());
  kernel::Child child = TRY(kernel::clone3({}));
  if (child.is_this_process()) become(path, argv.data(), to.read, from.write);
  to.read.reset();
  from.write.reset();
  const Status written = kernel::write_all(to.write, input);
  // One that fails before it has read all still says why on its standard output.
  if (!written && written.error().number != EPIPE) return std::unexpected(in(program, written.error()));
  to.write.reset();
  std::string text = TRY(in(program, kernel::read_all(from.read, longest_answer)));
  const kernel::ExitStatus status = TRY(child.wait());
  while (text.ends_with('\n')) text.pop_back();
  return Answer{.code = status.shell_code(), .text = std::move(text)};
}

bool says_nothing_there(const Answer &answer) {
  return answer.text.find("credentials not found") != std::string::npos ||
         answer.text.find("no credentials server URL") != std::string::npos;
}

std::unexpected<Error> failed(const std::string &name, const char *action, const Answer &answer) {
  return fail(
      fmt::format("docker-credential-{} {}: exit code {}: {}", name, action, answer.code, spec::quote(answer.text)));
}

std::string text_member(const spec::json::Document &document, std::string_view name) {
  const spec::json::Value value = document.root().member(name);
  return value && value.kind() == spec::json::Kind::string ? std::string(value.text()) : std::string();
}

struct Stored {
  const std::string *server;
  const Login *login;
};

void fields(spec::Writer &v, const Stored &stored) {
  const bool token = !stored.login->identity_token.empty();
  v.always("ServerURL", *stored.server);
  v.always("Username", token ? std::string(token_user) : stored.login->user);
  v.always("Secret", token ? stored.login->identity_token : stored.login->password);
}

}  // namespace

Result<std::optional<Login>> ask_credential_program(const std::string &name, const std::string &server) {
  const Answer answer = TRY(run(name, "get", server));
  if (answer.code != 0 && says_nothing_there(answer)) return std::nullopt;
  if (answer.code != 0) return failed(name, "get", answer);
  const auto document = spec::json::Document::parse(answer.text);
  if (!document || document->root().kind() != spec::json::Kind::object) {
    return fail(fmt::format("docker-credential-{} get: its answer is no JSON object", name));
  }
  std::string user = text_member(*document, "Username");
  std::string secret = text_member(*document, "Secret");
  if (user.empty() && secret.empty()) return std::nullopt;
  if (user == token_user) return Login{.user = {}, .password = {}, .identity_token = std::move(secret)};
  return Login{.user = std::move(user), .password = std::move(secret), .identity_token = {}};
}

Status store_in_credential_program(const std::string &name, const std::string &server, const Login &login) {
  const Answer answer = TRY(run(name, "store", spec::Writer("").document(Stored{&server, &login})));
  if (answer.code != 0) return failed(name, "store", answer);
  return {};
}

Result<bool> erase_in_credential_program(const std::string &name, const std::string &server) {
  const Answer answer = TRY(run(name, "erase", server));
  if (answer.code != 0 && says_nothing_there(answer)) return false;
  if (answer.code != 0) return failed(name, "erase", answer);
  return true;
}

}  // namespace skiff::image
