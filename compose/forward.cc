#include "compose/forward.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "compose/forward_fields.h"
#include "compose/process_mark.h"
#include "compose/program.h"
#include "compose/user_network.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/socket.h"

namespace skiff::compose {
namespace {

std::string mark_path(const Places &places, const std::string &container) {
  return fmt::format("{}/networks/forwarders/{}", places.run, container);
}

}  // namespace

std::vector<Forward> forwards_of(const NetworkState &state) {
  const auto out = std::ranges::find_if(state.endpoints, [](const Endpoint &one) { return !one.gateways.empty(); });
  std::vector<Forward> forwards;
  if (out == state.endpoints.end()) return forwards;
  for (const Port &port : state.ports) {
    forwards.push_back({.protocol = port.protocol,
                        .address = port.host_address,
                        .port = port.host.value_or(0),
                        .targets = out->addresses,
                        .target_port = port.container});
  }
  return forwards;
}

Status start_forwarder(const Places &places, const NetworkState &state, const kernel::Fd &lock) {
  ForwardRequest request{.mark = mark_path(places, state.container), .forwards = forwards_of(state)};
  if (request.forwards.empty()) return {};
  request.network = TRY(find_user_network(places)).pid;
  TRY(kernel::make_parents(request.mark, 0700));
  kernel::SocketPair sockets = TRY(kernel::socketpair());
  const std::string self = TRY(kernel::readlinkat(kernel::cwd, "/proc/self/exe"));
  TRY(start_detached({self, "forward"}, {.in = sockets.other}));
  sockets.other.reset();
  // A file: of thousands of ports it is longer than a message may be.
  const kernel::Fd document = TRY(kernel::memfd_create("forwards", 0));
  TRY(kernel::write_all(document, spec::Writer("").document(request)));
  const std::array<kernel::FdView, 2> fds = {lock, document};
  TRY(kernel::send_message(sockets.one, forward_wire::request, fds));
  const std::optional<kernel::Message> answer = TRY(kernel::recv_message(sockets.one, forward_wire::longest, 0));
  if (!answer) return fail("the forwarder of published ports was killed");
  return answer->bytes == forward_wire::ready ? Status() : fail(answer->bytes);
}

Status stop_forwarder(const Places &places, const std::string &container) {
  return end_marked_process(mark_path(places, container));
}

}  // namespace skiff::compose
