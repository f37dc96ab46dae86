// A fuzz target: one source that defines LLVMFuzzerTestOneInput (libFuzzer's entry). It is linked twice: with libFuzzer
// by `make fuzz`, and with replay.cc, which feeds it the files of its corpus, among the tests of the room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size);

namespace skiff::fuzz {

[[nodiscard]] inline std::string_view text_of(const std::uint8_t *data, std::size_t size) {
  return {reinterpret_cast<const char *>(data), size};
}

// A property that does not hold is a crash, as a fault of memory is.
inline void require(bool holds, std::string_view property) {
  if (holds) return;
  std::cerr << "does not hold: " << property << '\n';
  std::abort();
}

}  // namespace skiff::fuzz
