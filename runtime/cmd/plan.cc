#include "runtime/plan.h"

#include <fmt/format.h>

#include "runtime/bundle.h"
#include "runtime/cmd/cgroup_flags.h"
#include "runtime/cmd/command.h"
#include "runtime/host_probe.h"
#include "runtime/output.h"
#include "runtime/plan_text.h"

namespace skiff {
namespace {

constexpr std::array<cli::FlagSpec, 4> flags = {{
    {.name = "bundle",
     .letter = 'b',
     .value = "DIR",
     .text = "the bundle's directory, as an alternative to the argument"},
    {.name = "no-pivot", .kind = cli::Kind::Bool, .text = "plan for create --no-pivot"},
    {.name = "no-new-keyring", .kind = cli::Kind::Bool, .text = "plan for create --no-new-keyring"},
    {.name = "preserve-fds", .kind = cli::Kind::Uint32, .value = "N", .text = "plan for create --preserve-fds N"},
}};

Result<int> run(const Context &context) {
  const auto &words = context.invocation.positionals;
  const Bundle bundle = TRY(load_bundle(words.empty() ? context.flag("bundle") : std::string(words.front())));
  Host host = TRY(read_host());
  // What root would do: reading a plan needs no privilege.
  host.privileged = true;
  host.uid = 0;
  host.gid = 0;
  host.capabilities = ~std::uint64_t{0};
  const Plan plan = TRY(make_plan(bundle.config, host,
                                  {.id = "CONTAINER",
                                   .bundle = bundle.path,
                                   .no_pivot = context.flags().boolean("no-pivot"),
                                   .no_new_keyring = context.flags().boolean("no-new-keyring"),
                                   .systemd_cgroup = wants_systemd_cgroup(context.invocation.global),
                                   .disable_cgroups = context.invocation.global.string("cgroup-manager") == "disabled",
                                   .preserve_fds = context.flags().uint32("preserve-fds").value_or(0)}));
  for (const std::string &warning : plan.warnings) cli::warning(context.log, warning);
  return print(describe(plan));
}

}  // namespace

const CommandEntry plan_command = {
    .command = {.name = "plan",
                .usage = "[BUNDLE]",
                .summary = "print every step that create would take, without taking any",
                .description = "Needs no privileges and touches nothing. The lines are those that --debug shows with "
                               "their results while a container is made.",
                .flags = flags,
                .min_positionals = 0,
                .max_positionals = 1},
    .run = run};

}  // namespace skiff
