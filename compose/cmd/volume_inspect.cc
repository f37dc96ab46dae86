#include "compose/cmd/command.h"
#include "compose/cmd/format_flag.h"
#include "compose/output.h"
#include "compose/volume.h"
#include "spec/writer.h"

namespace skiff::compose {
namespace {

constexpr auto flags = std::to_array<cli::FlagSpec>({
    format_flag("json", 'f'),
});

// docker's document.
struct Details {
  VolumeRecord volume;
  std::string mountpoint;
};

void fields(spec::Writer &v, const Details &details) {
  v.always("CreatedAt", details.volume.created);
  v.always("Driver", std::string("local"));
  v.always("Labels", details.volume.labels);
  v.always("Mountpoint", details.mountpoint);
  v.always("Name", details.volume.name);
  v.always("Options", details.volume.options);
  v.always("Scope", std::string("local"));
}

Result<int> run(const Context &context) {
  const Places places = TRY(find_places(context.global()));
  std::vector<Details> all;
  for (const std::string_view name : context.invocation.positionals) {
    const VolumeRecord volume = TRY(find_volume(places, std::string(name)));
    all.push_back({.volume = volume, .mountpoint = volume_path(places, volume)});
  }
  return print(spec::Writer("    ").document(all) + "\n");
}

}  // namespace

const CommandEntry volume_inspect_command = {.command = {.name = "volume inspect",
                                                         .usage = "VOLUME...",
                                                         .summary = "print what a volume is",
                                                         .flags = flags,
                                                         .min_positionals = 1,
                                                         .max_positionals = cli::kUnlimited},
                                             .run = run,
                                             .dry_run = DryRun::reads};

}  // namespace skiff::compose
