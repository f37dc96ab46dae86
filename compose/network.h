// Networks of containers: bridges, each a NetworkRecord on disk, with names from aardvark-dns and rules of the
// firewall; and what ties a container to them, which is one network namespace.
//
// A network is written down in DATA/networks/NAME.json. A container's namespace lies bind-mounted at
// RUN/networks/namespaces/ID from attach_networks to detach_networks, so that another may share it by its path.
// Everything that is made is written down first: detach_networks removes what a killed command left, and may be called
// again and again.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "compose/project.h"
#include "compose/state.h"
#include "spec/error.h"

namespace skiff::compose {

struct SubnetRecord {
  std::string subnet = {};                           // "10.201.3.0/24"
  std::string gateway = {};                          // an address in it, the bridge's
  std::string range = {};                            // a part of it that addresses are taken from; empty for all of it
  std::map<std::string, std::string> reserved = {};  // by name: addresses that no container gets
};

struct NetworkRecord {
  std::string name = {};
  std::string id = {};       // 64 hexadecimal digits
  std::string created = {};  // RFC 3339
  std::string bridge = {};   // the interface on the host
  bool internal = false;
  bool ipv6 = false;
  bool automatic = false;  // nobody chose its subnets: they may be chosen again while nothing is attached
  std::vector<SubnetRecord> subnets = {};
  std::map<std::string, std::string> options = {};  // of the driver
  Labels labels = {};
};

// One interface of a container.
struct Endpoint {
  std::string network = {};
  std::string interface_name = {};
  std::string mac_address = {};
  std::vector<std::string> addresses = {};  // "10.201.3.2/24"
  std::vector<std::string> gateways = {};
  std::vector<std::string> aliases = {};  // names it has there beside the container's own
  std::vector<std::string> name_servers = {};
};

struct NetworkRequest {
  std::string container = {};  // its id
  std::string name = {};       // its name, which resolves on every network
  std::vector<Attachment> attachments =
      {};  // Attachment.network is the network's name on this host; none: no interface
  std::vector<Port> ports = {};
};

struct NetworkState {
  std::string container = {};
  std::string name = {};
  std::string boot_id = {};
  std::string path = {};                 // of the namespace; an ordinary user's is there in his network alone
  std::vector<Endpoint> endpoints = {};  // in the order of the interfaces
  std::vector<Port> ports = {};          // `host` is always there
};

// The name of a network is taken: EEXIST, with the id of that one. A subnet that the host or another network uses is
// an error that names both.
[[nodiscard]] Result<NetworkRecord> create_network(const Places &places, const Network &network);
// ENOENT without one of this name or beginning of an id.
[[nodiscard]] Result<NetworkRecord> find_network(const Places &places, const std::string &name);
// By name.
[[nodiscard]] Result<std::vector<NetworkRecord>> list_networks(const Places &places);
// EBUSY while containers are attached, with their names. The bridge and its rules are gone afterwards.
[[nodiscard]] Status remove_network(const Places &places, const std::string &name);

// Takes away what killed ones were writing of networks and of attached containers.
[[nodiscard]] Status sweep_networks(const Places &places);

// Chooses addresses, names and ports, and makes the namespace at NetworkState.path; an ordinary user's container makes
// its own (user_network.h). What it had before is taken away. A failure leaves nothing.
[[nodiscard]] Result<NetworkState> attach_networks(const Places &places, const NetworkRequest &request);
// Makes all that attach_networks has chosen: at any time before the container's program begins, so that it may be done
// beside its creation. For an ordinary user `pid` is the container's first process. What has failed is taken away by
// detach_networks.
[[nodiscard]] Result<NetworkState> join_networks(const Places &places, const std::string &container, pid_t pid);
// What attach_networks has made, ENOENT without. An invalid (old) boot's state is none.
[[nodiscard]] Result<NetworkState> find_attached(const Places &places, const std::string &container);
// Of all containers.
[[nodiscard]] Result<std::vector<NetworkState>> list_attached(const Places &places);
// Takes away all of it. None there is no error.
[[nodiscard]] Status detach_networks(const Places &places, const std::string &container);

// One more or one less while the container runs; EEXIST and ENOENT where it is so already.
[[nodiscard]] Result<NetworkState> connect_network(const Places &places, const std::string &container,
                                                   const Attachment &attachment);
[[nodiscard]] Result<NetworkState> disconnect_network(const Places &places, const std::string &container,
                                                      const std::string &network);

}  // namespace skiff::compose
