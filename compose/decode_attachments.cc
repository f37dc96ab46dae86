// What a service has from outside: ports, mounts, secrets, networks, devices.
#include <fmt/format.h>

#include <array>
#include <limits>

#include "compose/cdi_name.h"
#include "compose/decode_service.h"
#include "compose/scalars.h"

namespace skiff::compose {
namespace {

constexpr std::int64_t most_id = std::numeric_limits<std::uint32_t>::max() - 1;

template <class Each>
void each(const Fields &service, std::string_view key, Each decode) {
  const Value *list = service.find(key);
  if (list == nullptr) return;
  for (std::size_t i = 0; i < list->items.size(); ++i) decode(service.entry(list->items[i], key, i));
}

void refuse_port(const Fields &port, const std::string &text) {
  port.error(port.at(), "port", fmt::format("{}: \"{}\" is no port", port.path(), text),
             "ports go from 1 to 65535, a range is written 8000-8010");
}

void decode_port(const Fields &fields, Service &into) {
  const std::string target = fields.text("target");
  const std::string published = fields.text("published");
  const std::optional<PortRange> inside = parse_port_range(target);
  if (!inside || inside->first == 0) return refuse_port(fields, target);
  const std::optional<PortRange> outside = published.empty() ? PortRange{0, 0} : parse_port_range(published);
  if (!outside) return refuse_port(fields, published);
  const int size = inside->second - inside->first;
  if (size > 0 && !published.empty() && outside->second - outside->first != size) {
    return fields.error(fields.at(), "port", fmt::format("{}: the two ranges differ in length", fields.path()));
  }
  std::string protocol = fields.text("protocol");
  for (int i = 0; i <= size; ++i) {
    Port port;
    port.container = static_cast<std::uint16_t>(inside->first + i);
    if (outside->first != 0) port.host = static_cast<std::uint16_t>(outside->first + i);
    if (outside->first != 0 && size == 0 && outside->second > outside->first) port.host_last = outside->second;
    port.host_address = fields.text("host_ip");
    if (!protocol.empty()) port.protocol = protocol;
    into.ports.push_back(std::move(port));
  }
}

std::optional<Mount::Kind> mount_kind(const Fields &fields) {
  const std::string type = fields.text("type");
  if (type == "bind") return Mount::Kind::bind;
  if (type == "tmpfs") return Mount::Kind::tmpfs;
  if (type == "volume" || type.empty()) return Mount::Kind::volume;
  fields.error(fields.at(), "volume", fmt::format("{}: mounts of type {} cannot be made here", fields.path(), type),
               "bind, volume and tmpfs can");
  return std::nullopt;
}

void decode_mount(const Fields &fields, Service &into) {
  const std::optional<Mount::Kind> kind = mount_kind(fields);
  if (!kind) return;
  Mount mount;
  mount.kind = *kind;
  mount.source = fields.text("source");
  mount.target = fields.text("target");
  mount.read_only = fields.boolean("read_only");
  const Fields bind = fields.sub("bind");
  // Only the short form makes a missing folder, docker's long one does not.
  mount.create_host_path = bind.boolean("create_host_path", false);
  mount.propagation = bind.text("propagation");
  mount.recursive = bind.text("recursive");
  const Fields volume = fields.sub("volume");
  mount.no_copy = volume.boolean("nocopy");
  mount.subpath = volume.text("subpath");
  const Fields tmpfs = fields.sub("tmpfs");
  if (const std::optional<std::int64_t> size = tmpfs.bytes("size")) mount.size = static_cast<std::uint64_t>(*size);
  if (const std::optional<std::int64_t> mode = tmpfs.integer("mode", 0, 07777)) {
    mount.mode = static_cast<std::uint32_t>(*mode);
  }
  into.mounts.push_back(std::move(mount));
}

// `tmpfs: /run:size=64m,mode=755`
void decode_tmpfs(const Fields &service, Service &into) {
  for (const std::string &text : service.texts("tmpfs")) {
    Mount mount;
    mount.kind = Mount::Kind::tmpfs;
    const std::size_t colon = text.find(':');
    mount.target = text.substr(0, colon);
    std::string_view rest = colon == std::string::npos ? std::string_view() : std::string_view(text).substr(colon + 1);
    while (!rest.empty()) {
      const std::string_view word = rest.substr(0, rest.find(','));
      mount.options.emplace_back(word);
      rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    }
    into.mounts.push_back(std::move(mount));
  }
}

std::optional<std::uint32_t> decode_id(const Fields &fields, std::string_view key) {
  const std::optional<std::int64_t> id = fields.integer(key, 0, most_id);
  return id ? std::optional(static_cast<std::uint32_t>(*id)) : std::nullopt;
}

FileMount decode_file(const Fields &fields, std::string_view folder) {
  FileMount file;
  file.source = fields.text("source");
  file.target = fields.text("target");
  if (file.target.empty()) file.target = file.source;
  if (!file.target.starts_with('/')) file.target = fmt::format("{}{}", folder, file.target);
  file.uid = decode_id(fields, "uid");
  file.gid = decode_id(fields, "gid");
  file.mode = fields.mode("mode");
  return file;
}

void decode_networks(const Fields &service, Service &into) {
  const Value *networks = service.find("networks");
  if (networks == nullptr || !into.network_mode.empty()) return;
  const Fields all = service.sub("networks");
  for (const Member &member : networks->members) {
    const Fields fields = all.sub(member.key);
    Attachment attachment;
    attachment.network = member.key;
    attachment.aliases = fields.texts("aliases");
    attachment.ipv4_address = fields.text("ipv4_address");
    attachment.ipv6_address = fields.text("ipv6_address");
    attachment.mac_address = fields.text("mac_address");
    attachment.interface_name = fields.text("interface_name");
    attachment.priority =
        fields.integer("priority", std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max())
            .value_or(0);
    into.networks.push_back(std::move(attachment));
  }
}

void decode_device(const Fields &fields, Service &into) {
  Device device{.source = fields.text("source"), .target = fields.text("target")};
  if (device.target.empty()) device.target = device.source;
  if (const std::string permissions = fields.text("permissions"); !permissions.empty())
    device.permissions = permissions;
  if (device.permissions.find_first_not_of("rwm") != std::string::npos) {
    fields.error(fields.at(), "device", fmt::format("{}: permissions are made of r, w and m", fields.path()));
  }
  into.devices.push_back(std::move(device));
}

// CDI names. One alone ("all", "0") is of any vendor's class gpu; only `driver: nvidia` asks for that vendor's.
void decode_gpu(const Fields &fields, Service &into) {
  const std::string vendor = fields.text("driver") == "nvidia" ? "nvidia.com/gpu=" : "";
  const auto add = [&](const std::string &id) { into.gpus.push_back(is_cdi_name(id) ? id : vendor + id); };
  for (const std::string &id : fields.texts("device_ids")) add(id);
  if (fields.find("device_ids") != nullptr) return;
  const std::int64_t count = fields.integer("count", -1, 64).value_or(-1);
  if (count < 0) add("all");
  for (std::int64_t i = 0; i < count; ++i) add(fmt::to_string(i));
}

void decode_hosts(const Fields &service, Service &into) {
  for (const std::string &text : service.texts("extra_hosts")) {
    const std::size_t sign = text.find('=');
    if (sign == std::string::npos || sign == 0 || sign + 1 == text.size()) {
      service.error(service.find("extra_hosts")->at, "extra-hosts",
                    fmt::format("{}.extra_hosts: \"{}\" is no NAME=ADDRESS", service.path(), text));
    } else {
      into.extra_hosts.emplace_back(text.substr(0, sign), text.substr(sign + 1));
    }
  }
}

}  // namespace

void decode_attachments(const Fields &service, Service &into) {
  each(service, "ports", [&](const Fields &fields) { decode_port(fields, into); });
  each(service, "volumes", [&](const Fields &fields) { decode_mount(fields, into); });
  decode_tmpfs(service, into);
  each(service, "secrets", [&](const Fields &fields) { into.secrets.push_back(decode_file(fields, "/run/secrets/")); });
  each(service, "configs", [&](const Fields &fields) { into.configs.push_back(decode_file(fields, "/")); });
  decode_networks(service, into);
  each(service, "devices", [&](const Fields &fields) { decode_device(fields, into); });
  each(service, "gpus", [&](const Fields &fields) { decode_gpu(fields, into); });
  const Fields reservations = service.sub("deploy").sub("resources").sub("reservations");
  each(reservations, "devices", [&](const Fields &fields) { decode_gpu(fields, into); });
  decode_hosts(service, into);
}

}  // namespace skiff::compose
