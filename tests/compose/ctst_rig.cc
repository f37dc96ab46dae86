#include "tests/compose/ctst_rig.h"

#include <gtest/gtest.h>

#include "runtime/kernel/path.h"

namespace skiff::compose {

void CtstRig::write(const std::string &name, const std::string &text, mode_t mode) {
  const std::string path = folder() + "/" + name;
  ASSERT_TRUE(kernel::make_parents(path, 0755));
  const kernel::Fd file = *kernel::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ASSERT_TRUE(kernel::write_all(file, text));
  ASSERT_TRUE(kernel::fchmod(file, mode));
}

void CtstRig::load(const std::string &text) {
  write("main.ctst", text);
  request.path = folder() + "/main.ctst";
  request.text = text;
  request.directory = folder();
  if (request.cache_directory.empty()) request.cache_directory = folder() + "/cache";
  if (request.secrets_directory.empty()) request.secrets_directory = folder() + "/secrets";
  findings = {};
  loaded = load_ctst(request, findings);
}

std::string CtstRig::without_folder(std::string text) const {
  for (std::size_t at = text.find(folder()); at != std::string::npos; at = text.find(folder())) {
    text.replace(at, folder().size(), "DIR");
  }
  return text;
}

std::string CtstRig::told() const {
  std::string out;
  for (const Finding &one : findings.all()) out += one.message() + "\n";
  return without_folder(out);
}

std::string CtstRig::codes() const {
  std::string out;
  for (const Finding &one : findings.all()) out += (out.empty() ? "" : " ") + one.code;
  return out;
}

std::string CtstRig::at(const std::string &path) const {
  const Value *value = &loaded.model;
  for (std::size_t start = 0; value != nullptr && start <= path.size();) {
    const std::size_t end = std::min(path.find('.', start), path.size());
    value = value->find(path.substr(start, end - start));
    start = end + 1;
  }
  return value == nullptr ? "-" : without_folder(shown(*value));
}

std::string shown(const Value &value) {
  std::string out;
  if (value.kind == Value::Kind::list) {
    for (const Value &item : value.items) out += (out.empty() ? "" : ", ") + shown(item);
    return "[" + out + "]";
  }
  if (value.kind == Value::Kind::map) {
    for (const Member &member : value.members)
      out += (out.empty() ? "" : ", ") + member.key + ": " + shown(member.value);
    return "{" + out + "}";
  }
  return value.kind == Value::Kind::null ? "null" : value.text;
}

}  // namespace skiff::compose
