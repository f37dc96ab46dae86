// Documents for the tests of spec/: a small valid config.json, and the same with something put over it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "spec/config.h"

namespace skiff::spec {

inline std::string join(std::string_view members, std::string_view more) {
  return std::string(members) + (more.empty() ? "" : ",") + std::string(more);
}

inline std::string process_with(std::string_view members) {
  return "{" + join(R"("cwd": "/", "args": ["sh"])", members) + "}";
}

inline std::string linux_with(std::string_view members) {
  return "{" +
         join(R"("namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "uts"}, {"type": "ipc"},
                 {"type": "network"}])",
              members) +
         "}";
}

// A member given twice counts as the last says, so `members` replace those of the valid document.
inline std::string config_with(std::string_view members) {
  const std::string valid = R"("ociVersion": "1.3.0", "root": {"path": "rootfs"}, "process": )" + process_with("") +
                            R"(, "linux": )" + linux_with("");
  return "{" + join(valid, members) + "}";
}

inline std::string config_with_process(std::string_view members) {
  return config_with("\"process\": " + process_with(members));
}

inline std::string config_with_linux(std::string_view members) {
  return config_with("\"linux\": " + linux_with(members));
}

inline std::string config_with_resources(std::string_view members) {
  return config_with_linux("\"resources\": {" + std::string(members) + "}");
}

inline std::vector<Finding> findings_of(const std::string &json) { return check(parse_config(json)); }

inline std::string listing(const std::vector<Finding> &findings) {
  std::string out;
  for (const Finding &finding : findings) out += "  " + finding.message() + "\n";
  return out;
}

// The only thing wrong is at that place, and the text holds those words.
inline testing::AssertionResult only_finding(const std::vector<Finding> &findings, std::string_view pointer,
                                             std::string_view words) {
  if (findings.size() == 1 && findings[0].pointer == pointer &&
      findings[0].message().find(words) != std::string::npos) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "expected one finding at " << pointer << " with \"" << words << "\", got "
                                     << findings.size() << ":\n"
                                     << listing(findings);
}

inline testing::AssertionResult no_finding(const std::vector<Finding> &findings) {
  if (findings.empty()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "unexpected:\n" << listing(findings);
}

}  // namespace skiff::spec
