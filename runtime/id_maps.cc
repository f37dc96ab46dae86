#include "runtime/id_maps.h"

#include <fmt/format.h>
#include <unistd.h>

#include "runtime/kernel/process.h"

namespace skiff {
namespace {

using Mappings = std::vector<spec::IdMapping>;

std::string map_text(const Mappings &maps) {
  std::string text;
  for (const spec::IdMapping &map : maps) {
    text += fmt::format("{} {} {}\n", map.container_id, map.host_id, map.size);
  }
  return text;
}

bool is_own_id_alone(const Mappings &maps, std::uint32_t id) {
  return maps.size() == 1 && maps.front().host_id == id && maps.front().size == 1;
}

// newuidmap(1), newgidmap(1): setuid programs of the uidmap package.
Status run_mapper(const char *program, pid_t pid, const Mappings &maps) {
  std::vector<std::string> words = {program, std::to_string(pid)};
  for (const spec::IdMapping &map : maps) {
    for (const std::uint32_t number : {map.container_id, map.host_id, map.size})
      words.push_back(std::to_string(number));
  }
  std::vector<const char *> argv;
  argv.reserve(words.size() + 1);
  for (const std::string &word : words) argv.push_back(word.c_str());
  argv.push_back(nullptr);
  kernel::Child child = TRY(kernel::clone3({}));
  if (child.is_this_process()) {
    // Its own complaint goes to our stderr, beside our error.
    for (const char *directory : {"/usr/bin/", "/bin/", "/usr/local/bin/"}) {
      (void)kernel::execveat(kernel::cwd, std::string(directory) + program, argv.data(), environ, 0);
    }
    _exit(127);
  }
  const kernel::ExitStatus ended = TRY(child.wait());
  if (ended.shell_code() == 0) return {};
  if (ended.shell_code() == 127) return fail(fmt::format("{} is not installed", program), "install the package uidmap");
  return fail(fmt::format("{} refused the mapping", program), "grant the ids in /etc/subuid and /etc/subgid");
}

}  // namespace

Status write_id_maps(const kernel::Procfs &proc, pid_t pid, const IdMaps &maps, const Host &host) {
  const auto file = [pid](const char *name) { return fmt::format("{}/{}", pid, name); };
  if (host.privileged) {
    TRY(in("linux.gidMappings", proc.write_file(file("gid_map"), map_text(maps.gids))));
    return in("linux.uidMappings", proc.write_file(file("uid_map"), map_text(maps.uids)));
  }
  if (is_own_id_alone(maps.gids, host.gid)) {
    TRY(in("linux.gidMappings", proc.write_file(file("setgroups"), "deny")));
    TRY(in("linux.gidMappings", proc.write_file(file("gid_map"), map_text(maps.gids))));
  } else {
    TRY(in("linux.gidMappings", run_mapper("newgidmap", pid, maps.gids)));
  }
  if (is_own_id_alone(maps.uids, host.uid)) {
    return in("linux.uidMappings", proc.write_file(file("uid_map"), map_text(maps.uids)));
  }
  return in("linux.uidMappings", run_mapper("newuidmap", pid, maps.uids));
}

}  // namespace skiff
