// /etc/hostname, /etc/hosts and /etc/resolv.conf of a container: files in its own folder that are bind-mounted.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "compose/network.h"
#include "spec/error.h"

namespace skiff::compose {

struct NameFiles {
  std::string hostname;
  std::string domain_name;
  std::vector<Endpoint> endpoints;                               // none: the host's network or none at all
  bool host_network = false;                                     // the host's own names and name servers count
  std::vector<std::pair<std::string, std::string>> extra_hosts;  // name, address or "host-gateway"
  std::vector<std::string> dns, dns_search, dns_options;         // where given, in place of the host's
};

// Writes FOLDER/hostname, FOLDER/hosts and FOLDER/resolv.conf. Files that are there keep their inode, which a running
// container has mounted.
[[nodiscard]] Status write_name_files(const std::string &folder, const NameFiles &names);

}  // namespace skiff::compose
