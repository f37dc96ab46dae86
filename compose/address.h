// IPv4 and IPv6 addresses and subnets as values.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>

namespace skiff::compose {

struct Address {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};  // in network order; the first four of IPv4

  // As inet_pton(3): no abbreviated IPv4, no brackets.
  [[nodiscard]] static std::optional<Address> parse(const std::string &text);
  [[nodiscard]] std::string text() const;
  // The address that many further on; it wraps at the end of its kind.
  [[nodiscard]] Address plus(std::uint64_t count) const;
  [[nodiscard]] bool is_loopback() const;  // 127.0.0.0/8, ::1
  [[nodiscard]] unsigned bits() const { return v6 ? 128 : 32; }

  auto operator<=>(const Address &) const = default;
};

struct Subnet {
  Address first;  // all bits below the prefix are 0
  unsigned prefix = 0;

  // "10.1.2.0/24"; "10.1.2.3/24" is the same one.
  [[nodiscard]] static std::optional<Subnet> parse(const std::string &text);
  [[nodiscard]] static Subnet of(const Address &address, unsigned prefix);
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool contains(const Address &address) const;
  [[nodiscard]] bool overlaps(const Subnet &other) const;
  // How many addresses it has, at most 2^62.
  [[nodiscard]] std::uint64_t size() const;
  // The last one: of IPv4 the broadcast address.
  [[nodiscard]] Address last() const;
};

}  // namespace skiff::compose
