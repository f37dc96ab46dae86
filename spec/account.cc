#include "spec/account.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "spec/names.h"

namespace skiff::spec {
namespace {

constexpr std::uint32_t highest_id = 2147483647;
constexpr std::size_t most_groups = 65536;  // NGROUPS_MAX: setgroups(2) takes no more

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// "-1": an id to some parser.
bool is_signed_number(std::string_view text) {
  return text.find_first_not_of("+-0123456789") == std::string_view::npos;
}

std::optional<std::uint32_t> id_of(std::string_view text) {
  std::uint32_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && id <= highest_id ? std::optional(id) : std::nullopt;
}

std::unexpected<Error> bad_id(std::string_view user, std::string_view number) {
  return fail(fmt::format("user {}: {} is no id from 0 to {}", quote(user), quote(number), highest_id),
              "ids beyond are taken for negative ones somewhere and end as root (CVE-2024-40635)");
}

// A line of either file, by its colons; `members` is what follows the third: of passwd "gid:gecos:home:shell".
struct Entry {
  std::string_view name;
  std::string_view id;
  std::string_view rest;
};

std::string_view cut(std::string_view &text, char end) {
  const std::size_t at = std::min(text.find(end), text.size());
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return part;
}

template <class Visit>
void each_entry(std::string_view text, Visit visit) {
  while (!text.empty()) {
    std::string_view line = cut(text, '\n');
    if (line.empty() || line.front() == '#') continue;
    Entry entry;
    entry.name = cut(line, ':');
    cut(line, ':');  // the password
    entry.id = cut(line, ':');
    entry.rest = line;
    visit(entry);
  }
}

// The first entry that fits.
template <class Fits>
std::optional<Entry> find_entry(std::string_view text, Fits fits) {
  std::optional<Entry> found;
  each_entry(text, [&](const Entry &entry) {
    if (!found && fits(entry)) found = entry;
  });
  return found;
}

std::string text_or_warn(const Result<std::string> &text, std::vector<std::string> &warnings) {
  if (!text) warnings.push_back(text.error().message() + "; taken as missing");
  return text.value_or(std::string());
}

std::unexpected<Error> no_such(std::string_view user, std::string_view what, std::string_view name, const char *path) {
  return fail(fmt::format("user {}: the image's {} has no {} {}", quote(user), path, what, quote(name)),
              "give its number, or another user");
}

Status take_name(Account &out, std::string_view text, const Entry &entry) {
  std::string_view rest = entry.rest;
  const std::string_view gid = cut(rest, ':');
  cut(rest, ':');  // gecos
  const auto uid_number = id_of(entry.id);
  const auto gid_number = id_of(gid);
  if (!uid_number) return bad_id(text, entry.id);
  if (!gid_number) return bad_id(text, gid);
  out.uid = *uid_number;
  out.gid = *gid_number;
  out.home = cut(rest, ':');
  return {};
}

// The groups that name the user as a member, after the primary one.
void take_groups(Account &out, std::string_view groups, std::string_view name) {
  each_entry(groups, [&](const Entry &entry) {
    std::string_view members = entry.rest;
    bool member = false;
    while (!members.empty()) member = cut(members, ',') == name || member;
    const std::optional<std::uint32_t> gid = id_of(entry.id);
    if (!member || !gid || out.groups.size() >= most_groups) return;
    if (std::ranges::find(out.groups, *gid) == out.groups.end()) out.groups.push_back(*gid);
  });
}

Result<std::uint32_t> find_group(const AccountFiles &files, std::string_view text, std::string_view group) {
  if (is_number(group)) {
    const std::optional<std::uint32_t> gid = id_of(group);
    if (!gid) return bad_id(text, group);
    return *gid;
  }
  if (is_signed_number(group)) return bad_id(text, group);
  const std::string groups = TRY(files.group);
  const auto found = find_entry(groups, [&](const Entry &entry) { return entry.name == group; });
  if (!found) return no_such(text, "group", group, "/etc/group");
  const std::optional<std::uint32_t> gid = id_of(found->id);
  if (!gid) return bad_id(text, found->id);
  return *gid;
}

// Fills uid, primary group and home; returns the name for the supplementary groups, or nothing.
Result<std::string> take_user(Account &out, const AccountFiles &files, std::string_view text, std::string_view user,
                              std::vector<std::string> &warnings) {
  if (!is_number(user)) {
    if (is_signed_number(user)) return bad_id(text, user);
    const std::string users = TRY(files.passwd);
    const auto found = find_entry(users, [&](const Entry &entry) { return entry.name == user; });
    if (!found) return no_such(text, "user", user, "/etc/passwd");
    TRY(take_name(out, text, *found));
    return std::string(user);
  }
  const std::optional<std::uint32_t> uid = id_of(user);
  if (!uid) return bad_id(text, user);
  const std::string users = text_or_warn(files.passwd, warnings);
  const auto found = find_entry(users, [&](const Entry &entry) { return id_of(entry.id) == uid; });
  if (found && !take_name(out, text, *found)) return bad_id(text, found->rest.substr(0, found->rest.find(':')));
  out.uid = *uid;
  return found ? std::string(found->name) : std::string();
}

}  // namespace

Result<Account> find_account(const AccountFiles &files, std::string_view text, std::vector<std::string> &warnings) {
  std::string_view rest = text;
  std::string_view user = cut(rest, ':');
  if (rest.find(':') != std::string_view::npos) {
    return fail(fmt::format("user {}: it has more than one colon", quote(text)), "write USER or USER:GROUP");
  }
  if (user.empty()) user = "0";
  Account out;
  const std::string name = TRY(take_user(out, files, text, user, warnings));
  if (!rest.empty()) out.gid = TRY(find_group(files, text, rest));
  out.groups = {out.gid};
  // config.md: "If group/gid is specified, supplementary groups from the container are ignored."
  if (rest.empty() && !name.empty()) take_groups(out, text_or_warn(files.group, warnings), name);
  return out;
}

Result<std::uint32_t> find_group_id(const AccountFiles &files, std::string_view group) {
  return find_group(files, group, group);
}

}  // namespace skiff::spec
