#include "compose/granted_ids.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "compose/answer.h"
#include "compose/user_namespace.h"
#include "compose/user_network.h"
#include "runtime/kernel/environment.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/prctl.h"
#include "runtime/kernel/process.h"
#include "runtime/kernel/socket.h"

namespace skiff::compose {
namespace {

Status work_as_root(const kernel::Fd &ids, const std::function<Status()> &work) {
  TRY(become_root_of(ids));
  // After it, as it is forgotten there: what is left by a killed command is swept up by the next one.
  TRY(kernel::set_pdeathsig(SIGKILL));
  return work();
}

}  // namespace

bool has_granted_ids(const HostFacts &host) {
  return host.rootless() && !host.uid_ranges.empty() && !host.gid_ranges.empty();
}

Result<kernel::Fd> open_granted_ids(const HostFacts &host) {
  const kernel::Procfs proc = TRY(kernel::Procfs::open_host());
  return in("the user's ids", make_user_namespace(proc, TRY(make_user_network_maps(host))));
}

Result<std::string> find_user_store() {
  if (std::string own = kernel::environment_variable("SKIFF_STORE"); !own.empty()) return own;
  const std::string data = kernel::user_directory("XDG_DATA_HOME", "/.local/share");
  if (data.empty()) return fail("$HOME is not set", "name a directory by --store");
  return data + "/skiff/images";
}

Status work_with_granted_ids(const std::function<Status()> &work) {
  if (!is_rootless()) return work();
  const kernel::Fd ids = TRY(open_granted_ids(TRY(read_host_facts())));
  kernel::SocketPair sockets = TRY(kernel::socketpair());
  kernel::Child child = TRY(kernel::clone3({}));
  if (child.is_this_process()) {
    const Status done = work_as_root(ids, work);
    const std::string answer = print_answer(done ? Result<std::string>("") : std::unexpected(done.error()));
    _exit(kernel::send_message(sockets.other, answer) ? 0 : 1);
  }
  sockets.other.reset();
  const std::optional<kernel::Message> answer = TRY(kernel::recv_message(sockets.one, longest_answer, 0));
  TRY(child.wait());
  if (!answer) return fail("who works with the user's ids was killed");
  TRY(read_answer(answer->bytes));
  return {};
}

Status work_as_owner(const std::function<Status()> &work) {
  Status done = work();
  const bool refused = !done && (done.error().number == EACCES || done.error().number == EPERM);
  return refused && is_rootless() ? work_with_granted_ids(work) : done;
}

Status remove_container_tree(kernel::FdView parent, const std::string &name) {
  return work_as_owner([&] { return kernel::remove_tree_at(parent, name); });
}

}  // namespace skiff::compose
