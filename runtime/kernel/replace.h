// A file's whole content at once: a reader sees the old one or the new one, whenever the writer is killed.
#pragma once

#include "runtime/kernel/fd.h"

namespace skiff::kernel {

struct FileReplacement {
  CString name;
  CString temporary;  // beside it; the caller sees to it that no other writer has it at the same time
  mode_t mode = 0600;
  bool synced = true;  // fsync(2) first: after a crash of the machine, too
};
[[nodiscard]] Status replace_file(FdView directory, const FileReplacement &file, std::string_view bytes);

}  // namespace skiff::kernel
