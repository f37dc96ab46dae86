// Who a container's process runs as: image-spec config.md, "User", by the texts of its /etc/passwd and /etc/group.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "spec/error.h"

namespace skiff::spec {

// As they were read: empty where there is none, an error where it could not be read.
struct AccountFiles {
  Result<std::string> passwd;
  Result<std::string> group;
};

struct Account {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  // The primary one first (CVE-2023-25173: a group that is missing here may be one that is denied something).
  std::vector<std::uint32_t> groups;
  std::string home;  // empty where /etc/passwd has none for it
};

// `text` is user, uid, user:group, uid:gid, uid:group or user:gid; empty is 0. A number is taken as it is, whether it
// has an entry or not, and never as a name. Without a group the user's own and supplementary ones are taken. Errors: no
// such name; a number above 2147483647, which some kernel interface takes for a negative one (CVE-2024-40635). For a
// number a file that could not be read counts as missing and is told in `warnings`.
[[nodiscard]] Result<Account> find_account(const AccountFiles &files, std::string_view text,
                                           std::vector<std::string> &warnings);
// A group alone, by its name or number, with the same errors.
[[nodiscard]] Result<std::uint32_t> find_group_id(const AccountFiles &files, std::string_view group);

}  // namespace skiff::spec
