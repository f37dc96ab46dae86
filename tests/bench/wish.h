// What `compare` is asked for: its command line.
#pragma once

#include <string>
#include <vector>

#include "spec/error.h"

namespace skiff::bench {

struct Wish {
  int rounds = 300;
  std::vector<std::string> cases;  // none: all
  std::vector<std::string> only;   // names of contestants; none: all
  std::vector<std::string> peers;  // programs, besides those of $PATH
  bool host_cgroups = false;
  bool untraced = false;
  bool calls = false;
  bool json = false;
  bool crowds = true;
  bool limits = true;

  [[nodiscard]] bool has_case(std::string_view name) const;
  [[nodiscard]] bool has_contestant(std::string_view name) const;
};

// Errors: the usage, for words that mean nothing.
[[nodiscard]] Result<Wish> parse_words(int argc, char **argv);

}  // namespace skiff::bench
