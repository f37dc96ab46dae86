// What is wrong in a compose.yaml or a .ctst file, and where: the errors of everything that reads them.
#pragma once

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "compose/value.h"
#include "spec/error.h"

namespace skiff::compose {

struct Finding {
  enum class Level : std::uint8_t { error, warning, note };

  Position at;
  std::string code;    // stable, for machines: "unknown-key", "dependency-cycle"
  std::string text;    // the field and what is wrong: "services.web.ports[1]: 99999 is no port"
  std::string remedy;  // one clause, or empty: "did you mean image?"
  Level level = Level::error;

  // "file:line:column: text; remedy", and below it the line with a caret. Without a file the text and the remedy.
  [[nodiscard]] std::string message() const;
  // The first line of it, for a log.
  [[nodiscard]] std::string line() const;
};

// All that is found is told, not the first alone: a reader goes on after an error as far as it can.
class Findings {
 public:
  void error(Position at, std::string code, std::string text, std::string remedy = {});
  void warn(Position at, std::string code, std::string text, std::string remedy = {});
  // What happens as it is meant to, and may surprise.
  void note(Position at, std::string code, std::string text);
  [[nodiscard]] bool has_errors() const;
  [[nodiscard]] const std::vector<Finding> &all() const { return all_; }

 private:
  std::vector<Finding> all_;
};

// The number of an Error that is a finding in the user's files or words: main prints it without errno's own words and
// ends with 2.
inline constexpr int finding_number = EBADMSG;

// All errors of it in one, a message below the other.
[[nodiscard]] Error as_error(const Findings &findings);

}  // namespace skiff::compose
