#include "imgtool/auth_file.h"

#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <vector>

#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"
#include "runtime/kernel/replace.h"
#include "spec/base64.h"
#include "spec/json.h"
#include "spec/writer.h"

namespace skiff::image {
namespace {

using spec::json::Kind;
using spec::json::Value;

constexpr std::size_t longest_file = std::size_t{4} << 20U;

std::string quoted(std::string_view text) { return spec::Writer("").document(std::string(text)); }

std::string text_member(Value object, std::string_view name) {
  const Value value = object.kind() == Kind::object ? object.member(name) : Value();
  return value && value.kind() == Kind::string ? std::string(value.text()) : std::string();
}

// ---- reading ----

Result<Login> parse_login(Value entry) {
  Login login{.user = text_member(entry, "username"),
              .password = text_member(entry, "password"),
              .identity_token = text_member(entry, "identitytoken")};
  const std::string auth = text_member(entry, "auth");
  if (auth.empty()) return login;
  const std::optional<std::string> pair = spec::decode_base64(auth);
  const std::size_t colon = pair ? pair->find(':') : std::string::npos;
  if (colon == std::string::npos) return fail(fmt::format("{}/auth: not base64 of USER:PASSWORD", entry.pointer()));
  login.user = pair->substr(0, colon);
  login.password = pair->substr(colon + 1);
  while (login.password.ends_with('\0')) login.password.pop_back();  // old versions of Docker wrote them
  return login;
}

Result<std::string> read_file(const std::string &path) {
  const kernel::Fd file = TRY(kernel::find_at(kernel::cwd, path, O_RDONLY));
  if (!file.valid()) return std::string();
  return kernel::read_all(file, longest_file);
}

Result<spec::json::Document> parse_object(std::string_view text) {
  auto document = spec::json::Document::parse(text.empty() ? "{}" : text);
  if (!document) return fail(document.error().text, "repair it, or remove it and log in again");
  if (document->root().kind() != Kind::object) return fail("not a JSON object");
  return *std::move(document);
}

Result<AuthFile> parse_auth_file(const std::string &path) {
  AuthFile file{.path = path, .logins = {}, .programs = {}, .store = {}};
  const std::string text = TRY(read_file(path));
  const spec::json::Document document = TRY(parse_object(text));
  Status outcome;
  if (const Value auths = document.root().member("auths"); auths && auths.kind() == Kind::object) {
    auths.each([&](Value entry) {
      Result<Login> login = parse_login(entry);
      if (login) {
        file.logins[normal_key(entry.key())] = *std::move(login);
      } else if (outcome) {
        outcome = std::unexpected(login.error());
      }
    });
  }
  if (!outcome) return std::unexpected(outcome.error());
  if (const Value programs = document.root().member("credHelpers"); programs && programs.kind() == Kind::object) {
    programs.each([&](Value entry) {
      if (entry.kind() == Kind::string) file.programs[normal_key(entry.key())] = entry.text();
    });
  }
  file.store = text_member(document.root(), "credsStore");
  return file;
}

// ---- writing: the whole document again, one entry of "auths" changed ----

void print_value(std::string &out, Value value, std::size_t depth);

void new_line(std::string &out, std::size_t depth) { out.append("\n").append(depth, '\t'); }

void print_members(std::string &out, Value value, std::size_t depth) {
  bool first = true;
  const bool object = value.kind() == Kind::object;
  value.each([&](Value member) {
    if (!first) out += ',';
    first = false;
    new_line(out, depth + 1);
    if (object) out.append(quoted(member.key())).append(": ");
    print_value(out, member, depth + 1);
  });
  if (!first) new_line(out, depth);
}

void print_value(std::string &out, Value value, std::size_t depth) {
  switch (value.kind()) {
    case Kind::null:
      out += "null";
      return;
    case Kind::boolean:
      out += value.number() != 0 ? "true" : "false";
      return;
    case Kind::negative:
      out += fmt::to_string(static_cast<std::int64_t>(value.number()));
      return;
    case Kind::natural:
      out += fmt::to_string(value.number());
      return;
    case Kind::fraction:
      out += value.text();
      return;
    case Kind::string:
      out += quoted(value.text());
      return;
    case Kind::array:
    case Kind::object:
      out += value.kind() == Kind::array ? '[' : '{';
      print_members(out, value, depth);
      out += value.kind() == Kind::array ? ']' : '}';
      return;
  }
}

std::string print_login(const Login &login) {
  std::string entry = "{";
  if (!login.user.empty() || !login.password.empty()) {
    entry += fmt::format("\n\t\t\t\"auth\": {}", quoted(spec::encode_base64(login.user + ":" + login.password)));
  }
  if (!login.identity_token.empty()) {
    entry += fmt::format("{}\n\t\t\t\"identitytoken\": {}", entry.size() > 1 ? "," : "", quoted(login.identity_token));
  }
  return entry + "\n\t\t}";
}

struct Changed {
  std::string text;
  bool found = false;
};

std::string print_auths(Value auths, const std::string &key, const Login *login, bool &found) {
  std::vector<std::string> entries;
  if (auths && auths.kind() == Kind::object) {
    auths.each([&](Value entry) {
      if (normal_key(entry.key()) == key) {
        found = true;
        return;
      }
      entries.push_back(quoted(entry.key()) + ": ");
      print_value(entries.back(), entry, 2);
    });
  }
  if (login != nullptr) entries.push_back(quoted(key) + ": " + print_login(*login));
  std::string text = "\"auths\": {";
  for (std::size_t i = 0; i < entries.size(); ++i) text += (i == 0 ? "\n\t\t" : ",\n\t\t") + entries[i];
  return text + (entries.empty() ? "}" : "\n\t}");
}

Changed change_text(const spec::json::Document &document, const std::string &key, const Login *login) {
  Changed changed;
  const Value root = document.root();
  changed.text = "{\n\t" + print_auths(root.member("auths"), key, login, changed.found);
  root.each([&](Value member) {
    if (member.key() == "auths") return;
    changed.text += ",\n\t" + quoted(member.key()) + ": ";
    print_value(changed.text, member, 1);
  });
  changed.text += "\n}\n";
  return changed;
}

Result<kernel::Fd> make_parent(const std::string &path) {
  const std::string parent = path.find('/') == std::string::npos ? "." : path.substr(0, path.rfind('/') + 1);
  TRY(kernel::make_parents(parent, 0700));
  return kernel::open(parent, O_RDONLY | O_DIRECTORY);
}

Status replace_file(const kernel::Fd &directory, const std::string &name, std::string_view text) {
  const std::string fresh = fmt::format(".{}.{}", name, kernel::getpid());
  return kernel::replace_file(directory, {.name = name, .temporary = fresh}, text);
}

}  // namespace

std::string normal_key(std::string_view key) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (key.starts_with(scheme)) key.remove_prefix(scheme.size());
  }
  while (key.ends_with('/')) key.remove_suffix(1);
  for (const std::string_view version : {"/v1", "/v2"}) {
    if (key.ends_with(version)) key.remove_suffix(version.size());
  }
  const std::string_view host = key.substr(0, key.find('/'));
  if (host != "index.docker.io" && host != "registry-1.docker.io") return std::string(key);
  return "docker.io" + std::string(key.substr(host.size()));
}

Result<AuthFile> load_auth_file(const std::string &path) { return in(path, parse_auth_file(path)); }

Result<bool> change_auth_file(const std::string &path, const std::string &key, const Login *login) {
  const kernel::Fd directory = TRY(make_parent(path));
  TRY(kernel::flock(directory, LOCK_EX));  // a second login waits, and reads what this one wrote
  const std::string text = TRY(in(path, read_file(path)));
  const spec::json::Document document = TRY(in(path, parse_object(text)));
  const Changed changed = change_text(document, key, login);
  if (login == nullptr && !changed.found) return false;
  TRY(in(path, replace_file(directory, path.substr(path.rfind('/') + 1), changed.text)));
  return true;
}

}  // namespace skiff::image
