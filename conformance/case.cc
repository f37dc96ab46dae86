#include "conformance/case.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "conformance/cases/tables.h"

namespace skiff::conformance {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(separator));
    if (!part.empty()) parts.push_back(part);
    text.remove_prefix(std::min(part.size() + 1, text.size()));
  }
  return parts;
}

}  // namespace

std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (const std::span<const Case> table : case_tables()) all.insert(all.end(), table.begin(), table.end());
  return all;
}

std::vector<Case> choose_cases(std::vector<Case> cases, const std::vector<std::string_view> &filters) {
  if (filters.empty()) return cases;
  std::erase_if(cases, [&](const Case &one) {
    return std::ranges::none_of(
        filters, [&](std::string_view filter) { return one.name.contains(filter) || one.clauses.contains(filter); });
  });
  return cases;
}

std::vector<std::string_view> clauses_of(const Case &one) { return split(one.clauses, ' '); }

std::unexpected<Miss> skip(std::string reason) { return std::unexpected(Miss(true, std::move(reason))); }
std::unexpected<Miss> miss(std::string text) { return std::unexpected(Miss(false, std::move(text))); }

Verdict expect(bool good, std::string_view subject, std::string_view expected, std::string_view seen) {
  if (good) return {};
  return miss(fmt::format("{}: expected {}, saw {}", subject, expected, seen));
}

Verdict expect_same(std::string_view subject, const std::string &seen, const std::string &expected) {
  return expect(seen == expected, subject, fmt::format("\"{}\"", expected), fmt::format("\"{}\"", seen));
}

Verdict expect_same(std::string_view subject, const std::vector<std::string> &seen,
                    const std::vector<std::string> &expected) {
  return expect(seen == expected, subject, fmt::format("[{}]", fmt::join(expected, ", ")),
                fmt::format("[{}]", fmt::join(seen, ", ")));
}

Verdict expect_number(std::string_view subject, std::optional<std::int64_t> seen, std::int64_t expected) {
  return expect(seen == expected, subject, std::to_string(expected), seen ? std::to_string(*seen) : "nothing");
}

bool has_option(std::string_view options, std::string_view option) {
  const std::vector<std::string_view> all = split(options, ',');
  return std::ranges::find(all, option) != all.end();
}

}  // namespace skiff::conformance
