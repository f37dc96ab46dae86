// The SHA-256 digest (FIPS 180-4). Our own, for the programs that need no other digest: OpenSSL's would triple them and
// their start.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace skiff::spec {

// Of what does not fit into memory: update() as often as there is something, then finish() once.
class Sha256 {
 public:
  void update(std::string_view bytes);
  [[nodiscard]] std::string finish();

 private:
  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::string rest_;  // less than a block
  std::uint64_t size_ = 0;
};

// 64 hexadecimal digits in lower case.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

[[nodiscard]] bool is_sha256_hex(std::string_view text);

}  // namespace skiff::spec
