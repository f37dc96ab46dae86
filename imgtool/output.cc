#include "imgtool/output.h"

#include "runtime/kernel/fd.h"

namespace skiff::image {

Result<int> print(std::string_view text) {
  TRY(in("stdout", kernel::write_all(kernel::FdView(1), text)));
  return 0;
}

}  // namespace skiff::image
