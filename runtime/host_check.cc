#include "runtime/host_check.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <memory>

#include "runtime/host_check_parts.h"
#include "runtime/plan.h"
#include "runtime/plan_process.h"

namespace skiff {
namespace {

// ---- the fields that the plan's errors name ----

bool is_name_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

// The step at the beginning of `field`, which it is taken from: name, [3], or ["a key"]. Empty where there is none.
std::string_view take_step(std::string_view &field) {
  const bool bracket = field.starts_with('[');
  const bool quoted = field.starts_with("[\"");
  if (bracket) field.remove_prefix(quoted ? 2 : 1);
  const auto *const end = std::ranges::find_if(field, [&](char c) {
    if (quoted) return c == '"';
    return bracket ? c == ']' : !is_name_letter(c);
  });
  const std::string_view step = field.substr(0, static_cast<std::size_t>(end - field.begin()));
  field.remove_prefix(step.size());
  if (bracket) field.remove_prefix(std::min<std::size_t>(field.size(), quoted ? 2 : 1));
  if (field.starts_with('.')) field.remove_prefix(1);
  return step;
}

struct Split {
  std::string pointer;
  std::string_view text;
};

// "mounts[3] (/data).options: text". A text that begins with no field belongs to the document as a whole.
Split split_field(std::string_view text) {
  // A file of cgroup v2 has dots in its name.
  constexpr std::string_view unified = "linux.resources.unified.";
  if (text.starts_with(unified)) {
    const std::size_t end = text.find(": ");
    if (end != std::string_view::npos) {
      return {at("linux", "resources", "unified", text.substr(unified.size(), end - unified.size())),
              text.substr(end + 2)};
    }
  }
  Split out{.pointer = {}, .text = text};
  std::string_view rest = text;
  while (!rest.empty() && !rest.starts_with(':') && !rest.starts_with(' ')) {
    const std::string_view step = take_step(rest);
    if (step.empty()) return {.pointer = {}, .text = text};
    spec::json::append_step(out.pointer, step);
  }
  if (rest.starts_with(" (")) rest.remove_prefix(std::min(rest.size(), rest.find(')') + 1));
  if (!rest.starts_with(": ")) return {.pointer = {}, .text = text};
  out.text = rest.substr(2);
  return out;
}

// ---- the plan ----

// Mounts and resources are looked at one by one elsewhere: the plan stops at its first error.
spec::Config without_lists(spec::Config config) {
  config.mounts.clear();
  config.linux_.resources.reset();
  config.linux_.masked_paths.clear();
  config.linux_.readonly_paths.clear();
  return config;
}

void check_plan(HostChecker &c, const Host &user) {
  const spec::Config config = without_lists(c.config());
  c.clause({});  // whatever the plan says, it names its own field
  const PlanOptions options{
      .id = "CONTAINER", .bundle = c.bundle().path, .systemd_cgroup = names_unit(config.linux_.cgroups_path)};
  const Result<Plan> plan = make_plan(config, c.host(), options);
  if (c.stands_in_for_root()) {
    if (const Result<Plan> own = make_plan(config, user, options); !own) c.add(own.error());
  }
  if (!plan) {
    c.add(plan.error());
    return;
  }
  for (const std::string &warning : plan->warnings) {
    // Those capabilities have findings of their own.
    if (!warning.starts_with("process.capabilities: ")) c.note(warning);
  }
}

// Root's view, where nobody but root could run the bundle; otherwise the user's own.
Host choose_view(const spec::Config &config, const Host &host) {
  Host view = host;
  if (host.uid == 0 || has_user_namespace(config)) return view;
  view.uid = 0;
  view.gid = 0;
  view.privileged = true;
  return view;
}

BundleReport check(const Bundle &bundle, const Host &host, bool rules_hold) {
  const Result<kernel::Procfs> proc = kernel::Procfs::open_host();
  if (!proc) return {.findings = {}, .notes = {"the host was not looked at: " + proc.error().message()}};
  const Host view = choose_view(bundle.config, host);
  HostChecker c(bundle, view, *proc, view.uid != host.uid);
  check_root_directory(c);
  check_mount_entries(c);
  check_inside_rootfs(c);
  check_process_limits(c);
  check_capabilities(c);
  check_labels(c);
  check_runtime_hooks(c);
  check_namespace_support(c);
  check_mapped_ids(c);
  check_granted_ids(c);
  check_sysctl_files(c);
  check_host_hardware(c);
  check_seccomp_support(c);
  check_cgroups(c);
  // Of a configuration that breaks the spec's rules the plan's first error is their echo.
  if (rules_hold) check_plan(c, host);
  if (c.stands_in_for_root()) {
    c.note("looked at as root would run it: what only root can see was left out");
  }
  return c.take();
}

// ---- the document ----

bool within(std::string_view pointer, std::string_view place) {
  return pointer.starts_with(place) && (pointer.size() == place.size() || pointer[place.size()] == '/');
}

// A place of which the spec's findings say that it, something in it or something around it is wrong.
bool is_echo(const spec::Finding &finding, const std::vector<spec::Finding> &earlier) {
  return std::ranges::any_of(earlier, [&](const spec::Finding &other) {
    return within(finding.pointer, other.pointer) || within(other.pointer, finding.pointer);
  });
}

Result<Bundle> read_bundle(const std::string &path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  if (!real) return fail(errno, fmt::format("realpath(\"{}\")", path), "give the bundle's directory");
  Bundle bundle{.path = real.get(), .json = {}, .config = {}};
  const std::string file = bundle.path + "/config.json";
  const kernel::Fd fd =
      TRY(remedy("write one there with `skiff spec`", kernel::open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY)));
  if (!S_ISREG(TRY(kernel::fstat(fd)).st_mode)) return fail(fmt::format("{}: it is no regular file", file));
  bundle.json = TRY(in(file, kernel::read_all(fd, max_config_bytes)));
  return bundle;
}

}  // namespace

