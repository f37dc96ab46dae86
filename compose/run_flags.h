// From the flags of `run` and `create` to a Service: the one way to a container besides compose.yaml and .ctst.
#pragma once

#include <span>
#include <string_view>

#include "compose/project.h"
#include "runtime/cli/flags.h"

namespace skiff::compose {

// `flags` are those of create_flags or run_flags (run_flag_table.h); `image` and `arguments` the positionals. Reads the
// files and the environment that flags name; relative paths are relative to the working directory. Errors name the flag
// and what to write instead.
//
// A network "default" is none said; any other but host, none and container:NAME is an Attachment by its name. What is
// no property of a service (detach, rm, quiet, cidfile, attach, detach-keys, sig-proxy, publish-all) the caller reads.
[[nodiscard]] Result<Service> service_of_flags(const cli::Flags &flags, std::string_view image,
                                               std::span<const std::string_view> arguments);

}  // namespace skiff::compose
