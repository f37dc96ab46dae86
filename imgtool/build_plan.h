// The stages of a Dockerfile: what each begins with, which are needed for the target, and in which order. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imgtool/dockerfile.h"
#include "imgtool/dockerfile_words.h"

namespace skiff::image {

using Arguments = std::map<std::string, std::string, std::less<>>;

struct BuildRequest {
  Arguments arguments = {};   // --build-arg
  Arguments predefined = {};  // TARGETARCH and its like: without an ARG in front of the first FROM
  std::string target = {};    // a stage's name or number; empty: the last
};

enum class Origin : std::uint8_t { scratch, stage, image };

// What FROM or COPY --from names.
struct BuildSource {
  Origin origin = Origin::scratch;
  std::size_t stage = 0;
  std::string image;
};

struct BuildStage {
  std::string name;  // in lower case; may be empty
  std::size_t line = 0;
  BuildSource base;
  std::string platform;                   // --platform; empty: that of the build
  std::vector<Instruction> instructions;  // without FROM
};

struct BuildPlan {
  char escape = '\\';
  std::vector<BuildStage> stages;
  std::vector<std::size_t> order;  // the needed ones, each after all that it needs; the target is the last
  Arguments global;                // ARGs in front of the first FROM, with their values
  Arguments given;                 // --build-arg and predefined
  std::vector<std::string> warnings;
};

// Errors begin with "line N".
[[nodiscard]] Result<BuildPlan> make_build_plan(Dockerfile file, const BuildRequest &request);

// What a COPY of stage `stage` names by --from: an earlier stage, by name or number, else an image.
[[nodiscard]] BuildSource find_source(const BuildPlan &plan, std::size_t stage, std::string_view from);

// NAME or NAME=DEFAULT of an ARG, not expanded.
struct Declaration {
  std::string name;
  std::optional<std::string> initial;
};
[[nodiscard]] Result<std::vector<Declaration>> parse_declarations(const Instruction &instruction, char escape);

// Variables without an ARG: proxies, which are no part of what is built.
[[nodiscard]] bool is_proxy_argument(std::string_view name);

}  // namespace skiff::image
