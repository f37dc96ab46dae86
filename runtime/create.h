// create, from the command line's words to init at its gate; the story that `create` and `run` share.
#pragma once

#include <optional>
#include <string>

#include "runtime/bundle.h"
#include "runtime/launch.h"

namespace skiff {

struct CreateRequest {
  std::string root;  // of the runtime's state
  std::string id;
  std::string bundle;                             // empty: the working directory
  std::string pid_file;                           // empty: none
  std::string console_socket;                     // path; empty: none
  std::string pidfd_socket;                       // path; empty: none
  kernel::Fd console;                             // or the socket itself, where the terminal stays with us
  std::optional<spec::ConsoleSize> console_size;  // instead of process.consoleSize
  bool detached = true;  // the terminal, where there is one, needs somebody else's console socket
  bool no_pivot = false;
  bool no_new_keyring = false;
  bool systemd_cgroup = false;
  bool disable_cgroups = false;  // neither made nor joined; the limits are ignored
  bool gate = true;
  std::uint32_t preserve_fds = 0;
  kernel::Fd image;  // take_image (seal.h)
};

struct Created {
  Bundle bundle;
  Container container;
  Launched launched;
};

// On an error nothing is left behind: no process, mount, cgroup or directory.
[[nodiscard]] Result<Created> create_container(CreateRequest request, const cli::Log &log);

// Whether the terminal, the console socket and staying in the foreground go together.
[[nodiscard]] Status check_terminal(const CreateRequest &request, const spec::Config &config);

// What the record says from the start. The cgroup's paths are those that it will have.
[[nodiscard]] Status fill_record(spec::Record &record, const Bundle &bundle, const Plan &plan,
                                 const kernel::Procfs &proc);

// Once it is known how the command ends: where it fails, the error must be the log's only object (Podman parses the
// whole file as one), and the warnings go to stderr.
void tell_warnings(const std::vector<std::string> &warnings, bool succeeded, const cli::Log &log);

// Digits alone, no newline, in place at once: containerd and conmon read it as soon as it is there.
[[nodiscard]] Status write_pid_file(const std::string &path, pid_t pid);

// A debug line for each setting that the kernel has nothing for any more.
void log_left_out(const spec::Resources &resources, const cli::Log &log);

// --pidfd-socket: connects and hands the pidfd over, with the name "pidfd" as payload.
[[nodiscard]] Status send_pidfd(const std::string &path, const kernel::Fd &pidfd);

// Kills what is left of a container, removes its cgroup and its directory. Poststop hooks that fail become warnings.
[[nodiscard]] Status destroy_container(Container &container, const cli::Log &log);

}  // namespace skiff
