#include "compose/service_environment.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "compose/dotenv.h"

namespace skiff::compose {
namespace {

class Reader {
 public:
  Reader(const std::map<std::string, std::string> &environment, SourceFiles &sources, Findings &findings)
      : sources_(sources), findings_(findings), variables_([&](const std::string &name) -> std::optional<std::string> {
          const auto found = environment.find(name);
          return found == environment.end() ? std::nullopt : std::optional(found->second);
        }) {}

  void read_environment(Value &service) {
    Value all = Value::of_map(service.at);
    if (const Value *files = service.find("env_file")) {
      for (const Value &file : files->items) add_file(file, all);
    }
    overlay(service, "environment", std::move(all));
    service.remove("env_file");
    if (Value *own = service.find("environment")) take_from_here(*own);
    Value *build = service.find("build");
    Value *arguments = build == nullptr ? nullptr : build->find("args");
    if (arguments == nullptr) return;
    take_from_here(*arguments);
    // An argument without a value anywhere keeps the Dockerfile's own.
    std::erase_if(arguments->members, [](const Member &member) { return member.value.kind == Value::Kind::null; });
  }

  void read_labels(Value &service) {
    Value all = Value::of_map(service.at);
    if (const Value *files = service.find("label_file")) {
      for (const Value &file : files->items) add_entries(file.text, file.at, false, true, all);
    }
    overlay(service, "labels", std::move(all));
    service.remove("label_file");
  }

 private:
  void add_file(const Value &file, Value &into) {
    const Value *path = file.find("path");
    if (path == nullptr) {
      findings_.error(file.at, "env-file", "env_file: path is missing");
      return;
    }
    const Value *format = file.find("format");
    const Value *required = file.find("required");
    add_entries(path->text, path->at, format != nullptr && format->text == "raw",
                required == nullptr || required->text != "false", into);
  }

  void add_entries(const std::string &path, Position at, bool raw, bool required, Value &into) {
    const Result<const Source *> source = sources_.read(path);
    if (!source) {
      if (required || source.error().number != ENOENT) {
        findings_.error(at, "env-file", source.error().message(), "`required: false` allows it to be missing");
      }
      return;
    }
    for (DotenvEntry &entry :
         raw ? parse_raw_env(**source, findings_) : parse_dotenv(**source, variables_, findings_)) {
      Value value;
      value.at = at;
      if (entry.value) value = Value::of_string(std::move(*entry.value), at);
      into.get(entry.name) = std::move(value);
    }
  }

  static void overlay(Value &service, std::string_view key, Value files) {
    if (files.members.empty()) return;
    if (const Value *own = service.find(key)) {
      for (const Member &member : own->members) files.get(member.key) = member.value;
    }
    service.get(key) = std::move(files);
  }

  void take_from_here(Value &all) {
    for (Member &member : all.members) {
      if (member.value.kind != Value::Kind::null) continue;
      if (std::optional<std::string> text = variables_(member.key)) {
        member.value = Value::of_string(std::move(*text), member.value.at);
      }
    }
  }

  SourceFiles &sources_;
  Findings &findings_;
  Variables variables_;
};

}  // namespace

void read_service_environment(Value &service, const std::map<std::string, std::string> &environment,
                              SourceFiles &sources, Findings &findings) {
  if (service.kind != Value::Kind::map) return;
  Reader reader(environment, sources, findings);
  reader.read_environment(service);
  reader.read_labels(service);
}

}  // namespace skiff::compose
