#include "compose/load.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "compose/ctst.h"
#include "compose/finish.h"
#include "compose/interpolate.h"
#include "compose/model.h"
#include "compose/project_files.h"
#include "compose/project_name.h"
#include "compose/resolve_paths.h"
#include "compose/service_environment.h"

namespace skiff::compose {
namespace {

bool is_ctst(std::string_view path) { return path.ends_with(".ctst"); }

class Loader {
 public:
  explicit Loader(const LoadRequest &request) : request_(request) {}

  Result<Loaded> load() {
    files_ = TRY(find_project_files(request_, sources_, loaded_.findings));
    const bool ctst = std::ranges::any_of(files_.files, is_ctst);
    if (ctst && files_.files.size() != 1) {
      return fail(fmt::format("{}: a .ctst file is read alone", files_.files[0]),
                  "name one file with -f; a .ctst file takes others in with IMPORT");
    }
    Value model = TRY(ctst ? read_ctst() : read_compose());
    loaded_.project = finish(std::move(model), ctst);
    loaded_.project.environment = std::move(files_.environment);
    loaded_.sources = sources_.all();
    return std::move(loaded_);
  }

 private:
  Result<Value> read_ctst() {
    const std::string &path = files_.files[0];
    const Source *source = TRY(sources_.read(path));
    files_read_ = files_.files;
    TRY(choose_name({}));
    CtstModel model = load_ctst({.path = path,
                                 .text = source->text,
                                 .directory = parent_path(path),
                                 .environment = files_.environment,
                                 .import_paths = request_.import_paths,
                                 .offline = request_.offline,
                                 .cache_directory = ctst_cache_directory(files_.environment),
                                 .secrets_directory = ctst_secrets_directory(files_.environment, geteuid() == 0),
                                 .need_secrets = request_.need_secrets,
                                 .fetch = {}},
                                loaded_.findings);
    sources_.add(model.sources);
    return std::move(model.model);
  }

  Result<Value> read_compose() {
    ModelReader reader(sources_, loaded_.findings,
                       {.interpolate = request_.interpolate,
                        .resolve_paths = request_.resolve_paths,
                        .home = variable("HOME").value_or("")});
    TRY(choose_name(files_.files));
    Value model = TRY(reader.read({files_.files, files_.directory, files_.environment}));
    if (model.members.empty() && !loaded_.findings.has_errors()) {
      return fail(finding_number, fmt::format("{}: nothing stands in it", files_.files[0]),
                  "it begins with `services:`");
    }
    files_read_ = reader.files();
    return model;
  }

  [[nodiscard]] std::optional<std::string> variable(const std::string &name) const {
    const auto found = files_.environment.find(name);
    return found == files_.environment.end() ? std::nullopt : std::optional(found->second);
  }

  // compose-spec, "Name top-level element": the flag, the variable, the last file that says one, the folder. It is
  // known before anything is interpolated, because files may use $COMPOSE_PROJECT_NAME.
  Status choose_name(const std::vector<std::string> &files) {
    name_ = request_.project_name;
    if (name_.empty()) name_ = variable("COMPOSE_PROJECT_NAME").value_or("");
    if (!name_.empty() && !is_project_name(name_)) {
      return fail(fmt::format("\"{}\" is no name for a project", name_), remedy_of_name);
    }
    if (name_.empty()) TRY(name_of_files(files));
    if (name_.empty()) name_ = make_project_name(files_.directory.substr(files_.directory.rfind('/') + 1));
    if (name_.empty())
      return fail(fmt::format("{}: no name for a project comes out of this", files_.directory), "-p NAME");
    files_.environment["COMPOSE_PROJECT_NAME"] = name_;
    return {};
  }

  Status name_of_files(const std::vector<std::string> &files) {
    // Read for their names alone: what else is wrong is told when they are read.
    Findings ignored;
    for (const std::string &path : files) {
      ModelReader reader(sources_, ignored, {});
      const std::vector<Value> documents = TRY(reader.parse({path}));
      for (const Value &document : documents) name_of(document);
    }
    return {};
  }

  void name_of(const Value &document) {
    const Value *name = document.find("name");
    if (name == nullptr || !name->is_scalar() || name->kind == Value::Kind::null) return;
    const Variables variables = [&](const std::string &one) { return variable(one); };
    name_ = request_.interpolate ? expand(name->text, variables).text : name->text;
    if (is_project_name(name_)) return;
    loaded_.findings.error(name->at, "project-name", fmt::format("name: \"{}\" is no name for a project", name_),
                           remedy_of_name);
  }

  Project finish(Value model, bool ctst) {
    ProjectFacts facts{.name = name_,
                       .directory = files_.directory,
                       .files = files_read_,
                       .profiles = files_.profiles,
                       .targets = request_.targets,
                       .home = variable("HOME").value_or(""),
                       .prepared = !ctst,
                       .read_environment = {},
                       .resolve_paths = request_.resolve_paths,
                       .normalize = request_.normalize,
                       .check = request_.check,
                       .decode = request_.interpolate || ctst};
    if (request_.resolve_environment && !ctst) {
      facts.read_environment = [&](Value &service, Findings &findings) {
        read_service_environment(service, files_.environment, sources_, findings);
      };
    }
    return finish_project(std::move(model), facts, loaded_.findings);
  }

  static constexpr const char *remedy_of_name =
      "it is made of lower case letters, digits, - and _, and begins with a letter or a digit";

  const LoadRequest &request_;
  SourceFiles sources_;
  Loaded loaded_;
  ProjectFiles files_;
  std::string name_;
  std::vector<std::string> files_read_;
};

}  // namespace

Result<Loaded> load_project(const LoadRequest &request) { return Loader(request).load(); }

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> all;
  for (char **entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t sign = text.find('=');
    if (sign != std::string_view::npos && sign > 0) all.emplace(text.substr(0, sign), text.substr(sign + 1));
  }
  return all;
}

}  // namespace skiff::compose
