// What stands between a bundle and a container on this host, found without making one: missing files, features that the
// kernel lacks, ids that do not map, limits that are not the runtime's to give.
//
// Everything is looked at and nothing is changed. A finding is what a create by this user would fail at, or would leave
// out of what config.json asks for. What only root could see is no finding.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/bundle.h"
#include "runtime/host.h"

namespace skiff {

struct BundleReport {
  std::vector<spec::Finding> findings;
  std::vector<std::string> notes;  // what could not be looked at, and what is odd but works; one line each
};

// What this host has against the bundle, in the order of config.json's own sections. The rules of the spec are not
// looked at: where they do not hold, findings may be missing.
[[nodiscard]] std::vector<spec::Finding> check_host(const Bundle &bundle, const Host &host);

// The findings of parse_config, of spec::check and of check_host together, those of the spec first; a place that the
// spec's findings name is not named again. An empty path is the working directory. Errors: no such directory, no
// config.json, a file above max_config_bytes.
[[nodiscard]] Result<BundleReport> check_bundle(std::string_view path, const Host &host);

}  // namespace skiff
