// What came of attacks, as text.
#pragma once

#include <string>
#include <vector>

#include "conformance/judge.h"

namespace skiff::conformance {

// A row an attack with the names it is known by, a column a runtime; below it what is not staged, and why.
[[nodiscard]] std::string table_of(const std::vector<Finding> &findings, const std::vector<Runtime> &runtimes);
// What succeeded and how, what could not be tried and why; with `all` what withstood, too.
[[nodiscard]] std::string words_of(const std::vector<Finding> &findings, const std::vector<Runtime> &runtimes,
                                   bool all);
// "skiff.attacks.tried 50", "skiff.attacks.failures 0" and of those that are tried again and again "skiff.races.tries
// 900", "skiff.races.failures 0"; a line each.
[[nodiscard]] std::string figures_of(const std::vector<Finding> &findings, const std::vector<Runtime> &runtimes);

}  // namespace skiff::conformance
