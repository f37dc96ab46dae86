#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "compose/lower_parts.h"
#include "spec/capability_names.h"
#include "spec/names.h"

namespace skiff::compose {
namespace {

using Set = std::uint64_t;

constexpr Set bit(std::string_view name) {
  for (std::size_t i = 0; i < spec::capability_names.size(); ++i) {
    if (spec::capability_names[i] == name) return Set{1} << i;
  }
  return 0;
}

// What services' entry points need to become their own users and to own their files. Not among them, unlike Docker's:
// raw sockets (spoofing on the bridge; ping has had its own since Linux 3.0), device files, and audit records.
constexpr Set usual = bit("CAP_CHOWN") | bit("CAP_DAC_OVERRIDE") | bit("CAP_FOWNER") | bit("CAP_FSETID") |
                      bit("CAP_KILL") | bit("CAP_NET_BIND_SERVICE") | bit("CAP_SETFCAP") | bit("CAP_SETGID") |
                      bit("CAP_SETPCAP") | bit("CAP_SETUID") | bit("CAP_SYS_CHROOT");

std::string upper(std::string_view text) {
  std::string out(text);
  for (char &letter : out) letter = static_cast<char>(letter >= 'a' && letter <= 'z' ? letter - 32 : letter);
  return out;
}

// With or without CAP_, in any case; ALL is all that can be given here.
Result<Set> parse_names(std::string_view field, const std::vector<std::string> &texts, Set all) {
  Set set = 0;
  for (const std::string &text : texts) {
    const std::string name = upper(text).starts_with("CAP_") ? upper(text) : "CAP_" + upper(text);
    if (name != "CAP_ALL" && bit(name) == 0) {
      return fail(fmt::format("{}: {} is no capability", field, spec::quote(text)),
                  spec::suggest_name(spec::capability_names, name));
    }
    set |= name == "CAP_ALL" ? all : bit(name);
  }
  return set;
}

bool says_all(const std::vector<std::string> &texts) {
  return std::ranges::any_of(texts,
                             [](const std::string &text) { return upper(text) == "ALL" || upper(text) == "CAP_ALL"; });
}

std::vector<std::string> names_of(Set set) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < spec::capability_names.size(); ++i) {
    if ((set & (Set{1} << i)) != 0) names.emplace_back(spec::capability_names[i]);
  }
  return names;
}

}  // namespace

std::vector<std::string> usual_capabilities() { return names_of(usual); }

// Docker's order: ALL in one list is weakened by single names in the other; a name in both is dropped.
Status lower_capabilities(const Service &service, const LowerContext &context, spec::Config &config) {
  const Set all = context.host->capabilities & ((Set{1} << spec::capability_names.size()) - 1);
  const Set added = TRY(parse_names("cap_add", service.cap_add, all));
  const Set dropped = TRY(parse_names("cap_drop", service.cap_drop, ~Set{0}));
  const bool drops_all = service.drops_all_capabilities || says_all(service.cap_drop);
  Set bounding = drops_all ? Set{0} : usual;
  if (service.privileged || says_all(service.cap_add)) bounding = all;
  bounding |= added;
  if (!says_all(service.cap_drop)) bounding &= ~dropped;
  // Who is not root keeps nothing across execve(2) but what is ambient: what he was given by name.
  const bool root = config.process->user.uid == 0;
  const Set own = root ? bounding : (says_all(service.cap_add) ? Set{0} : added & bounding);
  spec::Capabilities &capabilities = config.process->capabilities.emplace();
  capabilities.bounding = names_of(bounding);
  capabilities.effective = capabilities.permitted = names_of(own);
  // Never inheritable for root: programs with file capabilities would gain them (CVE-2022-24769).
  if (!root) capabilities.inheritable = capabilities.ambient = names_of(own);
  return {};
}

}  // namespace skiff::compose
