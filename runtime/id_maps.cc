#include "runtime/id_maps.h"

#include <fmt/format.h>
#include <unistd.h>

#include "runtime/granted_ids.h"
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

std::vector<std::string> words_for(const IdSide &side, pid_t pid, const Mappings &maps) {
  std::vector<std::string> words = {side.program, std::to_string(pid)};
  for (const spec::IdMapping &map : maps) {
    for (const std::uint32_t number : {map.container_id, map.host_id, map.size})
      words.push_back(std::to_string(number));
  }
  return words;
}

// Runs it to its end; what it complained about, or empty where it succeeded.
Result<std::string> run_mapper(const std::string &file, const std::vector<std::string> &words) {
  std::vector<const char *> argv;
  argv.reserve(words.size() + 1);
  for (const std::string &word : words) argv.push_back(word.c_str());
  argv.push_back(nullptr);
  kernel::Pipe pipe = TRY(kernel::pipe2());
  kernel::Child child = TRY(kernel::clone3({}));
  if (child.is_this_process()) {
    if (kernel::dup_onto(pipe.write, 2)) (void)kernel::execveat(kernel::cwd, file, argv.data(), environ, 0);
    _exit(127);
  }
  pipe.write.reset();
  std::string complaint = TRY(kernel::read_all(pipe.read, 1 << 16));
  const kernel::ExitStatus ended = TRY(child.wait());
  if (ended.shell_code() == 0) return std::string();
  while (complaint.ends_with('\n')) complaint.pop_back();
  if (complaint.empty()) complaint = fmt::format("{}: exit status {}", file, ended.shell_code());
  return complaint;
}

// What it says is about numbers; who has to change which file is ours to say.
std::unexpected<Error> explain_refusal(const IdSide &side, const std::string &complaint,
                                       const std::vector<MapRefusal> &refusals) {
  if (!refusals.empty() && !grants_are_elsewhere()) {
    const MapRefusal &first = refusals.front();
    const std::string place =
        first.mapping ? fmt::format("linux.{}[{}]", side.field, *first.mapping) : fmt::format("linux.{}", side.field);
    return fail(fmt::format("{}: {}{}", place, first.text, complaint.empty() ? "" : " (" + complaint + ")"),
                first.remedy);
  }
  return fail(fmt::format("linux.{}: {}", side.field, complaint),
              complaint.find("Operation not permitted") == std::string::npos
                  ? fmt::format("have the ids granted in {}", side.file)
                  : fmt::format("{} needs its set-user-ID bit or file capability (reinstall the package uidmap), which "
                                "a mount with nosuid and a caller with no_new_privs take from it",
                                side.program));
}

// The root of a user namespace, as Podman without root is one, maps whatever that namespace has (user_namespaces(7),
// "defining user and group ID mappings"). Refused, the write leaves nothing.
bool is_mapped_by_ourselves(const kernel::Procfs &proc, const std::string &file, const Mappings &maps,
                            const Host &host) {
  return host.uid == 0 && proc.write_file(file, map_text(maps)).has_value();
}

Status map_by_program(const IdSide &side, pid_t pid, const Mappings &maps, const Host &host, std::uint32_t own_id) {
  const std::string file = find_mapper(side.program);
  std::string complaint;
  if (!file.empty()) {
    complaint = TRY(in(fmt::format("linux.{}", side.field), run_mapper(file, words_for(side, pid, maps))));
    if (complaint.empty()) return {};
  }
  return explain_refusal(side, complaint, find_map_refusals(side, maps, read_host_user(host.uid), own_id));
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
  } else if (!is_mapped_by_ourselves(proc, file("gid_map"), maps.gids, host)) {
    TRY(map_by_program(gid_side, pid, maps.gids, host, host.gid));
  }
  if (is_own_id_alone(maps.uids, host.uid)) {
    return in("linux.uidMappings", proc.write_file(file("uid_map"), map_text(maps.uids)));
  }
  if (is_mapped_by_ourselves(proc, file("uid_map"), maps.uids, host)) return {};
  return map_by_program(uid_side, pid, maps.uids, host, host.uid);
}

}  // namespace skiff
