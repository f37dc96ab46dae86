#include "runtime/kernel/keyring.h"

#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <optional>

#include "runtime/kernel/call.h"

namespace skiff::kernel {
namespace {

// "type;uid;gid;perm;description": the fourth, in hexadecimal. The description is the last and may hold anything.
std::optional<uint32_t> parse_permissions(std::string_view description) {
  for (int field = 0; field < 3; ++field) {
    const size_t semicolon = description.find(';');
    if (semicolon == description.npos) return std::nullopt;
    description.remove_prefix(semicolon + 1);
  }
  const std::string_view text = description.substr(0, description.find(';'));
  uint32_t permissions = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), permissions, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return permissions;
}

}  // namespace

Result<KeyId> join_session_keyring(CString name) {
  const long key = ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name.c_str(), 0, 0, 0);
  if (key < 0) return call_failed("keyctl", {Argument::word("KEYCTL_JOIN_SESSION_KEYRING"), name});
  return static_cast<KeyId>(key);
}

Result<std::string> keyctl_describe(KeyId key) {
  // Type names have at most 32 bytes, descriptions 4096.
  std::array<char, 4352> text;
  const long size = ::syscall(SYS_keyctl, KEYCTL_DESCRIBE, key, text.data(), text.size(), 0);
  if (size < 0) return call_failed("keyctl", {Argument::word("KEYCTL_DESCRIBE"), key});
  const size_t held = std::min(static_cast<size_t>(size), text.size());
  return std::string(text.data(), held == 0 ? 0 : held - 1);
}

Status keyctl_setperm(KeyId key, uint32_t permissions) {
  if (::syscall(SYS_keyctl, KEYCTL_SETPERM, key, permissions, 0, 0) == 0) return {};
  return call_failed("keyctl", {Argument::word("KEYCTL_SETPERM"), key, Argument::flags(permissions, {})});
}

Status add_key_permissions(KeyId key, uint32_t permissions) {
  const std::string description = TRY(keyctl_describe(key));
  const std::optional<uint32_t> held = parse_permissions(description);
  if (!held) return call_failed(EINVAL, "keyctl", {Argument::word("KEYCTL_DESCRIBE"), key});
  return keyctl_setperm(key, *held | permissions);
}

}  // namespace skiff::kernel
