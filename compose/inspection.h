// docker's object of a container, for `inspect`.
#pragma once

#include <string>

#include "compose/container.h"
#include "compose/engine.h"

namespace skiff::compose {

// JSON, indented, without a line end.
[[nodiscard]] Result<std::string> inspection(const Engine &engine, const Container &container);

}  // namespace skiff::compose
