// CRIU (criu(8)) as a child process that serves one caller over a socket: `criu swrk`. It is a program of its own, of
// the package criu: what it does to a container no library can do from here.
#pragma once

#include <functional>
#include <string>

#include "runtime/cli/log.h"
#include "runtime/criu_message.h"
#include "runtime/kernel/process.h"

namespace skiff {

// What CRIU tells on its way, and waits for the answer. An error makes it give up and undo what it has done.
struct CriuNotification {
  std::string_view script;  // setup-namespaces, post-restore, orphan-pts-master, status-ready, ...
  int pid = 0;              // setup-namespaces, post-restore: the restored init
  const kernel::Fd &fd;     // orphan-pts-master: the terminal's master; else invalid
};
using CriuAnswer = std::function<Status(const CriuNotification &)>;

// How the process is made.
struct CriuStart {
  std::string program;  // a path, or empty: `criu` of $PATH
  // A restore's stdio becomes that of the container; a dump has none.
  bool keep_stdio = false;
  // Killed when its caller dies, which for most requests would leave more behind than letting it come to its end.
  bool dies_with_caller = false;
  std::vector<kernel::FdView> inherited = {};  // which CRIU has under the same numbers; what its options name
  // Called in the child, in a mount namespace of its own, before it becomes CRIU; empty: in the caller's namespace. A
  // directory that CRIU is to mount in has to be opened there once more.
  std::function<Status()> prepare_mounts = {};
};

class Criu {
 public:
  // Waits for serve() before it runs CRIU, so that the caller may put it somewhere first. ENOENT, with the package's
  // name, where there is no program.
  [[nodiscard]] static Result<Criu> start(CriuStart start);
  [[nodiscard]] pid_t pid() const { return child_.pid(); }
  // Runs CRIU and asks for its version, which has to be one that knows all that is asked of it here.
  [[nodiscard]] Result<int> serve();
  // An error where one of those wanted is missing.
  [[nodiscard]] Status require(const CriuFeatures &wanted);
  // Sends the request, has each notification answered, and waits for the end of both. Once. An error is the first of
  // the notifications', or CRIU's with the lines of its log in `directory` that matter, and the log's path.
  [[nodiscard]] Result<CriuResponse> request(CriuType type, const CriuOptions &options, const CriuAnswer &answer,
                                             const std::string &directory, const cli::Log &log);

 private:
  Criu(kernel::Child child, kernel::Fd socket, kernel::Fd control)
      : child_(std::move(child)), socket_(std::move(socket)), control_(std::move(control)) {}
  [[nodiscard]] Result<CriuResponse> ask(std::string_view message);
  [[nodiscard]] Result<CriuResponse> converse(const CriuAnswer &answer, Status &answered, const cli::Log &log);
  kernel::Child child_;
  kernel::Fd socket_;
  kernel::Fd control_;  // to the child until it becomes CRIU
};

// Whether the log of a dump says that the images are whole.
[[nodiscard]] bool has_dumped(const std::string &log_path);

}  // namespace skiff
