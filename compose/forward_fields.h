// What a forwarder is told on its standard input: two descriptors, the lock of the networks and one ForwardRequest.
#pragma once

#include "compose/forward.h"
#include "spec/reader.h"
#include "spec/writer.h"

namespace skiff::compose {

namespace forward_wire {
inline constexpr std::size_t longest = std::size_t{64} << 10U;
inline constexpr std::string_view request = "forward";
inline constexpr std::string_view ready = "ready";  // its answer; any other is an error
}  // namespace forward_wire

void fields(auto &v, spec::Like<Forward> auto &forward) {
  v.required("protocol", forward.protocol);
  v.optional("address", forward.address);
  v.required("port", forward.port);
  v.required("targets", forward.targets);
  v.required("targetPort", forward.target_port);
}

void fields(auto &v, spec::Like<ForwardRequest> auto &request) {
  v.required("network", request.network);
  v.required("mark", request.mark);
  v.required("forwards", request.forwards);
}

}  // namespace skiff::compose
