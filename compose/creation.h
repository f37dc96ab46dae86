// A container out of a service: its image unpacked, its volumes made, its config.json written. It does not run yet.
#pragma once

#include "compose/container.h"
#include "compose/engine.h"
#include "compose/lower.h"
#include "compose/network.h"

namespace skiff::compose {

struct CreateRequest {
  // The names of volumes and networks in it are names on this host; service:NAME modes are container:ID by now. With
  // neither a network nor a network_mode it gets the network that `run` has without a word.
  Service service;
  // The same with the values of its secret_references (secrets.h), where it has some: for config.json alone.
  std::optional<Service> with_secrets;
  std::string name;  // of the container; empty: one is made up
  std::string project;
  std::string service_name;
  std::uint32_t number = 0;
  bool one_off = false;
  std::string config_hash;
  std::vector<SourcePath> files;  // of secrets and configs
  bool auto_remove = false;
  bool stdin_once = false;
  bool quiet = false;        // no progress of a pull
  bool starts_now = false;   // its root filesystem stays mounted
  bool publish_all = false;  // every port that the image exposes
};

// What `run` is attached to without a word; made where it is missing.
inline constexpr const char *default_network = "bridge";

// Nothing is left of it when it fails; ENOENT where there is no such image.
[[nodiscard]] Result<ContainerRecord> create_container(const Engine &engine, const CreateRequest &request);

}  // namespace skiff::compose
