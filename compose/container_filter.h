// --filter of ps and prune, with docker's keys.
#pragma once

#include <string_view>
#include <vector>

#include "compose/container.h"
#include "compose/filter.h"

namespace skiff::compose {

class ContainerFilter {
 public:
  [[nodiscard]] static Result<ContainerFilter> parse(const std::vector<std::string_view> &words);
  // `all` are the containers that before= and since= may name.
  [[nodiscard]] bool takes(const Container &container, const std::vector<Container> &all) const;
  // Whether it asks for containers that do not run.
  [[nodiscard]] bool names_status() const { return names_status_; }

 private:
  Filters filters_;
  bool names_status_ = false;
};

}  // namespace skiff::compose
