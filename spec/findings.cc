#include "spec/findings.h"

#include <fmt/format.h>

namespace skiff::spec {

std::string Finding::message() const {
  std::string out = pointer;
  if (!out.empty()) out += ": ";
  out += text;
  if (!remedy.empty()) out += "; " + remedy;
  if (!clause.empty()) out += " (" + clause + ")";
  return out;
}

namespace {
constexpr std::size_t most_findings = 200;
}  // namespace

bool takes_finding(const std::vector<Finding> &findings) { return findings.size() <= most_findings; }

void add_finding(std::vector<Finding> &findings, Finding finding) {
  if (findings.size() < most_findings) {
    findings.push_back(std::move(finding));
  } else if (findings.size() == most_findings) {
    findings.push_back({"", "and more that are not listed", "", ""});
  }
}

Error findings_error(std::string_view document, const std::vector<Finding> &findings) {
  if (findings.size() == 1) return Error{0, fmt::format("{}: {}", document, findings.front().message()), {}};
  std::string text = fmt::format("{}: {} findings", document, findings.size());
  for (const Finding &finding : findings) text += "\n  " + finding.message();
  return Error{0, std::move(text), {}};
}

const Namespace *Linux::find(NamespaceType type) const {
  for (const Namespace &entry : namespaces) {
    if (entry.type == type) return &entry;
  }
  return nullptr;
}

}  // namespace skiff::spec
