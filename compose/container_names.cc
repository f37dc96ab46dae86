#include "compose/container_names.h"

#include "compose/name_files.h"

namespace skiff::compose {

Status write_container_names(const Places &places, const ContainerRecord &record,
                             const std::vector<Endpoint> &endpoints) {
  NameFiles names{.hostname = record.hostname,
                  .domain_name = record.domainname,
                  .endpoints = endpoints,
                  .host_network = record.network_mode == "host",
                  .extra_hosts = {},
                  .dns = record.dns,
                  .dns_search = record.dns_search,
                  .dns_options = record.dns_options};
  for (const ExtraHost &host : record.extra_hosts) names.extra_hosts.emplace_back(host.name, host.address);
  return write_name_files(places.directory(record.id), names);
}

}  // namespace skiff::compose
