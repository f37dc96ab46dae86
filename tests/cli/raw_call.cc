// One system call, made inside a container, where busybox has no program for it: raw_call NUMBER ARGUMENT...
//
// An argument is a number, "=text" for a pointer to that text, or "@SIZE" for a buffer of zeros, which is printed
// afterwards. Writes "RESULT ERRNO" and the buffer's text. Linked statically: the rootfs has no loader.
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  std::vector<char> buffer;
  std::array<long, 6> arguments{};
  for (std::size_t i = 0; i < arguments.size() && static_cast<int>(i) + 2 < argc; ++i) {
    const char *word = argv[i + 2];
    if (*word == '=') {
      arguments[i] = reinterpret_cast<long>(word + 1);
    } else if (*word == '@') {
      buffer.resize(std::strtoul(word + 1, nullptr, 0) + 1);
      arguments[i] = reinterpret_cast<long>(buffer.data());
    } else {
      arguments[i] = static_cast<long>(std::strtoull(word, nullptr, 0));
    }
  }
  errno = 0;
  const long result = ::syscall(std::strtol(argv[1], nullptr, 0), arguments[0], arguments[1], arguments[2],
                                arguments[3], arguments[4], arguments[5]);
  std::printf("%ld %d %s\n", result, errno, buffer.empty() ? "" : buffer.data());
  return 0;
}
