// One auth.json or config.json, read and rewritten.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "imgtool/credentials.h"

namespace skiff::image {

struct AuthFile {
  std::string path;
  std::map<std::string, Login> logins;          // by normal_key(); without a name and a secret where a program has it
  std::map<std::string, std::string> programs;  // credHelpers: registry to the program's name
  std::string store;                            // credsStore: the program for all others
};

// What Docker writes as https://index.docker.io/v1/ is docker.io; schemes and API versions are no part of a key.
[[nodiscard]] std::string normal_key(std::string_view key);

// Missing is empty. An error names the file and what is wrong in it.
[[nodiscard]] Result<AuthFile> load_auth_file(const std::string &path);
// Puts the login under the key, or without one takes away whatever is there under it: false where nothing was. The
// other members stay.
[[nodiscard]] Result<bool> change_auth_file(const std::string &path, const std::string &key, const Login *login);

}  // namespace skiff::image
