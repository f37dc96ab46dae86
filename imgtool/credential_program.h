// docker-credential-NAME: a program that keeps passwords (the protocol of docker-credential-helpers).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "imgtool/credentials.h"

namespace skiff::image {

// `get` for a server; empty where the program has nothing for it.
[[nodiscard]] Result<std::optional<Login>> ask_credential_program(const std::string &name, const std::string &server);
[[nodiscard]] Status store_in_credential_program(const std::string &name, const std::string &server,
                                                 const Login &login);
// False where there was nothing.
[[nodiscard]] Result<bool> erase_in_credential_program(const std::string &name, const std::string &server);

}  // namespace skiff::image
