#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "compose/seccomp_profile.h"
#include "compose/split.h"
#include "runtime/cli/value.h"
#include "spec/fields_seccomp.h"
#include "spec/names.h"
#include "spec/reader.h"

// Docker's form of a profile: the runtime specification's, where a rule may hold on some machines, with some
// capabilities or on some kernels alone, and where the architectures depend on the machine.
namespace skiff::compose {

struct ProfileCondition {
  std::vector<std::string> caps;
  std::vector<std::string> arches;  // as Go names them: amd64, arm64
  std::string min_kernel;           // "4.8"
};

struct ProfileRule {
  spec::SeccompSyscall rule;
  std::string name;  // in place of names, of old profiles
  ProfileCondition includes;
  ProfileCondition excludes;
};

struct ArchitectureMap {
  std::string architecture;
  std::vector<std::string> sub_architectures;
};

struct ProfileFile {
  spec::Seccomp profile;  // without its rules
  std::vector<ArchitectureMap> arch_map;
  std::vector<ProfileRule> rules;
};

using spec::Like;

void fields(auto &v, Like<ProfileCondition> auto &condition) {
  v.optional("caps", condition.caps);
  v.optional("arches", condition.arches);
  v.optional("minKernel", condition.min_kernel);
}

void fields(auto &v, Like<ProfileRule> auto &rule) {
  v.optional("names", rule.rule.names);
  v.optional("name", rule.name);
  v.required("action", rule.rule.action);
  v.optional("errnoRet", rule.rule.errno_ret);
  v.optional("args", rule.rule.args);
  v.optional("includes", rule.includes);
  v.optional("excludes", rule.excludes);
}

void fields(auto &v, Like<ArchitectureMap> auto &map) {
  v.required("architecture", map.architecture);
  v.optional("subArchitectures", map.sub_architectures);
}

void fields(auto &v, Like<ProfileFile> auto &file) {
  v.required("defaultAction", file.profile.default_action);
  v.optional("defaultErrnoRet", file.profile.default_errno_ret);
  v.optional("architectures", file.profile.architectures);
  v.optional("archMap", file.arch_map);
  v.optional("flags", file.profile.flags);
  v.optional("listenerPath", file.profile.listener_path);
  v.free_text("listenerMetadata", file.profile.listener_metadata);
  v.optional("syscalls", file.rules);
}

namespace {

// What Go calls this machine, and what libseccomp does.
struct MachineName {
  std::string_view machine, go, library;
};

constexpr auto machines = std::to_array<MachineName>({
    {"x86_64", "amd64", "SCMP_ARCH_X86_64"},
    {"i686", "386", "SCMP_ARCH_X86"},
    {"aarch64", "arm64", "SCMP_ARCH_AARCH64"},
    {"armv7l", "arm", "SCMP_ARCH_ARM"},
    {"riscv64", "riscv64", "SCMP_ARCH_RISCV64"},
    {"ppc64le", "ppc64le", "SCMP_ARCH_PPC64LE"},
    {"s390x", "s390x", "SCMP_ARCH_S390X"},
    {"loongarch64", "loong64", "SCMP_ARCH_LOONGARCH64"},
});

MachineName machine_of(const SeccompContext &context) {
  const auto found = std::ranges::find(machines, std::string_view(context.machine), &MachineName::machine);
  return found == machines.end() ? MachineName{context.machine, context.machine, ""} : *found;
}

bool contains(const std::vector<std::string> &all, std::string_view one) {
  return std::ranges::find(all, one) != all.end();
}

// "4.8" as SeccompContext::kernel counts.
std::optional<std::uint32_t> parse_kernel(std::string_view text) {
  const auto [major_text, minor_text] = split_once(text, '.');
  const auto major = cli::parse_number<std::uint8_t>(major_text);
  const auto minor = cli::parse_number<std::uint8_t>(minor_text.value_or("0"));
  if (!major || !minor) return std::nullopt;
  return std::uint32_t{*major} << 16U | std::uint32_t{*minor} << 8U;
}

// All of what `includes` names has to hold; any of what `excludes` names takes the rule away.
bool holds(const ProfileRule &rule, const SeccompContext &context) {
  const std::string_view go = machine_of(context).go;
  const auto has = [&](const std::string &capability) { return contains(context.capabilities, capability); };
  const ProfileCondition &in = rule.includes;
  const ProfileCondition &out = rule.excludes;
  if (!in.arches.empty() && !contains(in.arches, go)) return false;
  if (!in.caps.empty() && !std::ranges::all_of(in.caps, has)) return false;
  if (!in.min_kernel.empty() && parse_kernel(in.min_kernel).value_or(0) > context.kernel) return false;
  if (contains(out.arches, go) || std::ranges::any_of(out.caps, has)) return false;
  return out.min_kernel.empty() || parse_kernel(out.min_kernel).value_or(0) > context.kernel;
}

Status check_kernels(const ProfileFile &file, const std::string &path) {
  for (std::size_t i = 0; i < file.rules.size(); ++i) {
    for (const std::string *text : {&file.rules[i].includes.min_kernel, &file.rules[i].excludes.min_kernel}) {
      if (text->empty() || parse_kernel(*text)) continue;
      return fail(fmt::format("{}: /syscalls/{}: minKernel: {} is no version", path, i, spec::quote(*text)),
                  "write one such as 4.8");
    }
  }
  return {};
}

void take_architectures(ProfileFile &file, const SeccompContext &context) {
  const std::string_view own = machine_of(context).library;
  for (const ArchitectureMap &map : file.arch_map) {
    if (map.architecture != own) continue;
    file.profile.architectures = map.sub_architectures;
    file.profile.architectures.insert(file.profile.architectures.begin(), map.architecture);
  }
}

}  // namespace

Result<spec::Seccomp> parse_seccomp_profile(std::string_view json, const std::string &path,
                                            const SeccompContext &context) {
  const auto document = spec::json::Document::parse(json);
  if (!document) return std::unexpected(spec::findings_error(path, {document.error()}));
  std::vector<spec::Finding> findings;
  ProfileFile file;
  spec::Reader reader(findings);
  reader.document(document->root(), file);
  if (!findings.empty()) return std::unexpected(spec::findings_error(path, findings));
  if (!file.arch_map.empty() && !file.profile.architectures.empty()) {
    return fail(fmt::format("{}: it has both architectures and archMap", path), "leave one of them out");
  }
  TRY(check_kernels(file, path));
  take_architectures(file, context);
  for (ProfileRule &rule : file.rules) {
    if (!holds(rule, context)) continue;
    if (!rule.name.empty()) rule.rule.names.push_back(rule.name);
    file.profile.syscalls.push_back(std::move(rule.rule));
  }
  return file.profile;
}

}  // namespace skiff::compose
