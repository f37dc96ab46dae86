#include "compose/supervisor_claim.h"

#include <sys/file.h>

#include "compose/engine.h"
#include "compose/program.h"
#include "compose/supervisor.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {

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
  return kernel::pwrite_all(*file, std::span<const char>("\n", 1), 0);
}

std::string supervisor_group(const ContainerRecord &record) {
  return record.project.empty() ? "container-" + record.id : "project-" + record.project;
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
