// sd_notify(3) inside a container, where busybox has no program for it: sends each argument as one message to
// $NOTIFY_SOCKET. Linked statically: the rootfs has no loader.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

int main(int argc, char **argv) {
  const char *path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (path == nullptr || std::strlen(path) >= sizeof address.sun_path) return 2;
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path);
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  if (::connect(socket, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0) return 3;
  for (int i = 1; i < argc; ++i) {
    if (::write(socket, argv[i], std::strlen(argv[i])) < 0) return 4;
  }
  return 0;
}
