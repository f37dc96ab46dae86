// Session keyrings: a container gets its own, so that it cannot read the keys of whoever started it (keyrings(7)).
#pragma once

#include <cstdint>

#include "runtime/kernel/fd.h"

namespace skiff::kernel {

using KeyId = int32_t;

// KEYCTL_JOIN_SESSION_KEYRING: joins or makes the keyring of this name. ENOSYS where the kernel has no keys, EDQUOT
// above the user's quota of keys, EACCES where a keyring of this name is somebody else's.
[[nodiscard]] Result<KeyId> join_session_keyring(CString name);
// KEYCTL_DESCRIBE: "type;uid;gid;perm;description", perm in hexadecimal.
[[nodiscard]] Result<std::string> keyctl_describe(KeyId key);
// KEYCTL_SETPERM: KEY_POS_*, KEY_USR_*, ... bits.
[[nodiscard]] Status keyctl_setperm(KeyId key, uint32_t permissions);
// Adds bits to what KEYCTL_DESCRIBE shows.
[[nodiscard]] Status add_key_permissions(KeyId key, uint32_t permissions);

}  // namespace skiff::kernel
