#include "compose/cmd/project_flags.h"

#include <string_view>
#include <utility>

#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

std::vector<std::string> all_of(const cli::Flags &flags, std::string_view name) {
  std::vector<std::string> values;
  for (const std::string_view value : flags.strings(name)) values.emplace_back(value);
  return values;
}

}  // namespace

Result<LoadRequest> make_load_request(const Context &context, std::vector<std::string> targets) {
  const cli::Flags &flags = context.global();
  LoadRequest request;
  request.files = all_of(flags, "file");
  request.project_name = flags.string("project-name");
  request.project_directory = flags.string("project-directory");
  request.env_files = all_of(flags, "env-file");
  request.profiles = all_of(flags, "profile");
  request.import_paths = all_of(flags, "import-path");
  request.targets = std::move(targets);
  request.offline = flags.boolean("offline");
  request.environment = process_environment();
  request.working_directory = TRY(kernel::getcwd());
  return request;
}

Result<Loaded> load_project_for(const Context &context, const LoadRequest &request) {
  Loaded loaded = TRY(load_project(request));
  if (loaded.findings.has_errors()) return std::unexpected(as_error(loaded.findings));
  for (const Finding &finding : loaded.findings.all()) {
    const bool note = finding.level == Finding::Level::note;
    cli::write_log(context.log, note ? cli::Level::Info : cli::Level::Warning, finding.line());
  }
  return loaded;
}

Result<Loaded> load_project_for(const Context &context, std::vector<std::string> targets) {
  return load_project_for(context, TRY(make_load_request(context, std::move(targets))));
}

}  // namespace skiff::compose
