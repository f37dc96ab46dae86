// Mounts as one word of a command line says them: docker's --volume, --mount and --tmpfs.
#pragma once

#include <string>
#include <string_view>

#include "compose/project.h"
#include "spec/error.h"

namespace skiff::compose {

// Errors have no place: the caller adds the flag. `directory` is what a relative source is relative to.

// "[SOURCE:]TARGET[:OPTIONS]": a source with a '/' in front or a '.' is a path of the host, any other a volume's name.
[[nodiscard]] Result<Mount> parse_volume(std::string_view text, const std::string &directory);
// "type=bind,source=/a,target=/b,readonly": a field with a comma or a quote stands in double quotes, as in CSV.
[[nodiscard]] Result<Mount> parse_mount(std::string_view text, const std::string &directory);
// "TARGET[:OPTIONS]"
[[nodiscard]] Result<Mount> parse_tmpfs(std::string_view text);

}  // namespace skiff::compose
