// docker's `--filter KEY=VALUE`: values of one key are alternatives, keys must all match; labels must all match.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compose/project.h"
#include "spec/error.h"

namespace skiff::compose {

class Filters {
 public:
  // A key that is not in `keys`, or a word without '=', is an error that names the keys.
  [[nodiscard]] static Result<Filters> parse(std::span<const std::string_view> words,
                                             std::span<const std::string_view> keys);

  // "label=KEY" and "label=KEY=VALUE", all of them; "label!=..." is not known.
  [[nodiscard]] bool matches_labels(const Labels &labels) const;
  // True where the key was not given; `holds` says whether one value fits.
  template <class Holds>
  [[nodiscard]] bool matches(std::string_view key, Holds holds) const {
    bool given = false;
    for (const auto &[name, value] : filters_) {
      if (name != key) continue;
      if (holds(value)) return true;
      given = true;
    }
    return !given;
  }

 private:
  std::vector<std::pair<std::string, std::string>> filters_;
};

// "KEY=VALUE", or "KEY" with an empty value, as --label takes them.
[[nodiscard]] Labels labels_of(std::span<const std::string_view> words);

}  // namespace skiff::compose
