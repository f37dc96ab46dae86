// Where skiff-compose keeps what it knows: what outlives a reboot, and what does not.
//
//   DATA/containers/ID/   record.json, run.json, config of the bundle, the log; one directory a container
//   DATA/names/NAME       a symbolic link to ID: whoever makes it has the name
//   DATA/events           what happened, a line of JSON each
//   RUN/runtime           `skiff --root`
//   RUN/ID/               sockets of the monitor
#pragma once

#include <string>
#include <string_view>

#include "runtime/cli/flags.h"
#include "runtime/kernel/fd.h"

namespace skiff::compose {

struct Places {
  std::string data;  // absolute, as is the other
  std::string run;

  [[nodiscard]] std::string containers() const { return data + "/containers"; }
  [[nodiscard]] std::string names() const { return data + "/names"; }
  // half_made.h
  [[nodiscard]] std::string half_made() const { return data + "/half-made"; }
  [[nodiscard]] std::string events() const { return data + "/events"; }
  [[nodiscard]] std::string directory(const std::string &id) const { return data + "/containers/" + id; }
  [[nodiscard]] std::string runtime_root() const { return run + "/runtime"; }
  [[nodiscard]] std::string sockets(const std::string &id) const { return run + "/" + id; }
};

// --state DIR, else $SKIFF_COMPOSE_STATE: DIR and DIR/run. Else for root /var/lib/skiff/compose and
// /run/skiff-compose, for a user skiff/compose in $XDG_DATA_HOME (~/.local/share) and skiff-compose in
// $XDG_RUNTIME_DIR, or below DATA where there is none (XDG Base Directory Specification).
[[nodiscard]] Result<Places> find_places(const cli::Flags &global);

// Makes the directories that are missing, for nobody but their owner: names, labels and logs are not for everyone.
[[nodiscard]] Status make_places(const Places &places);

// flock(2) on a file that is made where it is missing; held until the descriptor goes. `operation`: LOCK_EX or LOCK_SH,
// with LOCK_NB an invalid descriptor where somebody else holds it.
[[nodiscard]] Result<kernel::Fd> lock_file(const std::string &path, int operation);

// The file's whole content at once: a reader sees the old one or the new one, whenever the writer is killed.
[[nodiscard]] Status replace_file(const std::string &path, std::string_view text, mode_t mode = 0600);

// The whole of a file; empty where there is none.
[[nodiscard]] Result<std::string> read_if_there(const std::string &path);

// 64 hexadecimal digits.
[[nodiscard]] Result<std::string> make_id();

// Of this boot: what was running in another one does not run any more.
[[nodiscard]] Result<std::string> read_boot_id();

// RFC 3339 with nanoseconds, UTC: as docker writes times.
[[nodiscard]] std::string time_text(timespec time);
[[nodiscard]] std::string time_now();

}  // namespace skiff::compose
