// Names of the Container Device Interface: "vendor.com/class=device".
#pragma once

#include <string_view>

namespace skiff::compose {

// Nothing else that names a device has this form: a path starts with '/'.
[[nodiscard]] constexpr bool is_cdi_name(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::size_t equals = text.find('=');
  return slash != std::string_view::npos && slash > 0 && equals != std::string_view::npos && equals > slash + 1 &&
         equals + 1 < text.size() && text.find(' ') == std::string_view::npos;
}

}  // namespace skiff::compose
