#include "compose/model.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "compose/long_forms.h"
#include "compose/merge.h"
#include "compose/resolve_paths.h"
#include "compose/schema.h"
#include "compose/yaml.h"
#include "runtime/cli/nearest.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

bool same(const Value &a, const Value &b) {
  if (a.kind != b.kind || a.text != b.text || a.items.size() != b.items.size() ||
      a.members.size() != b.members.size()) {
    return false;
  }
  if (!std::ranges::equal(a.items, b.items, same)) return false;
  return std::ranges::all_of(a.members, [&](const Member &member) {
    const Value *other = b.find(member.key);
    return other != nullptr && same(member.value, *other);
  });
}

std::vector<std::string> texts_of(const Value &map, std::string_view key) {
  std::vector<std::string> texts;
  const Value *list = map.find(key);
  if (list == nullptr) return texts;
  for (const Value &item : list->items) texts.push_back(item.text);
  return texts;
}

std::string text_of(const Value &map, std::string_view key) {
  const Value *value = map.find(key);
  return value == nullptr ? std::string() : value->text;
}

}  // namespace

// Where a service stands: the document it was found in, and the tree that earlier files have become.
struct ModelReader::Scope {
  const Value &document;
  const Value *earlier;
  const std::string &path;
  const ModelFiles &from;
};

struct ModelReader::Extended {
  std::string path;
  std::string service;
  bool operator==(const Extended &) const = default;
};

Result<std::vector<Value>> ModelReader::parse_file(const std::string &path) {
  const Source *source = TRY(sources_.read(path));
  if (std::ranges::find(files_, path) == files_.end()) files_.push_back(path);
  return parse_yaml(*source, findings_);
}

Result<std::vector<Value>> ModelReader::parse(const std::vector<std::string> &files) {
  std::vector<Value> all;
  for (const std::string &path : files) {
    std::vector<Value> documents = TRY(parse_file(path));
    for (Value &document : documents) all.push_back(std::move(document));
  }
  return all;
}

void ModelReader::prepare(Value &document, const ModelFiles &from) {
  const Variables variables = [&](const std::string &name) -> std::optional<std::string> {
    const auto found = from.environment.find(name);
    return found == from.environment.end() ? std::nullopt : std::optional(found->second);
  };
  if (options_.interpolate) interpolate(document, variables, told_, findings_);
  make_long(document, {.lenient = !options_.interpolate, .findings = findings_});
  check_keys(document, !options_.interpolate, findings_);
  if (document.kind == Value::Kind::map) enforce_unique(document);
}

Status ModelReader::add(Value document, const std::string &path, const ModelFiles &from, Value &model) {
  prepare(document, from);
  if (document.kind != Value::Kind::map) return {};
  TRY(extend_all(document, {document, &model, path, from}));
  if (options_.resolve_paths) compose::resolve_paths(document, {from.directory, options_.home});
  merge_file(model, std::move(document), findings_);
  return {};
}

Result<Value> ModelReader::read(const ModelFiles &from) {
  Value model = Value::of_map();
  for (const std::string &path : from.files) {
    std::vector<Value> documents = TRY(parse_file(path));
    for (Value &document : documents) TRY(add(std::move(document), path, from, model));
  }
  TRY(include_all(model, from));
  return model;
}

Status ModelReader::extend_all(Value &document, const Scope &scope) {
  Value *services = document.find("services");
  if (services == nullptr || services->kind != Value::Kind::map) return {};
  const Value before = document;
  for (Member &member : services->members) {
    std::vector<Extended> chain = {{scope.path, member.key}};
    TRY(extend(member.value, member.key, {before, scope.earlier, scope.path, scope.from}, chain));
  }
  return {};
}

