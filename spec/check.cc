#include "spec/check.h"

#include <fmt/format.h>

#include <charconv>

#include "spec/findings.h"
#include "spec/json.h"

namespace skiff::spec {

std::string Place::pointer() const {
  if (outer_ == nullptr) return std::string(name_);
  std::string out = outer_->pointer();
  json::append_step(out, is_index_ ? std::to_string(index_) : std::string(name_));
  return out;
}

namespace {

// Whether the pointer is the place itself or somewhere inside it.
bool within(std::string_view pointer, std::string_view place) {
  return pointer.starts_with(place) && (pointer.size() == place.size() || pointer[place.size()] == '/');
}

bool take_number(std::string_view &text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take(std::string_view &text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

bool is_cpu_range(std::string_view range) {
  if (!take_number(range)) return false;
  if (take(range, '-') && !take_number(range)) return false;
  if (take(range, ':') && !(take_number(range) && take(range, '/') && take_number(range))) return false;
  return range.empty();
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool is_cpu_list(std::string_view list) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view range = trim(list.substr(0, comma));
    if (!range.empty() && !is_cpu_range(range)) return false;
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return true;
}

bool Checker::doubtful(const Place &place) const {
  if (parsed_ == nullptr || parsed_->empty()) return false;
  const std::string pointer = place.pointer();
  for (const Finding &finding : *parsed_) {
    if (within(finding.pointer, pointer) || within(pointer, finding.pointer)) return true;
  }
  return false;
}

void Checker::add(const Place &place, std::string text, std::string remedy) {
  if (!takes_finding(found_) || doubtful(place)) return;
  add_finding(found_, {place.pointer(), std::move(text), std::string(clause_), std::move(remedy)});
}

bool Checker::present(const Place &place, std::string_view value) {
  if (value.empty()) add(place, "is required");
  return !value.empty();
}

bool Checker::absolute(const Place &place, std::string_view path) {
  if (path.empty()) {
    add(place, "is required: an absolute path");
  } else if (!path.starts_with('/')) {
    add(place, fmt::format("{} is a relative path, an absolute one is required", quote(path)), "begin it with /");
  }
  return path.starts_with('/');
}

bool Checker::known(const Place &place, std::string_view name, Names names) {
  if (name.empty()) return present(place, name);
  if (find_name(names, name)) return true;
  add(place, fmt::format("unknown value {}", quote(name)), suggest_name(names, name));
  return false;
}

void Checker::all_known(const Place &place, const std::vector<std::string> &values, Names names) {
  for (std::size_t i = 0; i < values.size(); ++i) known(place / i, values[i], names);
}

void Checker::all_absolute(const Place &place, const std::vector<std::string> &paths) {
  for (std::size_t i = 0; i < paths.size(); ++i) absolute(place / i, paths[i]);
}

bool Checker::in_range(const Place &place, std::int64_t value, std::int64_t min, std::int64_t max, std::string remedy) {
  if (value >= min && value <= max) return true;
  add(place, fmt::format("{} is out of range: {} to {}", value, min, max), std::move(remedy));
  return false;
}

bool Checker::cpu_list(const Place &place, std::string_view list) {
  if (is_cpu_list(list)) return true;
  add(place, fmt::format("{} is not a list of numbers and ranges", quote(list)), "write it as in \"0-3,7\"");
  return false;
}

namespace {

bool is_semver_number(std::string_view &text) {
  const std::string_view before = text;
  if (!take_number(text)) return false;
  return before[0] != '0' || before.size() - text.size() == 1;
}

// Pre-release and build: dot separated, not empty, of letters, digits and hyphens.
bool is_semver_tail(std::string_view tail) {
  bool empty = true;
  for (const char c : tail) {
    const bool letter = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
    if (!letter && (c != '.' || empty)) return false;
    empty = c == '.';
  }
  return !empty;
}

bool is_semver(std::string_view text) {
  if (!is_semver_number(text) || !take(text, '.') || !is_semver_number(text) || !take(text, '.') ||
      !is_semver_number(text)) {
    return false;
  }
  if (const auto plus = text.find('+'); plus != std::string_view::npos) {
    if (!is_semver_tail(text.substr(plus + 1))) return false;
    text = text.substr(0, plus);
  }
  return text.empty() || (take(text, '-') && is_semver_tail(text));
}

void check_version(Checker &c, const Place &place, std::string_view version) {
  c.clause("config.md, Specification version");
  if (!c.present(place, version)) return;
  if (!is_semver(version)) {
    c.add(place, fmt::format("{} is not a version of the form MAJOR.MINOR.PATCH", quote(version)), "write \"1.3.0\"");
  } else if (!version.starts_with("1.")) {
    c.add(place, fmt::format("version {} of the spec is not supported, 1.0.0 to 1.3 are", version), "write \"1.3.0\"");
  }
}

void check_root(Checker &c, const Place &at, const Config &config) {
  c.clause("config.md, Root");
  if (!config.root) {
    c.add(at / "root", "is required", R"(add "root": {"path": "rootfs"})");
  } else if (config.root->path.empty()) {
    c.add(at / "root" / "path", "is required", "write the directory of the root filesystem, relative to the bundle");
  }
}

void check_config(Checker &c, const Config &config) {
  const Place at("");
  check_version(c, at / "ociVersion", config.oci_version);
  if (config.process) check_process(c, at / "process", *config.process);
  check_root(c, at, config);
  check_mounts(c, at / "mounts", config);
  check_hooks(c, at / "hooks", config.hooks);
  c.clause("config.md, Annotations");
  if (config.annotations.contains("")) c.add(at / "annotations" / "", "an annotation's key is empty", "name it");
  check_namespaces(c, at, config);
  check_linux(c, at / "linux", config.linux_);
}

// A document of which nothing was read has one finding without a clause.
bool unreadable(const std::vector<Finding> &findings) { return findings.size() == 1 && findings[0].clause.empty(); }

template <class Rules>
std::vector<Finding> join(const std::vector<Finding> &parsed, Rules rules) {
  std::vector<Finding> all = parsed;
  if (unreadable(parsed)) return all;
  Checker c(&parsed);
  rules(c);
  for (Finding &finding : c.take()) all.push_back(std::move(finding));
  return all;
}

}  // namespace

std::vector<Finding> check(const Config &config) {
  Checker c;
  check_config(c, config);
  return c.take();
}

std::vector<Finding> check(const Process &process, std::string_view pointer) {
  Checker c;
  check_process(c, Place(pointer), process);
  return c.take();
}

std::vector<Finding> check(const Resources &resources, std::string_view pointer) {
  Checker c;
  check_resources(c, Place(pointer), resources);
  return c.take();
}

std::vector<Finding> check(const Parsed &parsed) {
  return join(parsed.findings, [&](Checker &c) { check_config(c, parsed.config); });
}

std::vector<Finding> check(const ParsedProcess &parsed) {
  return join(parsed.findings, [&](Checker &c) { check_process(c, Place(""), parsed.process); });
}

std::vector<Finding> check(const ParsedResources &parsed) {
  return join(parsed.findings, [&](Checker &c) { check_resources(c, Place(""), parsed.resources); });
}

}  // namespace skiff::spec
