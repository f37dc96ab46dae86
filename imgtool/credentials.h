// Logins as Podman, skopeo and Docker keep them: containers-auth.json(5), Docker's config.json, and the programs that
// these files name (credHelpers, credsStore).
#pragma once

#include <optional>
#include <string>

#include "spec/error.h"

namespace skiff::image {

struct Login {
  std::string user;
  std::string password;
  std::string identity_token;  // in place of both
};

// The login for a repository. Looked for in `authfile` alone where one is given, else in $REGISTRY_AUTH_FILE alone,
// else in $XDG_RUNTIME_DIR/containers/auth.json (or /run/containers/UID/auth.json),
// $XDG_CONFIG_HOME/containers/auth.json and $DOCKER_CONFIG/config.json. The longest key counts: registry/a/b before
// registry/a before registry.
[[nodiscard]] Result<std::optional<Login>> find_login(const std::string &authfile, const std::string &registry,
                                                      const std::string &repository);

// Keeps it in the first of these places, under a key as above: in the program that the file names for this registry,
// else in the file itself (0600, by rename, other members as they were). Returns where: a path or a program.
[[nodiscard]] Result<std::string> save_login(const std::string &authfile, const std::string &key, const Login &login);
// False where there was none of that key.
[[nodiscard]] Result<bool> remove_login(const std::string &authfile, const std::string &key);

}  // namespace skiff::image
