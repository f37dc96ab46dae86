#include "compose/supervisor_claim.h"

#include <fmt/format.h>
#include <sys/file.h>

#include "compose/engine.h"
#include "compose/process_mark.h"
#include "compose/program.h"
#include "compose/supervisor.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {

namespace {

// A process's mark is shorter. What follows it changes for the change's sake.
constexpr std::size_t bell_offset = 63;

}  // namespace

std::string claims_directory(const Places &places) { return places.run + "/supervisors"; }

std::string claim_path(const Places &places, const std::string &group) {
  return claims_directory(places) + "/" + group;
}

Result<kernel::Fd> claim_group(const Places &places, const std::string &group) {
  const std::string path = claim_path(places, group);
  TRY(kernel::make_parents(path, 0700));
  for (;;) {
    kernel::Fd claim = TRY(lock_file(path, LOCK_EX | LOCK_NB));
    if (!claim.valid()) return claim;
    const Result<struct stat> there = kernel::fstatat(kernel::cwd, path);
    // Given up between our open and our lock: what we have is no file any more.
    if (there && there->st_ino == TRY(kernel::fstat(claim)).st_ino) return claim;
    if (!there && there.error().number != ENOENT) return std::unexpected(there.error());
  }
}

Status give_up_group(const Places &places, const std::string &group, kernel::Fd claim) {
  Status gone = kernel::unlinkat(kernel::cwd, claim_path(places, group));
  claim.reset();
  if (!gone && gone.error().number == ENOENT) return {};
  return gone;
}

Status wake_group(const Places &places, const std::string &group) {
  const Result<kernel::Fd> file = kernel::open(claim_path(places, group), O_WRONLY | O_NOFOLLOW);
  // It has just ended, and looks once more after that.
  if (!file && file.error().number == ENOENT) return {};
  if (!file) return std::unexpected(file.error());
  return kernel::pwrite_all(*file, std::span<const char>(" ", 1), bell_offset);
}

Status mark_claim(const kernel::Fd &claim) {
  return kernel::pwrite_all(claim, fmt::format("{:<{}}", TRY(own_process_mark()), bell_offset), 0);
}

Result<kernel::Fd> find_supervisor(const Places &places, const std::string &project) {
  return std::move(TRY(find_marked_process(claim_path(places, project_group(project)))).pidfd);
}

std::string project_group(const std::string &project) { return "project-" + project; }

std::string supervisor_group(const ContainerRecord &record) {
  return record.project.empty() ? "container-" + record.id : project_group(record.project);
}

Status start_supervisor(const Engine &engine, const std::string &group) {
  return in("the supervisor", start_detached(engine.run_self({"supervisor", group})));
}

Status ensure_supervisor(const Engine &engine, const ContainerRecord &record) {
  if (!needs_supervisor(record)) return {};
  const std::string group = supervisor_group(record);
  // Let go again: who is started takes it.
  if (TRY(claim_group(engine.places, group)).valid()) return start_supervisor(engine, group);
  return wake_group(engine.places, group);
}

Status revive_supervisors(const Engine &engine) {
  const kernel::Fd directory =
      TRY(kernel::find_at(kernel::cwd, claims_directory(engine.places), O_RDONLY | O_DIRECTORY));
  if (!directory.valid()) return {};
  for (const std::string &group : TRY(kernel::list_directory(directory))) {
    if (TRY(claim_group(engine.places, group)).valid()) TRY(start_supervisor(engine, group));
  }
  return {};
}

}  // namespace skiff::compose
