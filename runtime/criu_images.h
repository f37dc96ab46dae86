// The directories that CRIU works in, and what the runtime keeps there beside the images.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/kernel/fd.h"

namespace skiff {

struct CriuDirectories {
  kernel::Fd images;
  kernel::Fd work;  // invalid where it is that of the images
  std::string image_path;
  std::string log;  // the path of the one that gets CRIU's log
};
// Makes the work directory where it is missing (0700), and with `make_images` that of the images with its parents.
[[nodiscard]] Result<CriuDirectories> open_criu_directories(const std::string &image_path, const std::string &work_path,
                                                            bool make_images);

// Opens both anew under the same numbers, in another mount namespace than before.
[[nodiscard]] Status reopen_criu_directories(const CriuDirectories &directories);

// Lets a group into a directory of images that is the owner's alone.
[[nodiscard]] Status let_in(const kernel::Fd &images, std::optional<std::uint32_t> group);

// Waits for the socket of `criu lazy-pages`, which may have been started at the same time as the restore: CRIU itself
// would not. Ten seconds at most; that it is not there then is CRIU's to say.
[[nodiscard]] Status wait_for_lazy_pages(const CriuDirectories &directories);

// --parent-path: a directory, relative to that of the images, in which CRIU makes a link to it.
[[nodiscard]] Status check_parent_path(const kernel::Fd &images, const std::string &parent_path);

// descriptors.json (spec/state.h). Images without it have none.
[[nodiscard]] Status save_descriptors(const kernel::Fd &images, const std::vector<std::string> &descriptors);
[[nodiscard]] Result<std::vector<std::string>> load_descriptors(const kernel::Fd &images);

// /etc/criu/skiff.conf.
[[nodiscard]] bool has_own_criu_config();

}  // namespace skiff
