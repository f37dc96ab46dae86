#include "compose/cdi.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ranges>

#include "compose/cdi_name.h"
#include "compose/split.h"
#include "compose/value_text.h"
#include "compose/yaml.h"
#include "runtime/kernel/path.h"
#include "spec/fields_linux.h"
#include "spec/names.h"
#include "spec/reader.h"

namespace skiff::compose {

// The members by their names, for spec::Reader.
using spec::Like;

void fields(auto &v, Like<CdiDeviceNode> auto &node) {
  v.required("path", node.path);
  v.optional("hostPath", node.host_path);
  v.optional("type", node.type);
  v.optional("major", node.major);
  v.optional("minor", node.minor);
  v.optional("fileMode", node.file_mode);
  v.optional("permissions", node.permissions);
  v.optional("uid", node.uid);
  v.optional("gid", node.gid);
}

void fields(auto &v, Like<CdiMount> auto &mount) {
  v.required("hostPath", mount.host_path);
  v.required("containerPath", mount.container_path);
  v.optional("type", mount.type);
  v.optional("options", mount.options);
}

void fields(auto &v, Like<CdiHook> auto &hook) {
  v.required("hookName", hook.name);
  v.required("path", hook.path);
  v.optional("args", hook.args);
  v.optional("env", hook.env);
  v.optional("timeout", hook.timeout);
}

void fields(auto &v, Like<CdiNetDevice> auto &device) {
  v.required("hostInterfaceName", device.host_interface_name);
  v.required("name", device.name);
}

void fields(auto &v, Like<CdiEdits> auto &edits) {
  v.optional("env", edits.env);
  v.optional("deviceNodes", edits.device_nodes);
  v.optional("netDevices", edits.net_devices);
  v.optional("mounts", edits.mounts);
  v.optional("hooks", edits.hooks);
  v.optional("additionalGids", edits.additional_gids);
  v.optional("intelRdt", edits.intel_rdt);
}

void fields(auto &v, Like<CdiDevice> auto &device) {
  v.required("name", device.name);
  v.optional("containerEdits", device.edits);
}

void fields(auto &v, Like<CdiSpec> auto &spec) {
  v.clause("cdi SPEC.md");
  v.required("cdiVersion", spec.version);
  v.required("kind", spec.kind);
  v.optional("devices", spec.devices);
  v.optional("containerEdits", spec.edits);
}

namespace {

constexpr std::size_t longest_file = std::size_t{16} << 20U;

std::string_view class_of(const CdiSpec &spec) { return split_once(spec.kind, '/').second.value_or(""); }

bool is_yaml(std::string_view name) { return name.ends_with(".yaml") || name.ends_with(".yml"); }

// SPEC.md has both forms of one document.
Result<std::string> json_of_yaml(std::string text, const std::string &path) {
  const Source source{.path = path, .text = std::move(text)};
  Findings findings;
  const std::vector<Value> documents = parse_yaml(source, findings);
  for (const Finding &finding : findings.all()) {
    if (finding.level == Finding::Level::error) return fail(finding.message());
  }
  if (documents.size() != 1) return fail(fmt::format("{}: it has {} documents, not one", path, documents.size()));
  return print_json(documents.front());
}

Result<CdiSpec> load_spec(const std::string &path) {
  const kernel::Fd file = TRY(kernel::open(path, O_RDONLY | O_NONBLOCK));
  if (!S_ISREG(TRY(kernel::fstat(file)).st_mode)) return fail(fmt::format("{}: it is no regular file", path));
  std::string text = TRY(in(path, kernel::read_all(file, longest_file)));
  if (is_yaml(path)) text = TRY(json_of_yaml(std::move(text), path));
  return parse_cdi_spec(text, path);
}

std::vector<std::string> list_specs(const std::string &directory) {
  const Result<kernel::Fd> opened = kernel::open(directory, O_RDONLY | O_DIRECTORY);
  if (!opened) return {};
  std::vector<std::string> names = kernel::list_directory(*opened).value_or(std::vector<std::string>());
  std::erase_if(names, [](const std::string &name) {
    return (!name.ends_with(".json") && !is_yaml(name)) || name.starts_with('.');
  });
  std::ranges::sort(names);
  return names;
}

std::vector<std::string> names_of_all(const CdiRegistry &registry) {
  std::vector<std::string> names;
  for (const CdiSpec &spec : registry.specs) {
    for (const CdiDevice &device : spec.devices) names.push_back(fmt::format("{}={}", spec.kind, device.name));
  }
  return names;
}

std::unexpected<Error> no_such_device(const CdiRegistry &registry, std::string_view name) {
  if (!registry.broken.empty()) {
    return fail(ENODEV, fmt::format("no CDI device {}", name), "correct " + registry.broken.front().message());
  }
  const std::vector<std::string> known = names_of_all(registry);
  if (known.empty()) {
    return fail(ENODEV, fmt::format("no CDI device {}", name),
                "the device's vendor has a tool that writes /etc/cdi/*.json");
  }
  const std::vector<std::string_view> views(known.begin(), known.end());
  return fail(ENODEV, fmt::format("no CDI device {}", name), spec::suggest_name(views, name));
}

}  // namespace

Result<CdiSpec> parse_cdi_spec(std::string_view json, const std::string &path) {
  CdiSpec out;
  out.path = path;
  const auto document = spec::json::Document::parse(json);
  if (!document) return std::unexpected(spec::findings_error(path, {document.error()}));
  std::vector<spec::Finding> findings;
  spec::Reader reader(findings);
  reader.document(document->root(), out);
  if (!findings.empty()) return std::unexpected(spec::findings_error(path, findings));
  if (!is_cdi_name(out.kind + "=x")) {
    return fail(fmt::format("{}: /kind: {} is no kind", path, spec::quote(out.kind)), "write vendor.com/class");
  }
  return out;
}

CdiRegistry load_cdi(const std::vector<std::string> &directories) {
  CdiRegistry registry;
  for (const std::string &directory : std::views::reverse(directories)) {
    for (const std::string &name : list_specs(directory)) {
      Result<CdiSpec> spec = load_spec(fmt::format("{}/{}", directory, name));
      if (spec) {
        registry.specs.push_back(*std::move(spec));
      } else {
        registry.broken.push_back(std::move(spec).error());
      }
    }
  }
  return registry;
}

Result<CdiFound> find_cdi_device(const CdiRegistry &registry, std::string_view name) {
  const bool whole = is_cdi_name(name);
  for (const CdiSpec &spec : registry.specs) {
    for (const CdiDevice &device : spec.devices) {
      const bool same =
          whole ? fmt::format("{}={}", spec.kind, device.name) == name : class_of(spec) == "gpu" && device.name == name;
      if (same) return CdiFound{.spec = &spec, .device = &device};
    }
  }
  return no_such_device(registry, whole ? std::string(name) : fmt::format("gpu={}", name));
}

}  // namespace skiff::compose
