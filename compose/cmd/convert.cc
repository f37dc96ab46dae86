#include "compose/convert.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "compose/cmd/project_flags.h"
#include "compose/output.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

constexpr auto flags = std::to_array<cli::FlagSpec>({
    {.name = "output", .letter = 'o', .value = "FILE", .text = "write to this file, in place of standard output"},
});

// The folder that the .ctst file is in, absolute: paths in it are relative to that.
Result<std::string> folder_of(const std::string &output) {
  std::string here = TRY(kernel::getcwd());
  if (output.empty() || output.find('/') == std::string::npos) return here;
  const std::string folder = output.substr(0, std::max<std::size_t>(output.rfind('/'), 1));
  return folder.starts_with('/') ? folder : here + "/" + folder;
}

// The same files without a variable filled in. Null where they make no sense so: "${PORT}:80" is no port.
Result<Value> load_written(LoadRequest request) {
  request.interpolate = false;
  request.resolve_environment = false;
  Loaded loaded = TRY(load_project(request));
  return loaded.findings.has_errors() ? Value{} : std::move(loaded.project.canonical);
}

Result<int> convert(const Context &context) {
  LoadRequest request = TRY(make_load_request(context));
  if (const std::string file = context.argument(0); !file.empty()) request.files = {file};
  request.profiles = {"*"};
  const Loaded loaded = TRY(load_project_for(context, request));
  const Value written = TRY(load_written(request));
  const std::string output = context.flag("output");
  Findings findings;
  const std::string text =
      convert_to_ctst({.project = loaded.project, .written = &written, .folder = TRY(folder_of(output))}, findings);
  for (const Finding &finding : findings.all()) cli::warning(context.log, finding.line());
  if (output.empty()) return print(text);
  const kernel::Fd file = TRY(kernel::open(output, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  TRY(in(output, kernel::write_all(file, text)));
  return 0;
}

}  // namespace

const CommandEntry convert_command = {
    .command = {.name = "convert",
                .usage = "[FILE]",
                .summary = "write a compose.yaml as a .ctst file",
                .description = "What .ctst cannot say becomes a comment in it, and is told on stderr.",
                .flags = flags,
                .max_positionals = 1},
    .run = convert,
    .dry_run = DryRun::reads};

}  // namespace skiff::compose
