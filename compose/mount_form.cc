#include "compose/mount_form.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "compose/split.h"
#include "runtime/cli/value.h"
#include "spec/names.h"

namespace skiff::compose {
namespace {

using spec::quote;

constexpr std::array<std::string_view, 6> propagations = {"rprivate", "private", "rshared",
                                                          "shared",   "rslave",  "slave"};
constexpr std::array<std::string_view, 4> recursions = {"enabled", "disabled", "writable", "readonly"};
// What mount(8) knows of any mount and runtimes take as an option.
constexpr std::array<std::string_view, 10> plain_options = {"exec",  "noexec", "suid",    "nosuid",   "dev",
                                                            "nodev", "atime",  "noatime", "relatime", "strictatime"};
// SELinux's labels and Docker's caches for other systems: they change nothing here. A container has a label only by
// label=, and without one it may read what has none.
constexpr std::array<std::string_view, 7> without_effect = {"z",         "Z",    "cached", "consistent",
                                                            "delegated", "copy", "rbind"};

bool is_path(std::string_view source) { return source.starts_with('/') || source.starts_with('.'); }

std::string absolute(std::string_view path, const std::string &directory) {
  if (path.starts_with('/')) return std::string(path);
  while (path.starts_with("./")) path.remove_prefix(2);
  return path.empty() || path == "." ? directory : fmt::format("{}/{}", directory, path);
}

Status check_target(const std::string &target) {
  if (!target.starts_with('/')) {
    return fail(fmt::format("{} is no absolute path in the container", quote(target)), "write a path such as /data");
  }
  if (target.find_first_not_of('/') == std::string::npos) {
    return fail("the container's / cannot be mounted over", "mount a directory in it, or use --rootfs");
  }
  return {};
}

Status take_volume_option(Mount &mount, std::string_view option) {
  if (option == "ro" || option == "rw") {
    mount.read_only = option == "ro";
  } else if (spec::find_name(propagations, option)) {
    mount.propagation = option;
  } else if (option == "nocopy") {
    mount.no_copy = true;
  } else if (option == "bind") {
    mount.recursive = "disabled";
  } else if (spec::find_name(plain_options, option)) {
    mount.options.emplace_back(option);
  } else if (!option.empty() && !spec::find_name(without_effect, option)) {
    return fail(fmt::format("{} is no option of a mount", quote(option)),
                "there are ro, rw, nocopy, noexec, nosuid, nodev, rprivate, rslave and rshared");
  }
  return {};
}

Result<bool> flag_value(std::string_view key, const std::optional<std::string_view> &value) {
  const std::optional<bool> yes = value ? cli::parse_bool(*value) : true;
  if (!yes) return fail(fmt::format("{}={}: neither true nor false", key, quote(*value)));
  return *yes;
}

Result<Mount::Kind> kind_of(std::string_view type) {
  if (type == "bind") return Mount::Kind::bind;
  if (type == "volume") return Mount::Kind::volume;
  if (type == "tmpfs") return Mount::Kind::tmpfs;
  return fail(fmt::format("type={}: no such type", quote(type)), "use bind, volume or tmpfs");
}

Result<std::string> one_of(std::string_view key, std::string_view value, spec::Names names) {
  if (spec::find_name(names, value)) return std::string(value);
  return fail(fmt::format("{}={}: no such value", key, quote(value)), spec::suggest_name(names, value));
}

// What docker calls a field, and which types have it.
enum class Field : std::uint8_t {
  type,
  source,
  target,
  read_only,
  propagation,
  recursive,
  not_recursive,
  create,
  no_copy,
  subpath,
  size,
  mode,
  nothing
};

struct FieldName {
  std::string_view name;
  Field field;
  std::optional<Mount::Kind> kind;
};

constexpr std::array<FieldName, 21> field_names = {{
    {"type", Field::type, {}},
    {"source", Field::source, {}},
    {"src", Field::source, {}},
    {"target", Field::target, {}},
    {"destination", Field::target, {}},
    {"dst", Field::target, {}},
    {"readonly", Field::read_only, {}},
    {"ro", Field::read_only, {}},
    {"bind-propagation", Field::propagation, Mount::Kind::bind},
    {"bind-recursive", Field::recursive, Mount::Kind::bind},
    {"bind-nonrecursive", Field::not_recursive, Mount::Kind::bind},
    {"bind-create-src", Field::create, Mount::Kind::bind},
    {"create-host-path", Field::create, Mount::Kind::bind},
    {"volume-nocopy", Field::no_copy, Mount::Kind::volume},
    {"volume-subpath", Field::subpath, Mount::Kind::volume},
    {"tmpfs-size", Field::size, Mount::Kind::tmpfs},
    {"tmpfs-mode", Field::mode, Mount::Kind::tmpfs},
    {"consistency", Field::nothing, {}},
    {"relabel", Field::nothing, {}},
    {"z", Field::nothing, {}},
    {"Z", Field::nothing, {}},
}};

Status take_tmpfs_size(Mount &mount, std::string_view text) {
  const std::optional<std::int64_t> size = cli::parse_size(text);
  if (!size || *size < 0) return fail(fmt::format("tmpfs-size={}: no size", quote(text)), "write 64m or 1g");
  mount.size = static_cast<std::uint64_t>(*size);
  return {};
}

Status take_tmpfs_mode(Mount &mount, std::string_view text) {
  std::uint32_t mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (error != std::errc{} || end != text.data() + text.size() || mode > 07777) {
    return fail(fmt::format("tmpfs-mode={}: no mode", quote(text)), "write an octal number such as 1777");
  }
  mount.mode = mode;
  return {};
}

Status take_field(Mount &mount, Field field, std::string_view key, const std::optional<std::string_view> &value) {
  const std::string_view text = value.value_or("");
  switch (field) {
    case Field::type:
      mount.kind = TRY(kind_of(text));
      break;
    case Field::source:
      mount.source = text;
      break;
    case Field::target:
      mount.target = text;
      break;
    case Field::read_only:
      mount.read_only = TRY(flag_value(key, value));
      break;
    case Field::propagation:
      mount.propagation = TRY(one_of(key, text, propagations));
      break;
    case Field::recursive:
      mount.recursive = TRY(one_of(key, text, recursions));
      break;
    case Field::not_recursive:
      if (TRY(flag_value(key, value))) mount.recursive = "disabled";
      break;
    case Field::create:
      mount.create_host_path = TRY(flag_value(key, value));
      break;
    case Field::no_copy:
      mount.no_copy = TRY(flag_value(key, value));
      break;
    case Field::subpath:
      mount.subpath = text;
      break;
    case Field::size:
      return take_tmpfs_size(mount, text);
    case Field::mode:
      return take_tmpfs_mode(mount, text);
    case Field::nothing:
      break;
  }
  return {};
}

Result<const FieldName *> find_field(std::string_view key) {
  for (const FieldName &known : field_names) {
    if (known.name == key) return &known;
  }
  std::array<std::string_view, field_names.size()> names;
  std::ranges::transform(field_names, names.begin(), &FieldName::name);
  return fail(fmt::format("{} is no field of a mount", quote(key)), spec::suggest_name(names, key));
}

Status check_mount(Mount &mount, const std::string &directory) {
  if (mount.target.empty()) return fail("no target", "add target=/a/path");
  TRY(check_target(mount.target));
  if (mount.kind == Mount::Kind::bind) {
    if (mount.source.empty()) return fail("type=bind has no source", "add source=/a/path/of/the/host");
    mount.source = absolute(mount.source, directory);
  }
  if (mount.kind == Mount::Kind::volume && mount.source.find('/') != std::string::npos) {
    return fail(fmt::format("{} is no name of a volume", quote(mount.source)), "a path of the host needs type=bind");
  }
  if (mount.kind == Mount::Kind::tmpfs && !mount.source.empty()) return fail("type=tmpfs takes no source");
  return {};
}

}  // namespace

Result<Mount> parse_volume(std::string_view text, const std::string &directory) {
  const std::vector<std::string_view> parts = split_at(text, ':');
  if (parts.size() > 3)
    return fail(fmt::format("{} has too many colons", quote(text)), "a path with one needs --mount");
  Mount mount;
  mount.target = parts.size() == 1 ? parts[0] : parts[1];
  if (parts.size() > 1) mount.source = parts[0];
  if (parts.size() > 1 && mount.source.empty()) {
    return fail(fmt::format("{} has no source", quote(text)), "leave out the colon for an anonymous volume");
  }
  TRY(check_target(mount.target));
  if (is_path(mount.source)) {
    mount.kind = Mount::Kind::bind;
    mount.source = absolute(mount.source, directory);
  } else if (mount.source.find('/') != std::string::npos) {
    return fail(fmt::format("{} is neither a name of a volume nor a path", quote(mount.source)),
                "a path starts with / or ./");
  }
  for (const std::string_view option : split_at(parts.size() == 3 ? parts[2] : std::string_view(), ',')) {
    TRY(take_volume_option(mount, option));
  }
  return mount;
}

Result<Mount> parse_mount(std::string_view text, const std::string &directory) {
  const auto fields = split_csv(text);
  if (!fields) return fail(fmt::format("{} has a quote that is not closed", quote(text)));
  Mount mount;
  mount.create_host_path = false;
  std::vector<const FieldName *> seen;
  for (const std::string &field : *fields) {
    const auto [key, value] = split_once(field, '=');
    seen.push_back(TRY(find_field(key)));
    TRY(take_field(mount, seen.back()->field, key, value));
  }
  for (const FieldName *field : seen) {
    if (field->kind && *field->kind != mount.kind) {
      return fail(fmt::format("{}: a mount of this type does not have it", field->name),
                  fmt::format("it needs type={}", field->name.substr(0, field->name.find('-'))));
    }
  }
  TRY(check_mount(mount, directory));
  return mount;
}

Result<Mount> parse_tmpfs(std::string_view text) {
  const auto [target, options] = split_once(text, ':');
  Mount mount;
  mount.kind = Mount::Kind::tmpfs;
  mount.target = target;
  TRY(check_target(mount.target));
  for (const std::string_view option : split_at(options.value_or(""), ',')) {
    if (!option.empty()) mount.options.emplace_back(option);
  }
  return mount;
}

}  // namespace skiff::compose
