#include "conformance/worker.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "conformance/ground.h"
#include "runtime/kernel/prctl.h"

namespace skiff::conformance {
namespace {

Status serve(const std::function<Status(const kernel::Fd &)> &work, const kernel::Fd &pipe) {
  TRY(kernel::set_pdeathsig(SIGKILL));
  TRY(kernel::set_child_subreaper(true));
  TRY(enter_mount_namespace());
  (void)kernel::umask(022);
  return work(pipe);
}

}  // namespace

Result<Worker> Worker::start(const std::function<Status(const kernel::Fd &)> &work) {
  Worker worker;
  kernel::Pipe pipe = TRY(kernel::pipe2());
  worker.child_ = TRY(kernel::clone3({}));
  if (worker.child_.is_this_process()) {
    if (const Status done = serve(work, pipe.write); !done) {
      Tree error;
      error.set("/error", done.error().message());
      (void)say(pipe.write, error);
    }
    ::_exit(0);
  }
  worker.pipe_ = std::move(pipe.read);
  return worker;
}

Status Worker::hear(const std::function<void(const Tree &)> &told) {
  std::array<char, 65536> buffer{};
  const std::size_t got = TRY(kernel::read_some(pipe_, buffer));
  text_.append(buffer.data(), got);
  if (got == 0) {
    pipe_.reset();
    const kernel::ExitStatus ended = TRY(child_.wait());
    if (ended.shell_code() != 0) return fail("a process of ours ended before its work was done");
  }
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = text_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const Tree value = TRY(Tree::parse(std::string_view(text_).substr(begin, end - begin)));
    if (value.find("/error") != nullptr) return fail(value.text("/error"));
    told(value);
  }
  text_.erase(0, begin);
  return {};
}

Status hear_all(std::vector<Worker> &workers, const std::function<void(const Tree &)> &told) {
  while (std::ranges::any_of(workers, &Worker::is_open)) {
    std::vector<pollfd> fds;
    for (const Worker &worker : workers) fds.push_back({worker.pipe().get(), POLLIN, 0});
    (void)TRY(kernel::poll(fds, kernel::forever));
    for (std::size_t i = 0; i < workers.size(); ++i) {
      if (fds[i].revents != 0) TRY(workers[i].hear(told));
    }
  }
  return {};
}

Status say(const kernel::Fd &pipe, const Tree &value) { return kernel::write_all(pipe, value.dump() + "\n"); }

}  // namespace skiff::conformance
