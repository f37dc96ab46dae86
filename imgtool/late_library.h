// A library that is loaded when it is first needed: what it brings along takes longer to load than most commands run.
#pragma once

#include <string>

#include "spec/error.h"

namespace skiff::image {

class LateLibrary {
 public:
  // `newest` is the youngest function that is called: without it the library is too old.
  constexpr LateLibrary(const char *file, const char *package, const char *newest)
      : file_(file), package_(package), newest_(newest) {}

  // The error names the package. Before the first call of any of its functions; from one thread at a time.
  [[nodiscard]] Status load();

  // Calls the library's function for its namesake here.
  template <auto Function, class... Arguments>
  auto call(const char *name, Arguments... arguments) const {
    static const auto real = reinterpret_cast<decltype(Function)>(find(name));
    return real(arguments...);
  }

  // The function of that name; it must have one.
  [[nodiscard]] void *find(const char *name) const;

 private:
  const char *file_;
  const char *package_;
  const char *newest_;
  void *handle_ = nullptr;
};

// libcurl and libarchive. Who calls their functions loads them first; the functions themselves are forwarded.
[[nodiscard]] Status load_curl();
[[nodiscard]] Status load_archive();

}  // namespace skiff::image
