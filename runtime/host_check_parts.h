// How the checks of host_check.h are written: a collector, and one function for each part of config.json. For
// host_check*.cc only.
#pragma once

#include <concepts>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/host_check.h"
#include "runtime/kernel/proc.h"
#include "spec/json.h"

namespace skiff {

// A JSON pointer: at("mounts", 3, "source").
template <class... Steps>
[[nodiscard]] std::string at(const Steps &...steps) {
  std::string pointer;
  const auto append = [&pointer](const auto &step) {
    if constexpr (std::integral<std::decay_t<decltype(step)>>) {
      spec::json::append_step(pointer, std::to_string(step));
    } else {
      spec::json::append_step(pointer, step);
    }
  };
  (append(steps), ...);
  return pointer;
}

class HostChecker {
 public:
  // All are borrowed. `for_root`: see stands_in_for_root.
  HostChecker(const Bundle &bundle, const Host &host, const kernel::Procfs &proc, bool for_root)
      : bundle_(bundle), host_(host), proc_(proc), for_root_(for_root) {}

  [[nodiscard]] const Bundle &bundle() const { return bundle_; }
  [[nodiscard]] const spec::Config &config() const { return bundle_.config; }
  [[nodiscard]] const Host &host() const { return host_; }
  [[nodiscard]] const kernel::Procfs &proc() const { return proc_; }

  // A user without privileges looks at a bundle that only root can run: what root may do is not known then.
  [[nodiscard]] bool stands_in_for_root() const { return for_root_; }

  // Where the spec or the manual states what the findings that follow break.
  void clause(std::string_view where) { clause_ = where; }
  void add(std::string pointer, std::string text, std::string remedy = {});
  // An error of the plan, whose text begins with its field: "mounts[3].type: missing". Only the first at one place.
  void add(const Error &error);
  void note(std::string text);
  // A note that `path` could not be looked at, unless it is simply not there.
  void note_unseen(const std::string &path, const Error &error);

  BundleReport take() { return std::move(report_); }

 private:
  const Bundle &bundle_;
  const Host &host_;
  const kernel::Procfs &proc_;
  bool for_root_;
  BundleReport report_;
  std::string_view clause_;
};

// No such file, or something on the way to it that leads nowhere.
[[nodiscard]] inline bool is_absent(const Error &error) {
  return error.number == ENOENT || error.number == ENOTDIR || error.number == ELOOP;
}

// The whole text of a file of the host outside of /proc.
[[nodiscard]] Result<std::string> read_host_file(kernel::CString path, std::size_t max_bytes = std::size_t{1} << 20);

// The mapping that has this id of the container; nullptr where none has.
[[nodiscard]] const spec::IdMapping *find_mapping(std::uint32_t id, std::span<const spec::IdMapping> mappings);

// The user namespace that the runtime would make; nullptr where it makes none.
[[nodiscard]] const spec::Namespace *new_user_namespace(const spec::Linux &linux_);

void check_root_directory(HostChecker &c);
void check_mount_entries(HostChecker &c);
void check_inside_rootfs(HostChecker &c);  // the program, cwd, device nodes, the hooks that start in the container
void check_runtime_hooks(HostChecker &c);
void check_mapped_ids(HostChecker &c);
void check_granted_ids(HostChecker &c);
void check_process_limits(HostChecker &c);
void check_capabilities(HostChecker &c);
void check_labels(HostChecker &c);
void check_seccomp_support(HostChecker &c);
void check_namespace_support(HostChecker &c);
void check_sysctl_files(HostChecker &c);
void check_host_hardware(HostChecker &c);  // network devices, resctrl, memory nodes
void check_cgroups(HostChecker &c);

}  // namespace skiff
