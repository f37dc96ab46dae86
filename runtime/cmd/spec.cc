#include <unistd.h>

#include "runtime/bundle.h"
#include "runtime/cmd/command.h"
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
  const spec::Config config = context.flags().boolean("rootless") ? spec::make_rootless_config(::geteuid(), ::getegid())
                                                                  : spec::make_default_config();
  TRY(write_config(context.flag("bundle"), config));
  return 0;
}

}  // namespace

const CommandEntry spec_command = {
    .command = {.name = "spec", .summary = "write a config.json to start from", .flags = flags}, .run = run};

}  // namespace skiff
