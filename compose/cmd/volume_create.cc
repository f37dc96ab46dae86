#include "compose/cmd/command.h"
#include "compose/filter.h"
#include "compose/output.h"
#include "compose/volume.h"

namespace skiff::compose {
namespace {

constexpr std::array<cli::FlagSpec, 3> flags = {{
    {.name = "driver", .letter = 'd', .value = "DRIVER", .text = "what keeps it", .initial = "local"},
    {.name = "opt", .letter = 'o', .kind = cli::Kind::Strings, .value = "KEY=VALUE", .text = "type, o or device"},
    {.name = "label", .kind = cli::Kind::Strings, .value = "KEY=VALUE", .text = "a label"},
}};

Result<int> run(const Context &context) {
  const Places places = TRY(find_places(context.global()));
  VolumeRecord wanted{.name = context.argument(0), .driver = context.flag("driver")};
  wanted.options = labels_of(context.flags().strings("opt"));
  wanted.labels = labels_of(context.flags().strings("label"));
  if (wanted.name.empty()) {
    wanted.name = TRY(make_id());
    wanted.anonymous = true;
  }
  TRY(make_places(places));
  const MadeVolume made = TRY(create_volume(places, wanted));
  return print(made.record.name + "\n");
}

}  // namespace

const CommandEntry volume_create_command = {.command = {.name = "volume create",
                                                        .usage = "[VOLUME]",
                                                        .summary = "make a volume",
                                                        .flags = flags,
                                                        .max_positionals = 1},
                                            .run = run};

}  // namespace skiff::compose
