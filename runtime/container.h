// A container as the runtime's root directory knows it: ROOT/ID/ with state.json (the record), config.json (a copy of
// the bundle's) and, until it is started, gate.
//
// Created in this order so that SIGKILL at any instant leaves what `delete --force` removes: the directory, the lock,
// the record with the cgroup's paths, and only then a cgroup or a process.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/kernel/fd.h"
#include "runtime/kernel/proc.h"
#include "spec/state.h"

namespace skiff {

// [0-9A-Za-z_+.-]+, at most 255 bytes, neither "." nor "..".
[[nodiscard]] Status check_container_id(std::string_view id);

class Container {
 public:
  // Makes ROOT (0700, with its parents) and ROOT/ID, takes the lock. EEXIST is "container with given ID already
  // exists".
  [[nodiscard]] static Result<Container> create(const std::string &root, const std::string &id);
  // Reads the record. ENOENT is "container ... does not exist".
  [[nodiscard]] static Result<Container> load(const std::string &root, const std::string &id);
  // The same, and where the record is missing or torn (its creator was killed) an empty one that is not ready: delete
  // --force works on it.
  [[nodiscard]] static Result<Container> load_any(const std::string &root, const std::string &id);
  // The ids below ROOT, sorted; none where ROOT does not exist.
  [[nodiscard]] static Result<std::vector<std::string>> list(const std::string &root);

  // Waits for other commands that change this container.
  [[nodiscard]] Status lock();
  // The same, and then reads the record again: they may have changed it, or removed the container ("does not exist").
  [[nodiscard]] Status lock_and_reload();
  [[nodiscard]] Status unlock();
  // Closes what a child has inherited: the lock belongs to every copy of the descriptor.
  void close();
  // Writes the record of a new container. Until it is whole it counts as none, and nothing was made that it would name.
  [[nodiscard]] Status save_first();
  // Writes it again, in two steps: a new file, which counts from the moment it takes the place of the old one.
  [[nodiscard]] Status write_next();
  [[nodiscard]] Status replace();
  [[nodiscard]] Status save_config(std::string_view json);
  [[nodiscard]] Result<std::string> read_config() const;

  // What the container is now, from the kernel: the record holds no status that could be out of date.
  [[nodiscard]] Result<spec::ContainerStatus> status(const kernel::Procfs &proc) const;
  // Like status, but never looks whether it is frozen: a paused container is running, or created.
  [[nodiscard]] Result<spec::ContainerStatus> process_status(const kernel::Procfs &proc) const;
  // The init process; ESRCH where it has ended (or its pid is another's by now).
  [[nodiscard]] Result<kernel::Fd> open_init(const kernel::Procfs &proc) const;
  [[nodiscard]] spec::State state(spec::ContainerStatus status) const;

  // Removes ROOT/ID with everything in it.
  [[nodiscard]] Status remove();

  [[nodiscard]] const kernel::Fd &directory() const { return directory_; }
  spec::Record record;

 private:
  Container(kernel::Fd root, kernel::Fd directory, std::string id)
      : root_(std::move(root)), directory_(std::move(directory)) {
    record.id = std::move(id);
  }
  [[nodiscard]] static Result<Container> open(const std::string &root, const std::string &id);
  [[nodiscard]] Status read_record();  // leaves the record as it is where the file is missing or torn
  kernel::Fd root_;
  kernel::Fd directory_;
};

}  // namespace skiff
