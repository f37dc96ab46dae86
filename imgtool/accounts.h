// /etc/passwd and /etc/group of an image: who "USER name:group" is (config.md, "User"). Read by descriptors inside the
// root, by a parser of ours: neither the host's accounts nor the image's libraries have a say.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/kernel/fd.h"

namespace skiff::image {

struct Account {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> additional_gids;  // groups that name the user, where no group was asked for
  std::string home;                            // empty: not known
};

// "", "name", "uid", "name:group", "uid:gid" and what lies between. A number needs no line of its own, and must be
// below 2^31 (CVE-2024-40635); a name that has none is an error. A file that is no regular one counts as empty.
[[nodiscard]] Result<Account> find_account(kernel::FdView root, std::string_view user);

// The lines themselves, for who copies them: of the names or numbers that the user is; empty where there are none.
[[nodiscard]] std::string find_passwd_line(std::string_view passwd, std::string_view user);
[[nodiscard]] std::string find_group_line(std::string_view group, std::string_view name);

}  // namespace skiff::image
