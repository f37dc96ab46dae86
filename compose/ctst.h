// A .ctst file to the tree that finish_project (finish.h) makes a Project of (CTST.md).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compose/finding.h"
#include "compose/value.h"
#include "spec/error.h"

namespace skiff::compose {

struct CtstRequest {
  std::string path;                                // as errors name it
  std::string text;                                // of the file
  std::string directory;                           // absolute: where the file lies
  std::map<std::string, std::string> environment;  // for ${env.NAME} and for secrets
  std::vector<std::string> import_paths;           // --import-path
  bool offline = false;                            // https imports come from the cache alone
  std::string cache_directory;                     // of https imports; ctst_cache_directory
  std::string secrets_directory;                   // ctst_secrets_directory
  bool need_secrets = false;                       // one without a value is a finding
  // What an https import says, from its URL; fetch_import where it is empty.
  std::function<Result<std::string>(const std::string &url)> fetch;
};

struct CtstModel {
  // Compose-shaped, in the keys of the compose-spec and x-skiff, paths absolute. Nothing is left to interpolate; `$` is
  // a letter in it. Secrets are references, see Service::secret_references.
  Value model;
  std::vector<std::shared_ptr<const Source>> sources;  // what the positions point into
};

// All that is wrong goes into `findings`; the model of a file with errors is not to be used.
[[nodiscard]] CtstModel load_ctst(const CtstRequest &request, Findings &findings);

// skiff/ctst in $XDG_CACHE_HOME or ~/.cache.
[[nodiscard]] std::string ctst_cache_directory(const std::map<std::string, std::string> &environment);
// $SKIFF_SECRETS, else /run/skiff/secrets for root, skiff/secrets in $XDG_RUNTIME_DIR for a user.
[[nodiscard]] std::string ctst_secrets_directory(const std::map<std::string, std::string> &environment, bool root);

}  // namespace skiff::compose
