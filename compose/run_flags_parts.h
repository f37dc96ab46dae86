// The halves of service_of_flags: each fills the fields that its file is named for.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "compose/project.h"
#include "runtime/cli/flags.h"
#include "spec/names.h"

namespace skiff::compose {

[[nodiscard]] Status take_network_flags(const cli::Flags &flags, Service &service);
[[nodiscard]] Status take_resource_flags(const cli::Flags &flags, Service &service);
[[nodiscard]] Status take_security_flags(const cli::Flags &flags, const std::string &directory, Service &service);
[[nodiscard]] Status take_device_flags(const cli::Flags &flags, Service &service);

// Calls `take` with every value of a flag; an error gets the flag and the value in front.
template <class Take>
[[nodiscard]] Status each_value(const cli::Flags &flags, std::string_view name, Take take) {
  for (const std::string_view value : flags.strings(name)) {
    if (Status taken = take(value); !taken) {
      return std::unexpected(in(fmt::format("--{} {}", name, spec::quote(value)), std::move(taken).error()));
    }
  }
  return {};
}

}  // namespace skiff::compose
