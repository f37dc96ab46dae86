#include <fmt/format.h>

#include <algorithm>

#include "compose/env_file.h"
#include "compose/lower_parts.h"
#include "runtime/kernel/proc.h"
#include "spec/account.h"
#include "spec/names.h"

namespace skiff::compose {
namespace {

constexpr std::string_view default_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

Status lower_arguments(const Service &service, spec::Process &process) {
  process.args = service.entrypoint.value_or(std::vector<std::string>());
  const std::vector<std::string> command = service.command.value_or(std::vector<std::string>());
  process.args.insert(process.args.end(), command.begin(), command.end());
  if (!process.args.empty()) return {};
  return fail("command: neither the image nor you say what to run", "add a command");
}

bool is_mapped(const std::vector<spec::IdMapping> &mappings, std::uint32_t id) {
  return mappings.empty() || std::ranges::any_of(mappings, [&](const spec::IdMapping &each) {
           return id >= each.container_id && id - each.container_id < each.size;
         });
}

// setgroups(2) is denied to a user who maps himself alone (user_namespaces(7)).
bool may_set_groups(const LowerContext &context) {
  const std::vector<spec::IdMapping> &gids = context.id_maps.gids;
  return !context.host->rootless() || gids.size() != 1 || gids.front().size != 1;
}

spec::AccountFiles read_accounts(kernel::FdView rootfs) {
  constexpr std::size_t longest_file = std::size_t{4} << 20U;
  return {.passwd = kernel::read_regular_in_root(rootfs, "/etc/passwd", longest_file),
          .group = kernel::read_regular_in_root(rootfs, "/etc/group", longest_file)};
}

// Whom the service asks for; userns_mode keep-id makes it the caller.
std::string user_of(const Service &service, const LowerContext &context) {
  if (!service.user.empty() || service.userns_mode != "keep-id") return service.user;
  return fmt::format("{}:{}", context.host->uid, context.host->gid);
}

Status add_groups(const Service &service, const LowerContext &context, const spec::AccountFiles &files,
                  spec::Account &account) {
  if (service.group_add.empty()) return {};
  if (!may_set_groups(context)) {
    return fail(EPERM, "group_add: a user who maps himself alone has no further groups",
                "have ids granted in /etc/subgid");
  }
  for (const std::string &name : service.group_add) {
    const std::uint32_t gid = TRY(in("group_add", spec::find_group_id(files, name)));
    if (!is_mapped(context.id_maps.gids, gid)) {
      return fail(fmt::format("group_add: {} ({}): the user namespace does not map it", name, gid));
    }
    if (std::ranges::find(account.groups, gid) == account.groups.end()) account.groups.push_back(gid);
  }
  return {};
}

Result<spec::Account> find_user(const Service &service, const LowerContext &context) {
  const spec::AccountFiles files = read_accounts(context.rootfs);
  const bool of_image = context.image != nullptr && context.image->user == service.user && context.host->rootless();
  std::vector<std::string> ignored;  // a number does not need the files
  spec::Account account = TRY(in("user", spec::find_account(files, user_of(service, context), ignored)));
  const bool mapped = is_mapped(context.id_maps.uids, account.uid) && is_mapped(context.id_maps.gids, account.gid);
  if (!mapped && of_image) {
    // As unpack does: with no ids but the caller's own an image's user can only be the caller.
    account = spec::Account{.uid = 0, .gid = 0, .groups = {0}, .home = account.home};
  } else if (!mapped) {
    return fail(EINVAL,
                fmt::format("user: {} ({}:{}): the user namespace does not map it", spec::quote(service.user),
                            account.uid, account.gid),
                context.host->rootless() ? "have ids granted in /etc/subuid and /etc/subgid, or run as user 0"
                                         : "map it with uid_maps and gid_maps");
  }
  std::erase_if(account.groups, [&](std::uint32_t gid) { return !is_mapped(context.id_maps.gids, gid); });
  if (!may_set_groups(context)) account.groups.clear();
  TRY(add_groups(service, context, files, account));
  return account;
}

// Docker's: what every container has, then the image's and the service's own; a variable that is said without a value
// is taken away.
std::vector<std::string> make_env(const Service &service, const spec::Account &account, const std::string &hostname) {
  Environment all = {{"PATH", std::string(default_path)}};
  if (!hostname.empty()) set_variable(all, {"HOSTNAME", hostname});
  if (service.tty) set_variable(all, {"TERM", "xterm"});
  if (account.home.starts_with('/')) set_variable(all, {"HOME", account.home});
  for (const Environment::value_type &variable : service.environment) set_variable(all, variable);
  std::vector<std::string> env;
  for (const auto &[name, value] : all) {
    if (value) env.push_back(fmt::format("{}={}", name, *value));
  }
  return env;
}

Status lower_limits(const Service &service, spec::Process &process) {
  for (const Ulimit &limit : service.ulimits) {
    std::string type = "RLIMIT_";
    for (const char letter : limit.name)
      type += static_cast<char>(letter >= 'a' && letter <= 'z' ? letter - 32 : letter);
    if (limit.soft > limit.hard) {
      return fail(
          fmt::format("ulimits.{}: the soft limit {} is above the hard limit {}", limit.name, limit.soft, limit.hard));
    }
    std::erase_if(process.rlimits, [&](const spec::Rlimit &known) { return known.type == type; });
    process.rlimits.push_back({.type = type, .hard = limit.hard, .soft = limit.soft});
  }
  return {};
}

}  // namespace

Status lower_process(const Service &service, const LowerContext &context, spec::Config &config) {
  spec::Process &process = *config.process;
  TRY(lower_arguments(service, process));
  const spec::Account account = TRY(find_user(service, context));
  process.user.uid = account.uid;
  process.user.gid = account.gid;
  process.user.additional_gids = account.groups;
  process.terminal = service.tty;
  if (!service.tty) process.console_size.reset();
  process.env = make_env(service, account, config.hostname.empty() ? context.host->hostname : config.hostname);
  // Docker takes a relative one from the root.
  process.cwd = service.working_dir.starts_with('/') ? service.working_dir : "/" + service.working_dir;
  process.oom_score_adj = service.resources.oom_score_adj;
  return lower_limits(service, process);
}

}  // namespace skiff::compose
