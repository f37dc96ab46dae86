// The references that .ctst's `${secret.NAME}` leaves in a Service, and the values behind them.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "compose/project.h"
#include "spec/error.h"

namespace skiff::compose {

// The variable that `environment:` of a secret or a config names, as the project has it: the shell's, or .env's.
[[nodiscard]] Result<std::string> variable_of(const Project &project, const FileSource &source);

// The value of a secret that .ctst refers to: of its variable or of its file, without the newline at its end. EACCES
// where the file's mode is neither 0400 nor 0600.
[[nodiscard]] Result<std::string> read_secret(const Project &project, const FileSource &secret);

// The service with the values in place of its secret_references. For lower_service only: what comes out goes into the
// container's configuration, never into a record, a log or a printed form.
[[nodiscard]] Result<Service> with_secrets(Service service, const Project &project);

// "${secret.NAME}" by what `value_of` gives, "$$" by "$".
[[nodiscard]] Result<std::string> replace_secrets(
    std::string_view text, const std::function<Result<std::string>(std::string_view name)> &value_of);

// "$" as "$$": what a text that replace_secrets reads writes for that letter.
[[nodiscard]] std::string escape_dollars(std::string_view text);

}  // namespace skiff::compose
