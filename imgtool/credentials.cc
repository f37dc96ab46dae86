#include "imgtool/credentials.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <vector>

#include "imgtool/auth_file.h"
#include "imgtool/credential_program.h"
#include "runtime/kernel/environment.h"

namespace skiff::image {
namespace {

// Where `login` writes, and the first that is read.
std::string first_place(const std::string &authfile) {
  if (!authfile.empty()) return authfile;
  if (std::string named = kernel::environment_variable("REGISTRY_AUTH_FILE"); !named.empty()) return named;
  if (const std::string run = kernel::environment_variable("XDG_RUNTIME_DIR"); !run.empty())
    return run + "/containers/auth.json";
  return fmt::format("/run/containers/{}/auth.json", ::getuid());
}

std::vector<std::string> all_places(const std::string &authfile) {
  std::vector<std::string> places = {first_place(authfile)};
  if (!authfile.empty() || !kernel::environment_variable("REGISTRY_AUTH_FILE").empty()) return places;
  const std::string home = kernel::environment_variable("HOME");
  if (const std::string config = kernel::environment_variable("XDG_CONFIG_HOME"); !config.empty()) {
    places.push_back(config + "/containers/auth.json");
  } else if (!home.empty()) {
    places.push_back(home + "/.config/containers/auth.json");
  }
  if (const std::string docker = kernel::environment_variable("DOCKER_CONFIG"); !docker.empty()) {
    places.push_back(docker + "/config.json");
  } else if (!home.empty()) {
    places.push_back(home + "/.docker/config.json");
  }
  return places;
}

// Docker's programs know its hub by the address that Docker has always given them.
std::string server_name(const AuthFile &file, const std::string &registry) {
  const bool dockers = file.path.ends_with("config.json");
  return dockers && registry == "docker.io" ? "https://index.docker.io/v1/" : registry;
}

std::string program_for(const AuthFile &file, const std::string &registry) {
  const auto found = file.programs.find(registry);
  return found == file.programs.end() ? file.store : found->second;
}

// registry/a/b, registry/a, registry
std::vector<std::string> keys_of(const std::string &registry, const std::string &repository) {
  std::vector<std::string> keys;
  std::string key = registry;
  key += '/';
  key += repository;
  for (; key.size() > registry.size(); key.resize(key.rfind('/'))) {
    keys.push_back(key);
  }
  keys.push_back(registry);
  return keys;
}

Result<std::optional<Login>> find_in(const AuthFile &file, const std::string &registry, const std::string &repository) {
  for (const std::string &key : keys_of(registry, repository)) {
    const auto found = file.logins.find(key);
    if (found == file.logins.end()) continue;
    if (!found->second.user.empty() || !found->second.identity_token.empty()) return found->second;
  }
  const std::string program = program_for(file, registry);
  if (program.empty()) return std::nullopt;
  return in(file.path, ask_credential_program(program, server_name(file, registry)));
}

}  // namespace

Result<std::optional<Login>> find_login(const std::string &authfile, const std::string &registry,
                                        const std::string &repository) {
  for (const std::string &place : all_places(authfile)) {
    const AuthFile file = TRY(load_auth_file(place));
    std::optional<Login> login = TRY(find_in(file, registry, repository));
    if (login) return login;
  }
  return std::nullopt;
}

Result<std::string> save_login(const std::string &authfile, const std::string &key, const Login &login) {
  const AuthFile file = TRY(load_auth_file(first_place(authfile)));
  const std::string registry = key.substr(0, key.find('/'));
  const std::string program = program_for(file, registry);
  if (program.empty()) {
    TRY(change_auth_file(file.path, key, &login));
    return file.path;
  }
  TRY(in(file.path, store_in_credential_program(program, server_name(file, registry), login)));
  return "docker-credential-" + program;
}

Result<bool> remove_login(const std::string &authfile, const std::string &key) {
  const AuthFile file = TRY(load_auth_file(first_place(authfile)));
  const std::string registry = key.substr(0, key.find('/'));
  const std::string program = program_for(file, registry);
  bool erased = false;
  if (!program.empty()) {
    erased = TRY(in(file.path, erase_in_credential_program(program, server_name(file, registry))));
  }
  return TRY(change_auth_file(file.path, key, nullptr)) || erased;
}

}  // namespace skiff::image
