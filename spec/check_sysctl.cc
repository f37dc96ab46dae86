#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "spec/check.h"

namespace skiff::spec {

namespace {

constexpr std::array<std::string_view, 8> ipc_keys = {"kernel.msgmax", "kernel.msgmnb",         "kernel.msgmni",
                                                      "kernel.sem",    "kernel.shmall",         "kernel.shmmax",
                                                      "kernel.shmmni", "kernel.shm_rmid_forced"};

// sysctl(8): with / as the first separator the two change places, so that an interface's name can hold a dot.
std::string with_dots(std::string_view key) {
  std::string out(key);
  const std::size_t first = key.find_first_of("./");
  if (first == std::string_view::npos || key[first] == '.') return out;
  for (char &c : out) {
    if (c == '/') {
      c = '.';
    } else if (c == '.') {
      c = '/';
    }
  }
  return out;
}

// Whether the key stays below /proc/sys: inside a component "/" stands for a dot.
bool stays_inside(std::string_view key) {
  while (true) {
    const std::size_t dot = key.find('.');
    const std::string_view component = key.substr(0, dot);
    if (component.empty() || component == "/" || component == "//") return false;
    if (dot == std::string_view::npos) return true;
    key.remove_prefix(dot + 1);
  }
}

// The namespace that keeps the key's value away from the host.
std::optional<NamespaceType> namespace_of(std::string_view key) {
  if (find_name(ipc_keys, key) || key.starts_with("fs.mqueue.")) return NamespaceType::ipc;
  if (key.starts_with("net.")) return NamespaceType::network;
  if (key == "kernel.hostname" || key == "kernel.domainname") return NamespaceType::uts;
  if (key.starts_with("user.")) return NamespaceType::user;
  return std::nullopt;
}

void check_key(Checker &c, const Place &place, std::string_view key, const Linux &linux_) {
  if (!stays_inside(key)) {
    c.add(place, "is not the name of a sysctl", "write it as in \"net.ipv4.ip_forward\"");
    return;
  }
  const auto type = namespace_of(key);
  if (!type) {
    c.add(place, "belongs to no namespace: it would change the host", "set it on the host");
  } else if (linux_.find(*type) == nullptr) {
    const std::string_view name = namespace_type_names[static_cast<std::size_t>(*type)];
    c.add(place, fmt::format("would change the host without a {} namespace", name),
          fmt::format(R"(add {{"type": "{}"}} to linux.namespaces)", name));
  } else if (key == "kernel.hostname") {
    c.add(place, "conflicts with the field hostname", "set hostname instead");
  }
}

}  // namespace

void check_sysctl(Checker &c, const Place &at, const Linux &linux_) {
  c.clause("config-linux.md, Sysctl");
  for (const auto &[key, value] : linux_.sysctl) check_key(c, at / key, with_dots(key), linux_);
}

}  // namespace skiff::spec
