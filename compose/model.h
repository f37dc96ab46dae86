// Compose files to one tree: interpolated, in long forms, merged, with what they include and extend.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "compose/finding.h"
#include "compose/interpolate.h"
#include "compose/project_files.h"
#include "compose/value.h"

namespace skiff::compose {

struct ModelOptions {
  bool interpolate = true;
  bool resolve_paths = true;
  std::string home;
};

// One project's files, or an included one's.
struct ModelFiles {
  std::vector<std::string> files;  // absolute, or "-"
  std::string directory;           // absolute
  std::map<std::string, std::string> environment;
};

class ModelReader {
 public:
  ModelReader(SourceFiles &sources, Findings &findings, ModelOptions options)
      : sources_(sources), findings_(findings), options_(std::move(options)) {}

  // The merged tree. An Error where a file cannot be read.
  [[nodiscard]] Result<Value> read(const ModelFiles &from);
  // The documents of the files as they are written, in order.
  [[nodiscard]] Result<std::vector<Value>> parse(const std::vector<std::string> &files);
  // Every file that was read, included and extended ones too.
  [[nodiscard]] const std::vector<std::string> &files() const { return files_; }

 private:
  struct Scope;
  struct Extended;

  [[nodiscard]] Result<std::vector<Value>> parse_file(const std::string &path);
  [[nodiscard]] Status add(Value document, const std::string &path, const ModelFiles &from, Value &model);
  void prepare(Value &document, const ModelFiles &from);
  [[nodiscard]] Status extend_all(Value &document, const Scope &scope);
  [[nodiscard]] Status extend(Value &service, const std::string &name, const Scope &scope,
                              std::vector<Extended> &chain);
  [[nodiscard]] Status include_all(Value &model, const ModelFiles &from);
  [[nodiscard]] Status include(const Value &entry, const ModelFiles &from, Value &model);
  void import(Value &model, Value included);

  SourceFiles &sources_;
  Findings &findings_;
  ModelOptions options_;
  std::vector<std::string> files_;
  std::vector<std::string> including_;  // the way down, for cycles
  std::set<std::string> told_;          // variables that are missing
};

}  // namespace skiff::compose
