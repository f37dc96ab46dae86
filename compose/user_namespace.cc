#include "compose/user_namespace.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "compose/program.h"
#include "runtime/kernel/credential.h"
#include "runtime/kernel/namespace.h"
#include "runtime/kernel/process.h"

namespace skiff::compose {
namespace {

using Mappings = std::vector<spec::IdMapping>;

bool is_one_id(const Mappings &maps, std::uint32_t id) {
  return maps.size() == 1 && maps.front().size == 1 && maps.front().host_id == id;
}

Status write_map(const kernel::Procfs &proc, const std::string &file, const Mappings &maps) {
  std::string text;
  for (const spec::IdMapping &map : maps) {
    text += fmt::format("{} {} {}\n", map.container_id, map.host_id, map.size);
  }
  return proc.write_file(file, text);
}

Status map_by_program(const char *program, pid_t pid, const Mappings &maps) {
  Words words = {TRY(remedy("install the package uidmap", find_program(program))), std::to_string(pid)};
  for (const spec::IdMapping &map : maps) {
    for (const std::uint32_t number : {map.container_id, map.host_id, map.size}) {
      words.push_back(std::to_string(number));
    }
  }
  TRY(call_program(words));
  return {};
}

}  // namespace

Status write_id_maps(const kernel::Procfs &proc, pid_t pid, const IdMaps &maps) {
  const auto file = [pid](const char *name) { return fmt::format("{}/{}", pid, name); };
  const bool privileged = kernel::geteuid() == 0;
  const bool own_group = is_one_id(maps.gids, kernel::getegid());
  // user_namespaces(7): who maps himself alone gives up setgroups(2) first.
  if (!privileged && own_group) TRY(proc.write_file(file("setgroups"), "deny"));
  TRY(privileged || own_group ? write_map(proc, file("gid_map"), maps.gids)
                              : map_by_program("newgidmap", pid, maps.gids));
  return privileged || is_one_id(maps.uids, kernel::geteuid()) ? write_map(proc, file("uid_map"), maps.uids)
                                                               : map_by_program("newuidmap", pid, maps.uids);
}

Result<kernel::Fd> make_user_namespace(const kernel::Procfs &proc, const IdMaps &maps) {
  kernel::Pipe pipe = TRY(kernel::pipe2());
  // Somebody has to be in it while it is made: until the other end closes.
  const kernel::Child child = TRY(kernel::clone3({.flags = CLONE_NEWUSER}));
  if (child.is_this_process()) {
    // Nor does it hold anything else of ours, locks above all, for the moment that it outlives us.
    (void)kernel::close_range_from(0, kernel::CloseRange::close, pipe.read);
    std::array<char, 1> end{};
    _exit(kernel::read_some(pipe.read, end) ? 0 : 1);
  }
  TRY(write_id_maps(proc, child.pid(), maps));
  return kernel::open_namespace(proc, child.pid(), "user");
}

Status become_root_of(kernel::FdView user_namespace) {
  if (user_namespace.valid()) TRY(kernel::setns(user_namespace, CLONE_NEWUSER));
  // Denied where a user maps himself alone: then there are none to give up in the namespace.
  (void)kernel::setgroups({});
  TRY(kernel::setresgid(0));
  return kernel::setresuid(0);
}

}  // namespace skiff::compose
