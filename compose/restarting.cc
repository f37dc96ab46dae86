#include "compose/restarting.h"

#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

std::string mark_of(const Places &places, const std::string &id) { return places.directory(id) + "/restarting"; }

}  // namespace

Status mark_restarting(const Places &places, const std::string &id, bool on) {
  if (on) {
    TRY(kernel::open(mark_of(places, id), O_WRONLY | O_CREAT | O_NOFOLLOW, 0600));
    return {};
  }
  Status gone = kernel::unlinkat(kernel::cwd, mark_of(places, id));
  if (!gone && gone.error().number == ENOENT) return {};
  return gone;
}

bool is_restarting(const Places &places, const std::string &id) {
  return kernel::faccessat(kernel::cwd, mark_of(places, id), F_OK).has_value();
}

}  // namespace skiff::compose
