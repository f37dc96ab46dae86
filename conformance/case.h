// What a case is, and the words in which it judges.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/tree.h"
#include "spec/error.h"

namespace skiff::conformance {

class Stage;

// Why a case did not pass. An Error of a step on the way is a failure, so TRY works in a case.
struct Miss {
  bool skipped = false;    // this host cannot show it; `text` is the reason
  bool undecided = false;  // a step on the way failed
  std::string text;

  Miss(bool skip, std::string words) : skipped(skip), text(std::move(words)) {}
  // NOLINTNEXTLINE(google-explicit-constructor): for TRY
  Miss(const Error &error) : undecided(true), text(error.message()) {}
};
using Verdict = std::expected<void, Miss>;

struct Case {
  std::string_view name;     // "process/cwd-is-entered": the topic, and the sentence that is true of a good runtime
  std::string_view clauses;  // the ids of what it checks, with blanks between them
  Verdict (*run)(Stage &stage);
  std::string_view variant = {};  // what stage.variant() says, where one function serves several cases
  // Where neither runc nor crun passes: why the specification is right all the same. Empty: one of them passes.
  std::string_view doubt = {};
};

// Every case, in the order of the topics.
[[nodiscard]] std::vector<Case> all_cases();
// Those whose name, or an id of what they check, has the text of a filter in it; all of them without a filter.
[[nodiscard]] std::vector<Case> choose_cases(std::vector<Case> cases, const std::vector<std::string_view> &filters);
// The ids of case.clauses.
[[nodiscard]] std::vector<std::string_view> clauses_of(const Case &one);

// ---- the words ----

[[nodiscard]] std::unexpected<Miss> skip(std::string reason);
// A failure in words of one's own.
[[nodiscard]] std::unexpected<Miss> miss(std::string text);

// Failures read "SUBJECT: expected EXPECTED, saw SEEN".
[[nodiscard]] Verdict expect_same(std::string_view subject, const std::string &seen, const std::string &expected);
[[nodiscard]] Verdict expect_same(std::string_view subject, const std::vector<std::string> &seen,
                                  const std::vector<std::string> &expected);
[[nodiscard]] Verdict expect_number(std::string_view subject, std::optional<std::int64_t> seen, std::int64_t expected);
[[nodiscard]] Verdict expect(bool good, std::string_view subject, std::string_view expected, std::string_view seen);

// The word in a list of mount options, of a comma each.
[[nodiscard]] bool has_option(std::string_view options, std::string_view option);

}  // namespace skiff::conformance
