// What the static libdbus asks for in functions that this program never calls; without these the linker would look
// elsewhere, for a libsystemd that has no static archive, and for glibc's NSS, which a static program cannot load.
//
// Of libdbus only messages are used (bus_message.h). Should one of its other functions ever be called, it hears that
// nobody has an account and no host a name.
#include <cerrno>

extern "C" {

// of dbus-sysdeps-unix.c: a server's sockets from its service manager
int sd_listen_fds(int /*unset*/) { return 0; }
int sd_is_socket(int /*fd*/, int /*family*/, int /*type*/, int /*listening*/) { return 0; }

}  // extern "C"

#include <grp.h>
#include <netdb.h>
#include <pwd.h>

extern "C" {

// of dbus-sysdeps-unix.c: who a user is, and TCP
int getpwnam_r(const char * /*name*/, passwd * /*entry*/, char * /*buffer*/, size_t /*size*/, passwd **result) {
  *result = nullptr;
  return ENOSYS;
}
int getpwuid_r(uid_t /*uid*/, passwd * /*entry*/, char * /*buffer*/, size_t /*size*/, passwd **result) {
  *result = nullptr;
  return ENOSYS;
}
int getgrouplist(const char * /*user*/, gid_t /*group*/, gid_t * /*groups*/, int *count) {
  *count = 0;
  return -1;
}
int getaddrinfo(const char * /*node*/, const char * /*service*/, const addrinfo * /*hints*/, addrinfo ** /*result*/) {
  return EAI_SYSTEM;
}
void freeaddrinfo(addrinfo * /*result*/) noexcept {}

}  // extern "C"
