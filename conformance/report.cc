#include "conformance/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "conformance/clauses/clauses.h"

namespace skiff::conformance {
namespace {

struct Count {
  std::array<std::size_t, 3> of{};  // by mark
  std::chrono::milliseconds time{};
};

std::vector<Count> counts(const std::vector<Finding> &findings, std::size_t runtimes) {
  std::vector<Count> all(runtimes);
  for (const Finding &finding : findings) {
    ++all[finding.runtime].of[static_cast<std::size_t>(finding.mark)];
    all[finding.runtime].time += finding.time;
  }
  return all;
}

std::string clause_lines(const Case &of, std::string_view indent) {
  std::string out;
  for (const std::string_view id : clauses_of(of)) {
    const Clause *clause = find_clause(id);
    if (clause != nullptr) out += fmt::format("{}{} ({}): {}\n", indent, id, clause->section, clause->gist);
  }
  return out;
}

std::string seconds(std::chrono::milliseconds time) {
  return fmt::format("{}.{:03}", time.count() / 1000, time.count() % 1000);
}

std::string one_line(std::string_view text) {
  std::string out(text);
  std::ranges::replace(out, '\n', ' ');
  return out;
}

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c >= 0 && c < 0x20 && c != '\n' && c != '\t') {
      out += ' ';  // XML has no way to write it
    } else {
      out += c;
    }
  }
  return out;
}

std::string junit_case(const Finding &finding) {
  const std::string_view name = finding.of->name;
  const std::size_t slash = name.find('/');
  std::string out = fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{}\"", escape(name.substr(0, slash)),
                                escape(name.substr(slash + 1)), seconds(finding.time));
  if (finding.mark == Mark::passed) return out + "/>\n";
  if (finding.mark == Mark::skipped) {
    return out + fmt::format(">\n      <skipped message=\"{}\"/>\n    </testcase>\n", escape(finding.text));
  }
  return out + fmt::format(">\n      <failure message=\"{}\">{}</failure>\n    </testcase>\n", escape(finding.text),
                           escape(clause_lines(*finding.of, "")));
}

}  // namespace

std::string text_of(const Finding &finding, std::string_view runtime) {
  if (finding.mark == Mark::passed) return "";
  if (finding.mark == Mark::skipped)
    return fmt::format("skipped: {} ({}): {}\n", finding.of->name, runtime, finding.text);
  std::string out = fmt::format("FAILED: {} ({})\n    {}\n{}", finding.of->name, runtime, finding.text,
                                clause_lines(*finding.of, "    "));
  if (!finding.of->doubt.empty()) out += fmt::format("    in doubt: {}\n", finding.of->doubt);
  return out;
}

std::string summary_of(const std::vector<Finding> &findings, const std::vector<Runtime> &runtimes) {
  const std::vector<Count> all = counts(findings, runtimes.size());
  std::string out;
  for (std::size_t i = 0; i < all.size(); ++i) {
    out += fmt::format("{}: {} passed, {} failed, {} skipped\n", runtimes[i].name, all[i].of[0], all[i].of[1],
                       all[i].of[2]);
  }
  return out;
}

std::string tap_head(std::size_t count) { return fmt::format("TAP version 13\n1..{}\n", count); }

std::string tap_of(const Finding &finding, std::string_view runtime, std::size_t number) {
  std::string out =
      fmt::format("{} {} - {} {}", finding.mark == Mark::failed ? "not ok" : "ok", number, runtime, finding.of->name);
  if (finding.mark == Mark::skipped) return out + fmt::format(" # SKIP {}\n", one_line(finding.text));
  if (finding.mark == Mark::passed) return out + "\n";
  return out + fmt::format(
                   "\n  ---\n  message: \"{}\"\n  clauses: [{}]\n  ...\n",
                   [&] {
                     std::string quoted;
                     for (const char c : one_line(finding.text)) {
                       if (c == '"' || c == '\\') quoted += '\\';
                       quoted += c;
                     }
                     return quoted;
                   }(),
                   fmt::join(clauses_of(*finding.of), ", "));
}

