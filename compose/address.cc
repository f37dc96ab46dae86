#include "compose/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace skiff::compose {

std::optional<Address> Address::parse(const std::string &text) {
  Address address;
  address.v6 = text.contains(':');
  if (::inet_pton(address.v6 ? AF_INET6 : AF_INET, text.c_str(), address.bytes.data()) != 1) return std::nullopt;
  return address;
}

std::string Address::text() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  ::inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), buffer.data(), buffer.size());
  return buffer.data();
}

Address Address::plus(std::uint64_t count) const {
  Address sum = *this;
  std::uint64_t carry = count;
  for (std::size_t i = bits() / 8; i > 0 && carry > 0; --i) {
    // The low byte first: what does not fit goes on to the next.
    const std::uint64_t here = (carry & 0xffU) + sum.bytes[i - 1];
    sum.bytes[i - 1] = static_cast<std::uint8_t>(here);
    carry = (carry >> 8U) + (here >> 8U);
  }
  return sum;
}

bool Address::is_loopback() const { return v6 ? text() == "::1" : bytes[0] == 127; }

Subnet Subnet::of(const Address &address, unsigned prefix) {
  Subnet subnet{.first = address, .prefix = prefix};
  for (unsigned bit = prefix; bit < address.bits(); ++bit) {
    subnet.first.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
  }
  return subnet;
}

std::optional<Subnet> Subnet::parse(const std::string &text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const std::optional<Address> address = Address::parse(text.substr(0, slash));
  unsigned prefix = 0;
  const char *end = text.data() + text.size();
  const auto number = std::from_chars(text.data() + slash + 1, end, prefix);
  if (!address || number.ec != std::errc{} || number.ptr != end || prefix > address->bits()) return std::nullopt;
  return of(*address, prefix);
}

std::string Subnet::text() const { return first.text() + "/" + std::to_string(prefix); }

bool Subnet::contains(const Address &address) const {
  return address.v6 == first.v6 && of(address, prefix).first == first;
}

bool Subnet::overlaps(const Subnet &other) const {
  return prefix <= other.prefix ? contains(other.first) : other.contains(first);
}

std::uint64_t Subnet::size() const { return std::uint64_t{1} << std::min(first.bits() - prefix, 62U); }

Address Subnet::last() const {
  Address address = first;
  for (unsigned bit = prefix; bit < address.bits(); ++bit) {
    address.bytes[bit / 8] |= static_cast<std::uint8_t>(0x80U >> (bit % 8));
  }
  return address;
}

}  // namespace skiff::compose
