#include "imgtool/accounts.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "runtime/cli/value.h"
#include "runtime/kernel/path.h"
#include "spec/names.h"

namespace skiff::image {
namespace {

constexpr std::size_t largest_file = 16U << 20U;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// CVE-2024-9676: a FIFO would be waited for, a device read for ever.
Result<std::string> read_accounts(kernel::FdView root, const std::string &path) {
  const kernel::Fd file = TRY(kernel::find_in_root(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  if (!file.valid() || !S_ISREG(TRY(kernel::fstat(file)).st_mode)) return "";
  return in(path, kernel::read_all(file, largest_file));
}

std::optional<std::vector<std::string_view>> find_line(std::string_view text, std::size_t fields, std::string_view name,
                                                       bool by_number) {
  for (const std::string_view line : split(text, '\n')) {
    std::vector<std::string_view> parts = split(line, ':');
    if (parts.size() >= fields && parts[by_number ? 2 : 0] == name) return parts;
  }
  return std::nullopt;
}

Result<std::uint32_t> parse_id(std::string_view text, std::string_view what) {
  const auto id = cli::parse_number<std::int32_t>(text);
  if (id && *id >= 0) return static_cast<std::uint32_t>(*id);
  return fail(fmt::format("{} {}", what, spec::quote(text)), "an id is a number from 0 to 2147483647");
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

Result<std::uint32_t> find_gid(std::string_view group_file, std::string_view name) {
  const auto line = find_line(group_file, 3, name, false);
  if (line) return parse_id((*line)[2], "/etc/group: gid");
  if (is_number(name) || name.starts_with('-')) return parse_id(name, "group");
  return fail(fmt::format("group {}: /etc/group has no such name", spec::quote(name)));
}

}  // namespace

Result<Account> find_account(kernel::FdView root, std::string_view user) {
  const std::size_t colon = user.find(':');
  std::string_view name = user.substr(0, colon);
  if (name.empty()) name = "0";
  const std::string passwd = TRY(read_accounts(root, "/etc/passwd"));
  const std::string group = TRY(read_accounts(root, "/etc/group"));
  Account account;
  auto line = find_line(passwd, 4, name, false);
  if (!line && (is_number(name) || name.starts_with('-'))) {
    account.uid = TRY(parse_id(name, "user"));
    line = find_line(passwd, 4, name, true);
  } else if (!line) {
    return fail(fmt::format("user {}: /etc/passwd has no such name", spec::quote(name)));
  }
  if (line) {
    account.uid = TRY(parse_id((*line)[2], "/etc/passwd: uid"));
    account.gid = TRY(parse_id((*line)[3], "/etc/passwd: gid"));
    if (line->size() > 5) account.home = (*line)[5];
  }
  if (colon != std::string_view::npos) {
    account.gid = TRY(find_gid(group, user.substr(colon + 1)));
    return account;
  }
  if (!line) return account;
  for (const std::string_view one : split(group, '\n')) {
    const std::vector<std::string_view> parts = split(one, ':');
    if (parts.size() < 4 || std::ranges::count(split(parts[3], ','), (*line)[0]) == 0) continue;
    account.additional_gids.push_back(TRY(parse_id(parts[2], "/etc/group: gid")));
  }
  return account;
}

std::string find_passwd_line(std::string_view passwd, std::string_view user) {
  auto line = find_line(passwd, 7, user, false);
  if (!line && is_number(user)) line = find_line(passwd, 7, user, true);
  return line ? fmt::format("{}\n", fmt::join(*line, ":")) : "";
}

std::string find_group_line(std::string_view group, std::string_view name) {
  auto line = find_line(group, 3, name, false);
  if (!line && is_number(name)) line = find_line(group, 3, name, true);
  return line ? fmt::format("{}\n", fmt::join(*line, ":")) : "";
}

}  // namespace skiff::image
