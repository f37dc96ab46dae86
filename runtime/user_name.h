// The owner's name for people.
#pragma once

#include <cstdint>
#include <string>

namespace skiff {

// The name of this uid in the host's /etc/passwd, or "#uid". No name service is asked: a static program cannot load
// one.
[[nodiscard]] std::string user_name(std::uint32_t uid);

}  // namespace skiff