void HostChecker::add(std::string pointer, std::string text, std::string remedy) {
  report_.findings.push_back({.pointer = std::move(pointer),
                              .text = std::move(text),
                              .clause = std::string(clause_),
                              .remedy = std::move(remedy)});
}

void HostChecker::add(const Error &error) {
  const Split split = split_field(error.text);
  const bool known = std::ranges::any_of(
      report_.findings, [&](const spec::Finding &finding) { return within(finding.pointer, split.pointer); });
  if (known) return;
  const Error rest{.number = error.number, .text = std::string(split.text), .remedy = {}};
  add(split.pointer, rest.message(), error.remedy);
}

void HostChecker::note(std::string text) {
  if (std::ranges::find(report_.notes, text) == report_.notes.end()) report_.notes.push_back(std::move(text));
}

void HostChecker::note_unseen(const std::string &path, const Error &error) {
  if (!is_absent(error)) note(fmt::format("{} was not looked at: {}", path, error.message()));
}

Result<std::string> read_host_file(kernel::CString path, std::size_t max_bytes) {
  const kernel::Fd file = TRY(kernel::open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  return kernel::read_all(file, max_bytes);
}

const spec::IdMapping *find_mapping(std::uint32_t id, std::span<const spec::IdMapping> mappings) {
  for (const spec::IdMapping &mapping : mappings) {
    if (id >= mapping.container_id && id - mapping.container_id < mapping.size) return &mapping;
  }
  return nullptr;
}

const spec::Namespace *new_user_namespace(const spec::Linux &linux_) {
  const spec::Namespace *user = linux_.find(spec::NamespaceType::user);
  return user != nullptr && user->path.empty() ? user : nullptr;
}

std::vector<spec::Finding> check_host(const Bundle &bundle, const Host &host) {
  return check(bundle, host, true).findings;
}

Result<BundleReport> check_bundle(std::string_view path, const Host &host) {
  Bundle bundle = TRY(read_bundle(path.empty() ? "." : std::string(path)));
  spec::Parsed parsed = spec::parse_config(bundle.json);
  BundleReport report{.findings = spec::check(parsed), .notes = {}};
  // A document that is not JSON has nothing that the host could be asked for.
  if (report.findings.size() == 1 && report.findings.front().clause.empty() &&
      report.findings.front().pointer.empty()) {
    return report;
  }
  bundle.config = std::move(parsed.config);
  BundleReport found = check(bundle, host, report.findings.empty());
  std::erase_if(found.findings, [&](const spec::Finding &finding) { return is_echo(finding, report.findings); });
  std::ranges::move(found.findings, std::back_inserter(report.findings));
  report.notes = std::move(found.notes);
  return report;
}

}  // namespace skiff
