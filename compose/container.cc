#include "compose/container.h"

#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <array>

#include "compose/record_fields.h"
#include "compose/restarting.h"
#include "compose/scalars.h"
#include "runtime/cli/nearest.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/proc.h"
#include "spec/state.h"

namespace skiff::compose {
namespace {

constexpr std::array<std::string_view, 5> phase_names = {"created", "running", "paused", "restarting", "exited"};

std::string record_path(const Places &places, const std::string &id) { return places.directory(id) + "/record.json"; }
std::string run_path(const Places &places, const std::string &id) { return places.directory(id) + "/run.json"; }

// A zombie has ended: what is left of it is its exit code.
bool lives(const kernel::Procfs &proc, pid_t pid, std::uint64_t start_time) {
  if (pid == 0) return false;
  const Result<kernel::ProcessStat> stat = proc.read_stat(pid);
  return stat && stat->start_time == start_time && stat->state != 'Z' && stat->state != 'X';
}

// The monitor writes "CODE TIME" before anything else: it may be killed while it settles the rest.
void note_exit(RunRecord &run, std::string_view said) {
  const std::size_t blank = said.find(' ');
  // 255 is what docker says of a container whose end nobody saw.
  run.exit_code = 255;
  if (blank == std::string_view::npos) return;
  run.exit_code = static_cast<int>(parse_integer(said.substr(0, blank)).value_or(255));
  run.finished = said.substr(blank + 1);
}

// v1 has freezer.state in its freezer hierarchy, v2 cgroup.freeze; where both are mounted the runtime takes either.
Result<bool> is_frozen(const Places &places, const std::string &id) {
  const std::string text = TRY(read_if_there(places.runtime_root() + "/" + id + "/state.json"));
  if (text.empty()) return false;
  for (const std::string &directory : TRY(spec::parse_record(text)).cgroup_paths) {
    const Result<std::string> old = read_if_there(directory + "/freezer.state");
    if (old && !old->empty() && !old->starts_with("THAWED")) return true;
    const Result<std::string> unified = read_if_there(directory + "/cgroup.freeze");
    if (unified && unified->starts_with('1')) return true;
  }
  return false;
}

Result<std::vector<std::string>> list_ids(const Places &places) {
  const kernel::Fd directory = TRY(kernel::find_at(kernel::cwd, places.containers(), O_RDONLY | O_DIRECTORY));
  if (!directory.valid()) return std::vector<std::string>();
  return kernel::list_directory(directory);
}

Result<std::string> read_name(const Places &places, const std::string &name) {
  Result<std::string> target = kernel::readlinkat(kernel::cwd, places.names() + "/" + name);
  if (!target && target.error().number == ENOENT) return std::string();
  return target;
}

bool is_id_text(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

std::unexpected<Error> no_such(const Places &places, const std::string &name) {
  cli::Nearest nearest(name);
  std::vector<std::string> names;
  if (const Result<kernel::Fd> directory = kernel::open(places.names(), O_RDONLY | O_DIRECTORY); directory) {
    names = kernel::list_directory(*directory).value_or(std::vector<std::string>());
  }
  for (const std::string &one : names) nearest.offer(one);
  const std::string found(nearest.found());
  return fail(ENOENT, fmt::format("no such container: {}", name),
              found.empty() ? "`skiff-compose ps -a` lists them" : fmt::format("did you mean {}?", found));
}

// NOLINTNEXTLINE(misc-no-recursion): again only where the record has been written in between.
Result<ContainerState> state_of(const Places &places, const std::string &id, RunRecord loaded) {
  using Phase = ContainerState::Phase;
  ContainerState state;
  state.run = std::move(loaded);
  state.health = TRY(read_if_there(places.sockets(id) + "/health"));
  RunRecord &run = state.run;
  if (run.boot_id.empty()) return state;
  if (run.settled) {
    state.phase = run.started.empty() ? Phase::created : Phase::exited;
    if (is_restarting(places, id)) state.phase = Phase::restarting;
    return state;
  }
  const kernel::Procfs proc = TRY(kernel::Procfs::open_host());
  const bool this_boot = run.boot_id == TRY(read_boot_id());
  if (this_boot && lives(proc, run.pid, run.start_time)) {
    state.phase = run.started.empty() ? Phase::created : TRY(is_frozen(places, id)) ? Phase::paused : Phase::running;
    return state;
  }
  const std::string said = this_boot ? TRY(read_if_there(places.sockets(id) + "/exit")) : std::string();
  // Between the process's end and the monitor's word about it: it still runs as far as anybody can know.
  if (this_boot && said.empty() && run.pid != 0 && lives(proc, run.monitor_pid, run.monitor_start_time)) {
    state.phase = Phase::running;
    return state;
  }
  if (said.empty()) {
    // Who settles takes the monitor's word away: what was loaded before may be what it was.
    RunRecord again = TRY(load_run(places, id));
    if (again.settled || again.pid != run.pid) return state_of(places, id, std::move(again));
  }
  state.phase = run.started.empty() ? Phase::created : Phase::exited;
  note_exit(run, said);
  return state;
}

}  // namespace

std::string_view phase_name(ContainerState::Phase phase) { return phase_names[static_cast<std::size_t>(phase)]; }

Status save_record(const Places &places, const ContainerRecord &record) {
  return replace_file(record_path(places, record.id), spec::Writer("  ").document(record) + "\n");
}

Status save_run(const Places &places, const std::string &id, const RunRecord &run) {
  return replace_file(run_path(places, id), spec::Writer("  ").document(run) + "\n");
}

Result<ContainerRecord> load_record(const Places &places, const std::string &id) {
  const std::string path = record_path(places, id);
  const std::string text = TRY(read_if_there(path));
  if (text.empty()) return fail(ENOENT, fmt::format("no such container: {}", id));
  return parse_document<ContainerRecord>(path, text);
}

Result<RunRecord> load_run(const Places &places, const std::string &id) {
  const std::string path = run_path(places, id);
  const std::string text = TRY(read_if_there(path));
  if (text.empty()) return RunRecord();
  return parse_document<RunRecord>(path, text);
}

Result<ContainerState> read_state(const Places &places, const std::string &id) {
  return state_of(places, id, TRY(load_run(places, id)));
}

Result<Container> load_container(const Places &places, const std::string &id) {
  Container container;
  container.record = TRY(load_record(places, id));
  container.state = TRY(read_state(places, id));
  return container;
}

Result<std::vector<Container>> list_containers(const Places &places) {
  std::vector<Container> containers;
  for (const std::string &id : TRY(list_ids(places))) {
    Result<Container> container = load_container(places, id);
    // Removed meanwhile, or not made yet.
    if (!container && container.error().number == ENOENT) continue;
    if (container && !container->record.ready) continue;
    containers.push_back(TRY(std::move(container)));
  }
  std::ranges::sort(containers, [](const Container &one, const Container &other) {
    return one.record.created > other.record.created;
  });
  return containers;
}

Result<std::string> find_id(const Places &places, const std::string &name) {
  if (name.empty()) return fail("a container's name is empty", "`skiff-compose ps -a` lists them");
  if (name.find('/') == std::string::npos && name != "." && name != "..") {
    if (std::string id = TRY(read_name(places, name));
        !id.empty() && !TRY(read_if_there(record_path(places, id))).empty()) {
      return id;
    }
  }
  if (!is_id_text(name)) return no_such(places, name);
  std::vector<std::string> found;
  for (const std::string &id : TRY(list_ids(places))) {
    if (id.starts_with(name)) found.push_back(id);
  }
  if (found.size() > 1)
    return fail(fmt::format("{} is the beginning of {} ids", name, found.size()), "write more of it");
  if (found.empty()) return no_such(places, name);
  return found.front();
}

Result<Container> find_container(const Places &places, const std::string &name) {
  const std::string id = TRY(find_id(places, name));
  return load_container(places, id);
}

Result<kernel::Fd> lock_container(const Places &places, const std::string &id) {
  kernel::Fd lock = TRY(lock_file(places.directory(id) + "/lock", LOCK_EX));
  // Whoever had it before may have removed the container, and the file that is locked now has no name any more.
  if (TRY(kernel::fstat(lock)).st_nlink == 0) return fail(ENOENT, fmt::format("no such container: {}", id));
  return lock;
}

Status check_name(const std::string &name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-';
  };
  const bool starts_well = !name.empty() && name.front() != '_' && name.front() != '.' && name.front() != '-';
  if (starts_well && name.size() <= 200 && std::ranges::all_of(name, good)) return {};
  return fail(fmt::format("\"{}\" is no name of a container", name),
              "letters, digits, '_', '.' and '-', the first a letter or digit");
}

Status claim_name(const Places &places, const std::string &name, const std::string &id) {
  TRY(check_name(name));
  const std::string path = places.names() + "/" + name;
  const kernel::Fd lock = TRY(lock_file(places.data + "/names.lock", LOCK_EX));
  const std::string holder = TRY(read_name(places, name));
  if (holder == id) return {};
  if (!holder.empty() && kernel::faccessat(kernel::cwd, places.directory(holder), F_OK)) {
    return fail(EEXIST, fmt::format("the name {} is taken by container {}", name, holder.substr(0, 12)),
                "remove or rename that one, or choose another name");
  }
  if (!holder.empty()) TRY(kernel::unlinkat(kernel::cwd, path));
  return kernel::symlinkat(id, kernel::cwd, path);
}

Status release_name(const Places &places, const std::string &name, const std::string &id) {
  if (name.empty()) return {};
  const kernel::Fd lock = TRY(lock_file(places.data + "/names.lock", LOCK_EX));
  if (TRY(read_name(places, name)) != id) return {};
  return kernel::unlinkat(kernel::cwd, places.names() + "/" + name);
}

}  // namespace skiff::compose
