#include "compose/patient_lock.h"

#include <sys/file.h>

#include <chrono>

namespace skiff::compose {
namespace {

constexpr std::chrono::seconds patience{5};
constexpr std::chrono::milliseconds pause{10};

}  // namespace

Result<kernel::Fd> lock_patiently(const std::string &path) {
  const auto end = std::chrono::steady_clock::now() + patience;
  kernel::Fd lock = TRY(lock_file(path, LOCK_EX | LOCK_NB));
  while (!lock.valid() && std::chrono::steady_clock::now() < end) {
    TRY(kernel::poll({}, pause));
    lock = TRY(lock_file(path, LOCK_EX | LOCK_NB));
  }
  return lock;
}

}  // namespace skiff::compose
