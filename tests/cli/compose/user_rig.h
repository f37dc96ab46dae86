// skiff-compose as an ordinary user runs it, who is granted ids or not: in a network and a mount namespace of the
// test's own, whose way out is a device that nobody is behind, with a state directory and a busybox root filesystem of
// his. Nothing may be left when the rig goes.
#pragma once

#include <string>
#include <vector>

#include "runtime/kernel/process.h"
#include "tests/cli/rig.h"

namespace skiff::rig {

class UserRig {
 public:
  // Why it cannot be had here; empty: it can.
  [[nodiscard]] static std::string missing();

  enum class Ids : std::uint8_t { own, granted };
  explicit UserRig(Ids ids = Ids::own);
  UserRig(const UserRig &) = delete;
  UserRig &operator=(const UserRig &) = delete;
  ~UserRig();

  // skiff-compose --state STATE WORDS... as that user, behind the words of `front`.
  [[nodiscard]] Outcome compose(const std::vector<std::string> &words, const std::vector<std::string> &front = {});
  // `run FLAGS... --rootfs ROOTFS sh -c SCRIPT`
  [[nodiscard]] Outcome run(const std::vector<std::string> &flags, const std::string &script,
                            const std::vector<std::string> &front = {});
  // An image "example/busybox" in the store.
  void make_image();
  // An image "example/owned", as root makes it, that runs as keeper (70:71): busybox; a device; /data, which is closed
  // to all but keeper, whose it is with the file in it.
  void make_owned_image();
  void write(const std::string &name, const std::string &text);
  [[nodiscard]] int pid_of(const std::string &container);

  [[nodiscard]] std::string path(const std::string &name) const { return rig_.path(name); }
  [[nodiscard]] std::string state() const { return path("state"); }
  // Processes of his, and files of what runs, that are still there.
  [[nodiscard]] std::vector<std::string> leftovers() const;

  // The first of 65536 ids, of users and of groups.
  static constexpr unsigned granted = 810000;

  // The address by which the host is known to others, and two of others who are at hand.
  static constexpr const char *host_address = "198.51.100.2";
  static constexpr const char *other_address = "203.0.113.9";
  static constexpr const char *other_address6 = "2001:db8::9";

 private:
  void bind(const std::string &name, const std::string &target, const std::string &text);
  void grant_ids();

  Rig rig_;
  std::vector<std::string> bound_;
  kernel::Fd uplink_;
  kernel::Child resolver_;  // the host's name server, at host_address: it knows no name
};

// A child in the network namespace of that process that answers what comes to its port with whom it came from, as often
// as it comes; over TCP as HTTP. It listens when this returns.
[[nodiscard]] kernel::Child serve_in(int pid, int type, std::uint16_t port);
// What is answered to "hello" from that address.
[[nodiscard]] std::string ask(int type, const std::string &from, const std::string &address, std::uint16_t port);

}  // namespace skiff::rig
