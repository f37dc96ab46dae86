#include "tests/compose/project_rig.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "compose/value_text.h"
#include "runtime/kernel/fd.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

std::string replace(std::string text, const std::string &what, const std::string &by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

}  // namespace

void ProjectRig::write(const std::string &name, const std::string &text) {
  ASSERT_TRUE(kernel::make_parents(path(name), 0755));
  const Result<kernel::Fd> file = kernel::open(path(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  ASSERT_TRUE(file) << file.error().message();
  ASSERT_TRUE(kernel::write_all(*file, text));
}

std::string ProjectRig::path(const std::string &name) const {
  return name.empty() ? folder_.path() + "/shop" : folder_.path() + "/shop/" + name;
}

Loaded ProjectRig::load() {
  if (request.working_directory.empty()) request.working_directory = path();
  Result<Loaded> loaded = load_project(request);
  if (loaded) return std::move(*loaded);
  Loaded failed;
  failed.findings.error({}, "load", loaded.error().message());
  return failed;
}

std::string ProjectRig::config() {
  const Loaded loaded = load();
  if (loaded.findings.has_errors()) return as_error(loaded.findings).text;
  return replace(print_yaml(loaded.project.canonical), path(), "@DIR@");
}

std::string ProjectRig::lines(Finding::Level level) {
  const Loaded loaded = load();
  std::string out;
  for (const Finding &one : loaded.findings.all()) {
    if (one.level != level) continue;
    if (!out.empty()) out += '\n';
    out += replace(one.line(), path() + "/", "");
  }
  return replace(out, path(), "@DIR@");
}

std::string ProjectRig::errors() { return lines(Finding::Level::error); }

std::string ProjectRig::warnings() { return lines(Finding::Level::warning); }

}  // namespace skiff::compose
