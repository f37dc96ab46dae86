#include <fmt/format.h>

#include "spec/config.h"

namespace skiff::spec {

std::string Finding::message() const {
  std::string out = pointer;
  if (!out.empty()) out += ": ";
  out += text;
  if (!remedy.empty()) out += "; " + remedy;
  if (!clause.empty()) out += " (" + clause + ")";
  return out;
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
