#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "conformance/inside/observe.h"

namespace skiff::inside {
namespace {

// Blanks and the like come as \040 in the kernel's tables.
std::string unescape(std::string_view field) {
  std::string out;
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] == '\\' && i + 3 < field.size()) {
      out += static_cast<char>((field[i + 1] - '0') * 64 + (field[i + 2] - '0') * 8 + (field[i + 3] - '0'));
      i += 3;
    } else {
      out += field[i];
    }
  }
  return out;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(separator));
    if (!part.empty()) parts.push_back(part);
    text.remove_prefix(part.size() < text.size() ? part.size() + 1 : part.size());
  }
  return parts;
}

// proc_pid_mountinfo(5): "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue".
std::string mounts() {
  Text list('[');
  const std::string table = read_file("/proc/self/mountinfo");
  for (const std::string_view line : split(table, '\n')) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    const std::vector<std::string_view> left = split(line.substr(0, dash), ' ');
    const std::vector<std::string_view> right = split(line.substr(dash + 3), ' ');
    if (left.size() < 6 || right.size() < 2) continue;
    std::string propagation;
    for (std::size_t i = 6; i < left.size(); ++i) propagation += (i > 6 ? " " : "") + std::string(left[i]);
    Text one('{');
    one.add("root", unescape(left[3]));
    one.add("destination", unescape(left[4]));
    one.add("options", left[5]);
    one.add("propagation", propagation);
    one.add("type", right[0]);
    one.add("source", right.size() > 2 ? unescape(right[1]) : "");
    one.add("super", right.back());
    list.raw("", one.finish());
  }
  return list.finish();
}

std::string lines_of(const char *path) {
  Text list('[');
  const std::string text = read_file(path);
  for (const std::string_view line : split(text, '\n')) list.add("", line);
  return list.finish();
}

std::string terminal() {
  Text out('{');
  for (int fd = 0; fd < 3; ++fd) out.raw(std::to_string(fd), ::isatty(fd) == 1 ? "true" : "false");
  winsize size{};
  if (::ioctl(0, TIOCGWINSZ, &size) == 0) {
    out.add("height", size.ws_row);
    out.add("width", size.ws_col);
  }
  struct stat here{};
  struct stat console{};
  const bool same = ::fstat(0, &here) == 0 && ::stat("/dev/console", &console) == 0 && here.st_rdev == console.st_rdev;
  out.raw("console", same && here.st_rdev != 0 ? "true" : "false");
  return out.finish();
}

// One entry an address, and one an interface without.
std::string interfaces() {
  Text list('[');
  ifaddrs *all = nullptr;
  if (::getifaddrs(&all) != 0) return list.finish();
  for (const ifaddrs *entry = all; entry != nullptr; entry = entry->ifa_next) {
    Text one('{');
    one.add("name", entry->ifa_name);
    one.raw("up", (entry->ifa_flags & IFF_UP) != 0 ? "true" : "false");
    if (entry->ifa_addr != nullptr && entry->ifa_addr->sa_family == AF_INET) {
      std::array<char, INET_ADDRSTRLEN> text{};
      const auto *address = reinterpret_cast<const sockaddr_in *>(entry->ifa_addr);
      if (::inet_ntop(AF_INET, &address->sin_addr, text.data(), text.size()) != nullptr)
        one.add("address", text.data());
    }
    list.raw("", one.finish());
  }
  ::freeifaddrs(all);
  return list.finish();
}

long long seconds_of(clockid_t clock) {
  timespec now{};
  (void)::clock_gettime(clock, &now);
  return now.tv_sec;
}

}  // namespace

std::string namespaces() {
  Text out('{');
  for (const char *name : {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"}) {
    std::array<char, 64> target{};
    const ssize_t size = ::readlink((std::string("/proc/self/ns/") + name).c_str(), target.data(), target.size());
    if (size > 0) out.add(name, std::string_view(target.data(), static_cast<std::size_t>(size)));
  }
  return out.finish();
}

void observe_system(Text &out) {
  utsname names{};
  (void)::uname(&names);
  out.add("hostname", names.nodename);
  out.add("domainname", names.domainname);
  out.add("machine", names.machine);
  out.raw("namespaces", namespaces());
  out.raw("mounts", mounts());
  out.raw("cgroups", lines_of("/proc/self/cgroup"));
  out.raw("uidMap", lines_of("/proc/self/uid_map"));
  out.raw("gidMap", lines_of("/proc/self/gid_map"));
  out.raw("timeOffsets", lines_of("/proc/self/timens_offsets"));
  out.raw("terminal", terminal());
  out.raw("interfaces", interfaces());
  out.add("monotonic", seconds_of(CLOCK_MONOTONIC));
  out.add("boottime", seconds_of(CLOCK_BOOTTIME));
}

}  // namespace skiff::inside
