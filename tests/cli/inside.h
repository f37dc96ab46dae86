// What tests of a configuration's effect share: one program more inside the container, and short words for what every
// one of them writes.
#pragma once

#include <string>
#include <vector>

#include "tests/cli/rig.h"

namespace skiff::rig {

// /bin/raw_call in the rootfs: see raw_call.cc.
void bring_raw_call(const Rig &rig);

// One more entry of `mounts`.
void add_mount(Rig &rig, const std::string &destination, const std::string &type, const std::string &source,
               const std::vector<std::string> &options = {});

// A user namespace that maps 0 to 65535 of the container to 100000 and up, and a /tmp that its root may write.
inline constexpr unsigned first_mapped_id = 100000;
void add_user_namespace(Rig &rig);

// The entry of linux.namespaces of this type; it is made where there is none.
Json &namespace_entry(Rig &rig, const std::string &type);

// "net:[4026531833]" of the process.
[[nodiscard]] std::string namespace_link(const std::string &pid, const std::string &name);

[[nodiscard]] std::vector<std::string> lines_of(const std::string &text);

}  // namespace skiff::rig

// How a test ends: nothing of its containers is left.
#define EXPECT_CLEAN(rig) EXPECT_EQ((rig).leftovers(), std::vector<std::string>{})
