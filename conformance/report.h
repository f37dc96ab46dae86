// Findings as text: for people, as TAP, as JUnit's XML, as a table. Every failure explains itself: what was expected
// and seen, and the clauses in question.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conformance/judge.h"

namespace skiff::conformance {

// One finding for a terminal; empty for a pass, which needs no words.
[[nodiscard]] std::string text_of(const Finding &finding, std::string_view runtime);
// "NAME: 150 passed, 1 failed, 9 skipped", a line each.
[[nodiscard]] std::string summary_of(const std::vector<Finding> &findings, const std::vector<Runtime> &runtimes);

// Test Anything Protocol, version 13. `number` counts from 1.
[[nodiscard]] std::string tap_head(std::size_t count);
[[nodiscard]] std::string tap_of(const Finding &finding, std::string_view runtime, std::size_t number);

// A test suite a runtime, a class a topic.
[[nodiscard]] std::string junit_of(const std::vector<Finding> &findings, const std::vector<Runtime> &runtimes);

// A row a case, a column a runtime; below it how many, and what passes nowhere.
[[nodiscard]] std::string matrix_of(const std::vector<Finding> &findings, const std::vector<Runtime> &runtimes);

// Every clause with its cases or its reason, and every case with its clauses.
[[nodiscard]] std::string list_of(const std::vector<Case> &cases);

// What is wrong with the catalogue: a clause without case and reason, or with both; a case that cites none or an
// unknown one; two of one name. A line each; empty is right.
[[nodiscard]] std::vector<std::string> check_catalogue(const std::vector<Case> &cases);

}  // namespace skiff::conformance
