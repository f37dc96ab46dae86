#include "imgtool/layer_xattrs.h"

#include <endian.h>
#include <linux/capability.h>

#include <cstring>

namespace skiff::image {
namespace {

constexpr std::string_view user_prefix = "user.overlay.";
constexpr std::string_view trusted_prefix = "trusted.overlay.";
constexpr std::string_view escape = "overlay.";
constexpr std::uint32_t leave = 0xffffffff;  // in the message: this one is 0

bool is_of_host(std::string_view name) { return name == "security.selinux" || name == "system.nfs4_acl"; }

std::string_view overlay_prefix(const XattrRules &rules) { return rules.user_xattr ? user_prefix : trusted_prefix; }

void append_varint(std::string &out, std::uint32_t value) {
  while (value >= 0x80U) {
    out += static_cast<char>(value | 0x80U);
    value >>= 7U;
  }
  out += static_cast<char>(value);
}

std::optional<std::uint64_t> take_varint(std::string_view &bytes) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; !bytes.empty() && shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if ((byte & 0x80U) == 0) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string overlay_opaque_xattr(bool user_xattr) {
  return std::string(user_xattr ? user_prefix : trusted_prefix) + "opaque";
}

std::optional<std::string> xattr_name_on_disk(std::string_view in_layer, const XattrRules &rules) {
  if (is_of_host(in_layer)) return std::nullopt;
  const std::string_view prefix = overlay_prefix(rules);
  if (!rules.overlay || !in_layer.starts_with(prefix)) return std::string(in_layer);
  return std::string(prefix) + std::string(escape) + std::string(in_layer.substr(prefix.size()));
}

std::optional<std::string> xattr_name_in_layer(std::string_view on_disk, const XattrRules &rules) {
  if (is_of_host(on_disk)) return std::nullopt;
  const std::string_view prefix = overlay_prefix(rules);
  if (!rules.overlay || !on_disk.starts_with(prefix)) return std::string(on_disk);
  const std::string_view rest = on_disk.substr(prefix.size());
  if (!rest.starts_with(escape)) return std::nullopt;
  return std::string(prefix) + std::string(rest.substr(escape.size()));
}

std::string make_rootless_value(RootlessOwner owner) {
  std::string out;
  out += '\x08';  // field 1, a varint
  append_varint(out, owner.uid == 0 ? leave : owner.uid);
  out += '\x10';  // field 2
  append_varint(out, owner.gid == 0 ? leave : owner.gid);
  return out;
}

Result<RootlessOwner> parse_rootless_value(std::string_view value) {
  RootlessOwner owner;
  while (!value.empty()) {
    const char tag = value.front();
    value.remove_prefix(1);
    const std::optional<std::uint64_t> number = take_varint(value);
    if (!number || *number > leave || (tag != '\x08' && tag != '\x10')) {
      return fail(EBADMSG, std::string(rootless_xattr) + ": not a message of two ids");
    }
    (tag == '\x08' ? owner.uid : owner.gid) = *number == leave ? 0 : static_cast<std::uint32_t>(*number);
  }
  return owner;
}

std::string shift_capability(std::string_view value, std::uint32_t root_id) {
  std::string out(value);
  vfs_ns_cap_data data{};
  if (value.size() != XATTR_CAPS_SZ_2) return out;
  std::memcpy(&data, value.data(), value.size());
  std::uint32_t magic = le32toh(data.magic_etc);
  if ((magic & VFS_CAP_REVISION_MASK) != VFS_CAP_REVISION_2) return out;
  magic = (magic & ~VFS_CAP_REVISION_MASK) | VFS_CAP_REVISION_3;
  data.magic_etc = htole32(magic);
  data.rootid = htole32(root_id);
  out.resize(XATTR_CAPS_SZ_3);
  std::memcpy(out.data(), &data, out.size());
  return out;
}

std::string unshift_capability(std::string_view value) {
  std::string out(value);
  vfs_ns_cap_data data{};
  if (value.size() != XATTR_CAPS_SZ_3) return out;
  std::memcpy(&data, value.data(), value.size());
  const std::uint32_t magic = le32toh(data.magic_etc);
  if ((magic & VFS_CAP_REVISION_MASK) != VFS_CAP_REVISION_3) return out;
  data.magic_etc = htole32((magic & ~VFS_CAP_REVISION_MASK) | VFS_CAP_REVISION_2);
  out.resize(XATTR_CAPS_SZ_2);
  std::memcpy(out.data(), &data, out.size());
  return out;
}

}  // namespace skiff::image