// compose-spec, "extends": what the other service says, and over it what this one says. Paths of another file are
// relative to that file.
Status ModelReader::extend(Value &service, const std::string &name, const Scope &scope, std::vector<Extended> &chain) {
  const Value *extends = service.find("extends");
  if (extends == nullptr || extends->kind != Value::Kind::map) return {};
  const std::string target = text_of(*extends, "service");
  const std::string file = text_of(*extends, "file");
  const Position at = extends->at;
  const std::string place = fmt::format("services.{}.extends", name);
  service.remove("extends");
  if (target.empty()) {
    findings_.error(at, "extends", fmt::format("{}: service is missing", place));
    return {};
  }
  std::vector<Value> documents;
  const std::string path = file.empty() ? scope.path : absolute_path(file, {scope.from.directory, options_.home});
  const bool other = path != scope.path;
  ModelFiles from = scope.from;
  if (other) {
    from.directory = parent_path(path);
    Result<std::vector<Value>> read = parse_file(path);
    if (!read) {
      findings_.error(at, "extends", fmt::format("{}: {}", place, read.error().message()));
      return {};
    }
    documents = std::move(*read);
    for (Value &document : documents) prepare(document, from);
  }
  const Value nothing;
  const Value &document = !other ? scope.document : documents.empty() ? nothing : documents.front();
  const Value *services = document.find("services");
  const Value *found = services == nullptr ? nullptr : services->find(target);
  if (found == nullptr && !other && scope.earlier != nullptr) {
    const Value *earlier = scope.earlier->find("services");
    found = earlier == nullptr ? nullptr : earlier->find(target);
  }
  if (found == nullptr) {
    cli::Nearest nearest(target);
    if (services != nullptr) {
      for (const Member &member : services->members) nearest.offer(member.key);
    }
    findings_.error(at, "extends", fmt::format("{}: there is no service {} in {}", place, target, path),
                    nearest.found().empty() ? std::string() : fmt::format("did you mean {}?", nearest.found()));
    return {};
  }
  chain.push_back({path, target});
  if (std::ranges::find(chain.begin(), chain.end() - 1, chain.back()) != chain.end() - 1) {
    std::string way;
    for (const Extended &one : chain) way += (way.empty() ? "" : " -> ") + one.service;
    findings_.error(at, "extends-cycle", fmt::format("{}: a cycle: {}", place, way), "one of them has to stand alone");
    return {};
  }
  Value extended = *found;
  TRY(extend(extended, target, {document, other ? nullptr : scope.earlier, path, from}, chain));
  drop_tags(extended);
  if (other && options_.resolve_paths) resolve_service_paths(extended, {from.directory, options_.home});
  merge_service(extended, std::move(service), findings_);
  service = std::move(extended);
  return {};
}

Status ModelReader::include_all(Value &model, const ModelFiles &from) {
  const Value *includes = model.find("include");
  if (includes == nullptr) return {};
  const Value entries = *includes;
  model.remove("include");
  for (const Value &entry : entries.items) TRY(include(entry, from, model));
  return {};
}

Status ModelReader::include(const Value &entry, const ModelFiles &from, Value &model) {
  const std::vector<std::string> paths = texts_of(entry, "path");
  if (paths.empty()) {
    findings_.error(entry.at, "include", "include: path is missing");
    return {};
  }
  const Folders here{from.directory, options_.home};
  ModelFiles to;
  for (const std::string &path : paths) {
    to.files.push_back(absolute_path(path, here));
    if (kernel::faccessat(kernel::cwd, to.files.back(), R_OK)) continue;
    findings_.error(entry.at, "include", fmt::format("include: {}: there is no such file", path));
    return {};
  }
  const std::string directory = text_of(entry, "project_directory");
  to.directory = directory.empty() ? parent_path(to.files[0]) : absolute_path(directory, here);
  to.environment = from.environment;
  std::vector<std::string> env_files = texts_of(entry, "env_file");
  for (std::string &file : env_files) file = absolute_path(file, here);
  const std::string dotenv = to.directory + "/.env";
  if (env_files.empty() && kernel::faccessat(kernel::cwd, dotenv, R_OK)) env_files.push_back(dotenv);
  for (auto file = env_files.rbegin(); file != env_files.rend(); ++file) {
    const Status status = read_env_file(*file, sources_, to.environment, findings_);
    if (!status) findings_.error(entry.at, "include", fmt::format("include: {}", status.error().message()));
  }
  if (std::ranges::find(including_, to.files[0]) != including_.end()) {
    std::string way;
    for (const std::string &file : including_) way += file + " -> ";
    findings_.error(entry.at, "include-cycle", fmt::format("include: a cycle: {}{}", way, to.files[0]));
    return {};
  }
  including_.push_back(to.files[0]);
  Value included = TRY(read(to));
  including_.pop_back();
  import(model, std::move(included));
  return {};
}

// compose-spec, "Include": conflicts are told, nothing is merged.
void ModelReader::import(Value &model, Value included) {
  for (const std::string_view kind : {"services", "networks", "volumes", "secrets", "configs", "models"}) {
    Value *theirs = included.find(kind);
    if (theirs == nullptr) continue;
    Value &ours = model.get(kind);
    if (ours.kind != Value::Kind::map) ours = Value::of_map(theirs->at);
    for (Member &member : theirs->members) {
      const Value *there = ours.find(member.key);
      if (there == nullptr) {
        ours.members.push_back(std::move(member));
      } else if (!same(*there, member.value)) {
        findings_.error(member.at, "include-conflict",
                        fmt::format("{}.{}: the including file defines it too, as something else", kind, member.key),
                        "give one of them another name, or list an override under include.path");
      }
    }
  }
}

}  // namespace skiff::compose