std::string junit_of(const std::vector<Finding> &findings, const std::vector<Runtime> &runtimes) {
  const std::vector<Count> all = counts(findings, runtimes.size());
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (std::size_t i = 0; i < runtimes.size(); ++i) {
    out += fmt::format("  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" time=\"{}\">\n",
                       escape(runtimes[i].name), all[i].of[0] + all[i].of[1] + all[i].of[2], all[i].of[1], all[i].of[2],
                       seconds(all[i].time));
    for (const Finding &finding : findings) {
      if (finding.runtime == i) out += junit_case(finding);
    }
    out += "  </testsuite>\n";
  }
  return out + "</testsuites>\n";
}

std::string matrix_of(const std::vector<Finding> &findings, const std::vector<Runtime> &runtimes) {
  constexpr std::array<std::string_view, 3> words = {"ok", "FAILED", "skipped"};
  std::size_t widest = 0;
  for (const Finding &finding : findings) widest = std::max(widest, finding.of->name.size());
  const auto width = [&](std::size_t runtime) { return std::max(runtimes[runtime].name.size(), words[2].size()); };
  std::string out = fmt::format("{:{}}", "", widest);
  for (std::size_t i = 0; i < runtimes.size(); ++i) out += fmt::format("  {:{}}", runtimes[i].name, width(i));
  std::string nowhere;
  bool any = false;
  for (const Finding &finding : findings) {
    if (finding.runtime == 0) {
      out += fmt::format("\n{:{}}", finding.of->name, widest);
      any = false;
    }
    any = any || finding.mark != Mark::failed;
    out += fmt::format("  {:{}}", words[static_cast<std::size_t>(finding.mark)], width(finding.runtime));
    if (finding.runtime + 1 == runtimes.size() && !any) {
      nowhere += fmt::format("passes nowhere: {}: {}\n", finding.of->name,
                             finding.of->doubt.empty() ? "and nobody has said why" : finding.of->doubt);
    }
  }
  return fmt::format("{}\n{}{}", out, nowhere, summary_of(findings, runtimes));
}

std::string list_of(const std::vector<Case> &cases) {
  std::string out;
  for (const Clause &clause : all_clauses()) {
    out += fmt::format("{} ({})\n    {}\n", clause.id, clause.section, clause.gist);
    for (const Case &one : cases) {
      if (std::ranges::count(clauses_of(one), clause.id) > 0) out += fmt::format("    case {}\n", one.name);
    }
    if (!clause.untested.empty()) out += fmt::format("    no case: {}\n", clause.untested);
  }
  return out;
}

std::vector<std::string> check_catalogue(const std::vector<Case> &cases) {
  std::vector<std::string> wrong;
  std::vector<std::string_view> cited;
  for (const Case &one : cases) {
    const std::vector<std::string_view> ids = clauses_of(one);
    if (ids.empty()) wrong.push_back(fmt::format("case {} cites no clause", one.name));
    for (const std::string_view id : ids) {
      if (find_clause(id) == nullptr)
        wrong.push_back(fmt::format("case {} cites {}, which is no clause", one.name, id));
    }
    cited.insert(cited.end(), ids.begin(), ids.end());
    const auto same = [&](const Case &other) { return other.name == one.name; };
    if (std::ranges::count_if(cases, same) > 1) wrong.push_back(fmt::format("two cases are named {}", one.name));
  }
  for (const Clause &clause : all_clauses()) {
    const bool tested = std::ranges::count(cited, clause.id) > 0;
    if (!tested && clause.untested.empty()) wrong.push_back(fmt::format("{} has no case and no reason", clause.id));
    if (tested && !clause.untested.empty()) wrong.push_back(fmt::format("{} has a case and a reason", clause.id));
    if (clause.gist.empty() || clause.section.empty()) wrong.push_back(fmt::format("{} says nothing", clause.id));
  }
  return wrong;
}

}  // namespace skiff::conformance
