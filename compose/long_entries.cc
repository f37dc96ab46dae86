// Entries of ports, volumes and devices.
#include <fmt/format.h>

#include <algorithm>

#include "compose/long_forms.h"
#include "compose/scalars.h"

namespace skiff::compose {
namespace {

bool is_open(const Value &value, const LongForms &how) {
  return how.lenient && value.text.find('$') != std::string::npos;
}

// "IP:HOST:CONTAINER", from the right, because an address has colons of its own.
struct PortParts {
  std::string_view address, host, container;
};

PortParts split_port(std::string_view text) {
  PortParts parts;
  std::size_t colon = text.rfind(':');
  parts.container = text.substr(colon == std::string_view::npos ? 0 : colon + 1);
  if (colon == std::string_view::npos) return parts;
  text = text.substr(0, colon);
  colon = text.ends_with(']') ? std::string_view::npos : text.rfind(':');
  if (text.ends_with(']')) {
    parts.address = text;
  } else {
    parts.host = text.substr(colon == std::string_view::npos ? 0 : colon + 1);
    if (colon != std::string_view::npos) parts.address = text.substr(0, colon);
  }
  if (parts.address.starts_with('[') && parts.address.ends_with(']')) {
    parts.address = parts.address.substr(1, parts.address.size() - 2);
  }
  return parts;
}

Value port_value(std::string_view address, std::string_view published, std::uint16_t target, std::string_view protocol,
                 Position at) {
  Value port = Value::of_map(at);
  port.get("mode") = Value::of_string("ingress", at);
  if (!address.empty()) port.get("host_ip") = Value::of_string(std::string(address), at);
  port.get("target") = make_number(fmt::format("{}", target), at);
  if (!published.empty()) port.get("published") = Value::of_string(std::string(published), at);
  port.get("protocol") = Value::of_string(std::string(protocol), at);
  return port;
}

std::vector<Value> refuse_port(const Value &entry, const std::string &path, const LongForms &how,
                               const std::string &why) {
  how.findings.error(entry.at, "port", fmt::format("{}: \"{}\": {}", path, entry.text, why),
                     "a port is [[ADDRESS:]HOST:]CONTAINER[/PROTOCOL], from 1 to 65535");
  return {};
}

std::vector<Value> short_port(const Value &entry, const std::string &path, const LongForms &how) {
  if (is_open(entry, how)) return {entry};
  const std::string_view text = entry.text;
  const std::size_t slash = text.rfind('/');
  const std::string_view protocol = slash == std::string_view::npos ? "tcp" : text.substr(slash + 1);
  if (protocol != "tcp" && protocol != "udp" && protocol != "sctp") {
    return refuse_port(entry, path, how, fmt::format("{} is no protocol", protocol));
  }
  const PortParts parts = split_port(text.substr(0, slash));
  const std::optional<PortRange> inside = parse_port_range(parts.container);
  if (!inside || inside->first == 0) {
    return refuse_port(entry, path, how, fmt::format("\"{}\" is no port", parts.container));
  }
  const std::uint32_t size = inside->second - inside->first;
  std::optional<PortRange> outside;
  if (!parts.host.empty()) {
    outside = parse_port_range(parts.host);
    if (!outside) return refuse_port(entry, path, how, fmt::format("\"{}\" is no port", parts.host));
    const std::uint32_t width = outside->second - outside->first;
    if (width != size && size != 0) return refuse_port(entry, path, how, "the two ranges differ in length");
    // One port of the container, any of several here: the range stays.
    if (size == 0) return {port_value(parts.address, parts.host, inside->first, protocol, entry.at)};
  }
  std::vector<Value> ports;
  for (std::uint32_t i = 0; i <= size; ++i) {
    const std::string host = outside ? fmt::format("{}", outside->first + i) : std::string();
    ports.push_back(port_value(parts.address, host, static_cast<std::uint16_t>(inside->first + i), protocol, entry.at));
  }
  return ports;
}

void default_text(Value &map, std::string_view key, std::string_view text) {
  if (map.find(key) == nullptr) map.get(key) = Value::of_string(std::string(text), map.at);
}

bool is_path(std::string_view text) { return text.starts_with('/') || text.starts_with('.') || text.starts_with('~'); }

// True where the word is one of the options after the second colon.
bool mount_option(Value &mount, std::string_view word, bool bind) {
  if (word == "ro" || word == "rw") {
    if (word == "ro") mount.get("read_only") = make_boolean(true, mount.at);
    return true;
  }
  if (word == "nocopy") {
    if (!bind) mount.get("volume").get("nocopy") = make_boolean(true, mount.at);
    return true;
  }
  if (word == "z" || word == "Z") {
    mount.get("bind").get("selinux") = Value::of_string(std::string(word), mount.at);
    return true;
  }
  if (word == "cached" || word == "delegated" || word == "consistent") return true;
  for (const std::string_view propagation : {"private", "rprivate", "shared", "rshared", "slave", "rslave"}) {
    if (word != propagation) continue;
    mount.get("bind").get("propagation") = Value::of_string(std::string(word), mount.at);
    return true;
  }
  return false;
}

// A mode is octal as a string and with a leading 0, as docker reads it, and printed as a decimal number.
void make_mode_decimal(Value &tmpfs) {
  Value *mode = tmpfs.find("mode");
  if (mode == nullptr || !mode->is_scalar()) return;
  const bool octal = mode->kind == Value::Kind::string && !mode->text.starts_with('0');
  const std::optional<std::int64_t> bits = parse_integer(octal ? "0" + mode->text : mode->text, true);
  if (bits && *bits >= 0) *mode = make_number(fmt::format("{}", *bits), mode->at);
}

Value short_mount(const Value &entry, const std::string &path, const LongForms &how) {
  const std::string_view text = entry.text;
  const auto refuse = [&](const std::string &why) {
    how.findings.error(entry.at, "volume", fmt::format("{}: \"{}\": {}", path, text, why),
                       "a volume is [SOURCE:]TARGET[:OPTIONS]");
    return entry;
  };
  if (text.empty()) return refuse("it is empty");
  Value mount = Value::of_map(entry.at);
  const std::size_t first = text.find(':');
  const std::size_t second = first == std::string_view::npos ? first : text.find(':', first + 1);
  const std::string_view source = first == std::string_view::npos ? std::string_view() : text.substr(0, first);
  const std::string_view target =
      first == std::string_view::npos
          ? text
          : text.substr(first + 1, second == std::string_view::npos ? second : second - first - 1);
  const bool bind = is_path(source);
  if (first != std::string_view::npos && source.empty()) return refuse("the source in front of the colon is empty");
  if (target.empty()) return refuse("it has no target");
  mount.get("type") = Value::of_string(bind ? "bind" : "volume", entry.at);
  if (!source.empty()) mount.get("source") = Value::of_string(std::string(source), entry.at);
  mount.get("target") = Value::of_string(std::string(target), entry.at);
  mount.get(bind ? "bind" : "volume") = Value::of_map(entry.at);
  std::string_view options = second == std::string_view::npos ? std::string_view() : text.substr(second + 1);
  while (!options.empty()) {
    const std::string_view word = options.substr(0, options.find(','));
    if (!mount_option(mount, word, bind)) return refuse(fmt::format("\"{}\" is no option", word));
    options.remove_prefix(std::min(word.size() + 1, options.size()));
  }
  if (bind) mount.get("bind").get("create_host_path") = make_boolean(true, entry.at);
  return mount;
}

}  // namespace

std::vector<Value> make_long_port(const Value &entry, const std::string &path, const LongForms &how) {
  if (entry.is_scalar() && entry.kind != Value::Kind::null) return short_port(entry, path, how);
  if (entry.kind != Value::Kind::map) return {entry};
  Value port = entry;
  if (Value *target = port.find("target"); target != nullptr && target->kind == Value::Kind::string) {
    if (parse_integer(target->text)) target->kind = Value::Kind::number;
  }
  if (Value *published = port.find("published"); published != nullptr && published->kind == Value::Kind::number) {
    published->kind = Value::Kind::string;
  }
  default_text(port, "mode", "ingress");
  default_text(port, "protocol", "tcp");
  return {std::move(port)};
}

Value make_long_mount(const Value &entry, const std::string &path, const LongForms &how) {
  if (entry.is_scalar() && entry.kind != Value::Kind::null) {
    return is_open(entry, how) ? entry : short_mount(entry, path, how);
  }
  Value mount = entry;
  if (mount.kind == Value::Kind::map && mount.find("type") == nullptr) {
    how.findings.error(entry.at, "volume", fmt::format("{}: type is missing", path), "bind, volume or tmpfs");
  }
  if (Value *tmpfs = mount.find("tmpfs")) make_mode_decimal(*tmpfs);
  return mount;
}

Value make_long_device(const Value &entry, const std::string &path, const LongForms &how) {
  if (!entry.is_scalar() || entry.kind == Value::Kind::null || is_open(entry, how)) return entry;
  Value device = Value::of_map(entry.at);
  std::string_view rest = entry.text;
  std::vector<std::string> parts;
  while (true) {
    const std::size_t colon = rest.find(':');
    parts.emplace_back(rest.substr(0, colon));
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  if (parts.size() > 3 || parts[0].empty()) {
    how.findings.error(entry.at, "device", fmt::format("{}: \"{}\" is no device", path, entry.text),
                       "a device is SOURCE[:TARGET[:PERMISSIONS]]");
    return entry;
  }
  // "/dev/x:rwm": permissions alone behind the colon.
  if (parts.size() == 2 && !parts[1].starts_with('/')) parts.insert(parts.begin() + 1, parts[0]);
  device.get("source") = Value::of_string(parts[0], entry.at);
  device.get("target") = Value::of_string(parts.size() > 1 && !parts[1].empty() ? parts[1] : parts[0], entry.at);
  device.get("permissions") = Value::of_string(parts.size() > 2 ? parts[2] : "rwm", entry.at);
  return device;
}

}  // namespace skiff::compose
