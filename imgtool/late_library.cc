#include "imgtool/late_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace skiff::image {

Status LateLibrary::load() {
  if (handle_ != nullptr) return {};
  void *handle = ::dlopen(file_, RTLD_LAZY | RTLD_LOCAL);
  if (handle == nullptr) return fail(fmt::format("dlopen: {}", ::dlerror()), fmt::format("install {}", package_));
  if (::dlsym(handle, newest_) == nullptr) {
    return fail(fmt::format("dlopen: {} has no {}", file_, newest_), fmt::format("install a newer {}", package_));
  }
  handle_ = handle;
  return {};
}

void *LateLibrary::find(const char *name) const { return ::dlsym(handle_, name); }

}  // namespace skiff::image
