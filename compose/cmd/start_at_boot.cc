#include "compose/cmd/start_at_boot.h"

#include <fmt/format.h>

#include <map>

#include "compose/cmd/project_flags.h"
#include "compose/cmd/project_scope.h"
#include "compose/file_mounts.h"
#include "compose/lifecycle.h"
#include "compose/output.h"
#include "compose/parallel.h"
#include "compose/project_labels.h"
#include "compose/restart_policy.h"
#include "compose/split.h"

namespace skiff::compose {
namespace {

// The files of secrets and configs went with the tmpfs. They are written as the project's file says, which the labels
// of its containers name.
Status write_files(const Context &context, const Engine &engine, const ContainerRecord &record) {
  LoadRequest request = TRY(make_load_request(context));
  request.project_name = record.project;
  request.project_directory = label_of(record.labels, directory_label);
  const std::string files = label_of(record.labels, files_label);
  request.files.clear();
  for (const std::string_view file : split_at(files, ',')) request.files.emplace_back(file);
  request.profiles = {"*"};
  const Loaded loaded = TRY(load_project_for(context, request));
  for (const Service &service : loaded.project.services) {
    TRY(in(fmt::format("service {}", service.name), make_file_mounts(engine.places, loaded.project, service)));
  }
  return {};
}

Result<std::vector<Container>> wanted_at_boot(const Places &places) {
  const std::string boot_id = TRY(read_boot_id());
  std::vector<Container> wanted = TRY(list_containers(places));
  std::erase_if(wanted, [&](const Container &one) {
    return one.state.is_running() || !wants_start_at_boot(one.record.restart, one.state.run, boot_id);
  });
  return wanted;
}

}  // namespace

Result<int> start_at_boot(const Context &context) {
  if (!context.invocation.positionals.empty()) {
    return fail(finding_number, "start: --restart-policies says which ones", "leave the names out");
  }
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const std::vector<Container> wanted = TRY(wanted_at_boot(engine.places));
  if (is_dry_run(context)) return print_dry_run(context, wanted);
  std::map<std::string, const ContainerRecord *> projects;
  for (const Container &one : wanted) {
    if (!label_of(one.record.labels, files_label).empty()) projects.emplace(one.record.project, &one.record);
  }
  for (const auto &[name, record] : projects) {
    const Status written = write_files(context, engine, *record);
    if (!written) cli::warning(context.log, in(fmt::format("project {}", name), written.error()).message());
  }
  std::vector<Job> jobs;
  for (const Container &one : wanted) {
    jobs.push_back({.task = {.name = one.record.name}, .run = [&]() -> Result<std::string> {
                      TRY(start_container(engine, one.id(), {}));
                      return one.record.name;
                    }});
  }
  const std::vector<Outcome> outcomes = TRY(run_parallel(jobs, {.limit = parallel_of(context)}));
  for (const Outcome &outcome : outcomes) {
    if (!outcome.error) TRY(print(outcome.answer + "\n"));
  }
  TRY(gather_failures(jobs, outcomes));
  return 0;
}

}  // namespace skiff::compose
