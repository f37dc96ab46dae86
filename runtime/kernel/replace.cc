#include "runtime/kernel/replace.h"

#include "runtime/kernel/path.h"

namespace skiff::kernel {
namespace {

Status write(FdView directory, const FileReplacement &file, std::string_view bytes) {
  const Fd fresh = TRY(openat(directory, file.temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, file.mode));
  TRY(write_all(fresh, bytes));
  return file.synced ? fsync(fresh) : Status();
}

}  // namespace

Status replace_file(FdView directory, const FileReplacement &file, std::string_view bytes) {
  Status done = write(directory, file, bytes);
  if (done) done = renameat2(directory, file.temporary, directory, file.name);
  if (!done) (void)unlinkat(directory, file.temporary);
  return done;
}

}  // namespace skiff::kernel
