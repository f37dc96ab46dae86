#include "imgtool/image_user.h"

#include "runtime/kernel/proc.h"

namespace skiff::image {

Result<spec::Account> find_image_user(kernel::FdView root, std::string_view text, std::vector<std::string> &warnings) {
  constexpr std::size_t longest_file = std::size_t{4} << 20U;
  const spec::AccountFiles files{.passwd = kernel::read_regular_in_root(root, "/etc/passwd", longest_file),
                                 .group = kernel::read_regular_in_root(root, "/etc/group", longest_file)};
  return spec::find_account(files, text, warnings);
}

}  // namespace skiff::image
