// What `up` would do, as a value: a project against what runs of it. `plan` prints it, `up` does it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "compose/order.h"
#include "compose/project.h"

namespace skiff::compose {

// What a service's container is made of, as 64 hexadecimal digits: the same for any order of keys and any way of
// writing it, another one for any change that a container would show. How many there are, how images are got and who is
// waited for do not count, as with docker compose.
[[nodiscard]] std::string config_hash(const Project &project, const Service &service);

struct RunningContainer {
  std::string id;
  std::string name = {};
  std::string service = {};
  std::uint32_t number = 0;
  std::string config_hash = {};
  std::string image_id = {};
  bool running = false;  // or paused, or about to be restarted: nobody has to start it
  bool paused = false;
};

// What there is of a project; `run`'s one-off containers are not among them.
struct Running {
  std::vector<RunningContainer> containers;
  std::vector<std::string> networks;  // by their names on this host, of other projects too
  std::vector<std::string> volumes;
};

struct ChangeRequest {
  const Project &project;
  const StartOrder &order;                       // whom it is about
  std::map<std::string, std::string> image_ids;  // by service; where one is missing the images are not compared
  bool force_recreate = false;
  bool no_recreate = false;
  bool remove_orphans = false;
  bool renew_dependents = false;  // --always-recreate-deps
};

struct Action {
  enum class Kind : std::uint8_t {
    create_network,
    create_volume,
    create,
    recreate,  // stop and remove `id`, create and start another of that number
    start,
    unpause,
    keep,
    remove,         // more than the service's replicas
    remove_orphan,  // of a service that the project has not
    leave_orphan,
  };
  Kind kind = Kind::keep;
  std::string name;     // of the network or volume on this host, of the container
  std::string service;  // of a container
  std::uint32_t number = 0;
  std::string id;      // of a container that is there
  std::string reason;  // "its configuration has changed", or empty
};

struct Changes {
  std::vector<Action> actions;       // networks, volumes, containers in the order of starting, what is too much
  std::vector<std::string> missing;  // external networks and volumes that are not there: "network web"

  [[nodiscard]] bool none() const;  // nothing to do
};

[[nodiscard]] Changes make_changes(const ChangeRequest &request, const Running &running);

// PROJECT-SERVICE-NUMBER, or container_name.
[[nodiscard]] std::string container_name(const Project &project, const Service &service, std::uint32_t number);

// As a diff: "+" is made, "~" made anew, ">" started, "-" removed, and a line that counts them. With `all` what stays
// as it is, too.
[[nodiscard]] std::string print_changes(const Changes &changes, bool all = false);
// One object a line: {"action": "recreate", "kind": "container", "name": ..., "service": ..., "reason": ...}.
[[nodiscard]] std::string print_changes_json(const Changes &changes);

}  // namespace skiff::compose
