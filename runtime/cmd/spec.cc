#include <unistd.h>

#include "runtime/bundle.h"
#include "runtime/cmd/command.h"
#include "runtime/host_probe.h"
#include "spec/config.h"

namespace skiff {
namespace {

constexpr std::array<cli::FlagSpec, 2> flags = {{
    {.name = "bundle", .letter = 'b', .value = "DIR", .text = "where to write it, instead of the working directory"},
    {.name = "rootless",
     .kind = cli::Kind::Bool,
     .text = "for a user without privileges: a user namespace, no cgroups"},
}};

Result<int> run(const Context &context) {
  spec::Config config = context.flags().boolean("rootless") ? spec::make_rootless_config(::geteuid(), ::getegid())
                                                            : spec::make_default_config();
  // Of cgroup v1 a container sees only its own cgroups anyway, by the mounts; and callers look for it by its path.
  if (TRY(read_host()).cgroups != Host::Cgroups::unified) {
    std::erase_if(config.linux_.namespaces,
                  [](const spec::Namespace &entry) { return entry.type == spec::NamespaceType::cgroup; });
  }
  TRY(write_config(context.flag("bundle"), config));
  return 0;
}

}  // namespace

const CommandEntry spec_command = {
    .command = {.name = "spec", .summary = "write a config.json to start from", .flags = flags}, .run = run};

}  // namespace skiff
