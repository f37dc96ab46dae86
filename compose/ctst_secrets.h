// Where the value of a secret is: looked for, never read into the model (CTST.md, "Secrets").
#pragma once

#include <string>

#include "compose/ctst.h"

namespace skiff::compose::ctst {

// One of the two: a variable of the environment, or a file.
struct SecretSource {
  std::string environment;
  std::string file;
};

// SKIFF_SECRET_NAME, CONTAINUST_SECRET_NAME, then the file in the secrets folder, which has to be its owner's alone.
[[nodiscard]] Result<SecretSource> find_secret(const std::string &name, const CtstRequest &request);

// Where it would be looked for first.
[[nodiscard]] SecretSource default_secret(const std::string &name);

}  // namespace skiff::compose::ctst
