// A Dockerfile's text to its instructions: lines, continuations, comments, heredocs, flags, JSON and shell forms
// (docs.docker.com, "Dockerfile reference"). Pure: what stands in it is not expanded and not carried out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/error.h"

namespace skiff::image {

struct Heredoc {
  std::string name;
  std::string text;    // its lines, each with its end
  bool expand = true;  // its name was not quoted
};

struct InstructionFlag {
  std::string name;  // without dashes
  std::string value;
};

struct Instruction {
  std::size_t line = 0;  // of its first letter, from 1
  std::string keyword;   // in upper case
  std::string text;      // as it was written, its lines joined, without its heredocs' bodies
  std::vector<InstructionFlag> flags;
  std::string arguments;                         // what follows the flags
  std::optional<std::vector<std::string>> json;  // the arguments, where they are a JSON list of strings
  std::vector<Heredoc> heredocs;

  // The last value of a flag.
  [[nodiscard]] const std::string *flag(std::string_view name) const;
};

struct Dockerfile {
  char escape = '\\';
  std::vector<Instruction> instructions;
  std::vector<std::string> warnings;  // "line 3: ..."
};

// Errors begin with "line N": an instruction that there is none of (with the nearest that there is), a flag that is not
// taken, a heredoc without its end, arguments that are missing.
[[nodiscard]] Result<Dockerfile> parse_dockerfile(std::string_view text);

}  // namespace skiff::image
