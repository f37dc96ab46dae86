#include "conformance/attacks/table.h"

#include <fmt/format.h>

#include <algorithm>

#include "conformance/attacks/attack.h"

namespace skiff::conformance {
namespace {

std::string_view word_of(const Finding &finding) {
  if (finding.undecided) return "not tried";
  switch (finding.mark) {
    case Mark::passed:
      return "withstood";
    case Mark::skipped:
      return "n/a";
    case Mark::failed:
      return "SUCCEEDED";
  }
  return "";
}

}  // namespace

std::string table_of(const std::vector<Finding> &findings, const std::vector<Runtime> &runtimes) {
  std::size_t widest = 0;
  for (const Finding &finding : findings) widest = std::max(widest, finding.of->name.size());
  std::string out = fmt::format("{:{}}", "", widest);
  for (const Runtime &runtime : runtimes) out += fmt::format("  {:9}", runtime.name);
  for (const Finding &finding : findings) {
    if (finding.runtime == 0) out += fmt::format("\n{:{}}", finding.of->name, widest);
    out += fmt::format("  {:9}", word_of(finding));
    if (finding.runtime + 1 == runtimes.size()) out += fmt::format("  {}", finding.of->clauses);
  }
  out += "\n\nnot staged:\n";
  for (const Unstaged &one : unstaged_attacks(runtimes.front().name))
    out += fmt::format("  {}: {}\n", one.name, one.reason);
  return out + "\n";
}

std::string words_of(const std::vector<Finding> &findings, const std::vector<Runtime> &runtimes, bool all) {
  std::string out;
  for (const Finding &finding : findings) {
    if (finding.mark == Mark::passed && !all) continue;
    out += fmt::format("{}: {} ({}): {}\n", word_of(finding), finding.of->name, runtimes[finding.runtime].name,
                       finding.text);
  }
  return out;
}

std::string figures_of(const std::vector<Finding> &findings, const std::vector<Runtime> &runtimes) {
  std::string out;
  for (std::size_t i = 0; i < runtimes.size(); ++i) {
    const auto count = [&](auto wanted) {
      return std::ranges::count_if(findings,
                                   [&](const Finding &finding) { return finding.runtime == i && wanted(finding); });
    };
    const auto tried =
        count([](const Finding &finding) { return finding.mark != Mark::skipped && !finding.undecided; });
    const auto succeeded =
        count([](const Finding &finding) { return finding.mark == Mark::failed && !finding.undecided; });
    const std::string &name = runtimes[i].name;
    out += fmt::format("{0}.attacks.tried {1}\n{0}.attacks.failures {2}\n", name, tried, succeeded);
    unsigned tries = 0;
    for (const Finding &finding : findings) tries += finding.runtime == i ? finding.tries : 0;
    const auto hits = count(
        [](const Finding &finding) { return finding.mark == Mark::failed && !finding.undecided && finding.tries > 0; });
    if (tries > 0) out += fmt::format("{0}.races.tries {1}\n{0}.races.failures {2}\n", name, tries, hits);
  }
  return out;
}

}  // namespace skiff::conformance
