#include "spec/config.h"
#include "spec/fields_config.h"
#include "spec/json.h"
#include "spec/reader.h"

namespace skiff::spec {

namespace {

template <class T>
void parse(std::string_view text, T &out, std::vector<Finding> &findings) {
  const auto document = json::Document::parse(text);
  if (!document) {
    findings.push_back(document.error());
    return;
  }
  Reader(findings).document(document->root(), out);
}

}  // namespace

Parsed parse_config(std::string_view json) {
  Parsed parsed;
  parse(json, parsed.config, parsed.findings);
  return parsed;
}

ParsedProcess parse_process(std::string_view json) {
  ParsedProcess parsed;
  parse(json, parsed.process, parsed.findings);
  return parsed;
}

ParsedResources parse_resources(std::string_view json) {
  ParsedResources parsed;
  parse(json, parsed.resources, parsed.findings);
  return parsed;
}

}  // namespace skiff::spec
