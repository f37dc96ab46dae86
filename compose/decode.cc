#include "compose/decode.h"

#include <fmt/format.h>

#include <algorithm>

#include "compose/decode_service.h"
#include "compose/schema.h"

namespace skiff::compose {
namespace {

AddressPool decode_pool(const Fields &fields) {
  return {.subnet = fields.text("subnet"),
          .gateway = fields.text("gateway"),
          .range = fields.text("ip_range"),
          .reserved = fields.text_map("aux_addresses")};
}

Network decode_network(const Member &member, const Fields &fields) {
  Network network;
  network.key = member.key;
  network.name = fields.text("name");
  network.driver = fields.text("driver");
  network.driver_options = fields.text_map("driver_opts");
  network.external = fields.boolean("external");
  network.internal = fields.boolean("internal");
  network.attachable = fields.boolean("attachable");
  network.enable_ipv6 = fields.boolean("enable_ipv6");
  network.labels = fields.text_map("labels");
  const Fields ipam = fields.sub("ipam");
  if (const Value *pools = ipam.find("config")) {
    for (std::size_t i = 0; i < pools->items.size(); ++i) {
      network.pools.push_back(decode_pool(ipam.entry(pools->items[i], "config", i)));
    }
  }
  return network;
}

Volume decode_volume(const Member &member, const Fields &fields) {
  Volume volume;
  volume.key = member.key;
  volume.name = fields.text("name");
  volume.driver = fields.text("driver");
  volume.driver_options = fields.text_map("driver_opts");
  volume.external = fields.boolean("external");
  volume.labels = fields.text_map("labels");
  return volume;
}

FileSource decode_source(const Member &member, const Fields &fields) {
  FileSource source;
  source.key = member.key;
  source.name = fields.text("name");
  source.file = fields.text("file");
  source.environment = fields.text("environment");
  if (fields.find("content") != nullptr) source.content = fields.text("content");
  source.external = fields.boolean("external");
  const int count = static_cast<int>(fields.find("file") != nullptr) +
                    static_cast<int>(fields.find("environment") != nullptr) +
                    static_cast<int>(source.content.has_value()) + static_cast<int>(source.external);
  if (count != 1) {
    fields.error(member.at, "file-source",
                 fmt::format("{}: exactly one of file, environment, content and external is needed", fields.path()));
  }
  return source;
}

template <class Decode>
void each(const Value &canonical, std::string_view kind, Findings &findings, Decode decode) {
  const Value *all = canonical.find(kind);
  if (all == nullptr) return;
  for (const Member &member : all->members) {
    decode(member, Fields(&member.value, join_path(kind, member.key), findings));
  }
}

}  // namespace

const Service *Project::find(std::string_view service) const {
  const auto found = std::ranges::find(services, service, &Service::name);
  return found == services.end() ? nullptr : &*found;
}

Project decode_project(const Value &canonical, Findings &findings) {
  Project project;
  each(canonical, "services", findings,
       [&](const Member &member, const Fields &) { project.services.push_back(decode_service(member, findings)); });
  each(canonical, "networks", findings,
       [&](const Member &member, const Fields &fields) { project.networks.push_back(decode_network(member, fields)); });
  each(canonical, "volumes", findings,
       [&](const Member &member, const Fields &fields) { project.volumes.push_back(decode_volume(member, fields)); });
  each(canonical, "secrets", findings,
       [&](const Member &member, const Fields &fields) { project.secrets.push_back(decode_source(member, fields)); });
  each(canonical, "configs", findings,
       [&](const Member &member, const Fields &fields) { project.configs.push_back(decode_source(member, fields)); });
  return project;
}

}  // namespace skiff::compose
