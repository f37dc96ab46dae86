// linux.netDevices: devices of the host that move into the container's network namespace (config-linux.md, "Network
// Devices").
#pragma once

#include "runtime/kernel/fd.h"
#include "runtime/plan.h"

namespace skiff {

// Moves each device from the caller's network namespace into `netns`, with the permanent addresses of global scope that
// the kernel takes off on the way, and sets it up. What else a device has (MTU, hardware address) moves with it. Where
// one fails, those before it have moved: they go back, or away, with the namespace. Errors name the device.
[[nodiscard]] Status move_net_devices(const Plan &plan, kernel::FdView netns, kernel::FdView own_netns);

}  // namespace skiff
