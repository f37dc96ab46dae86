#include <fmt/format.h>

#include "compose/cmd/command.h"
#include "compose/cmd/each_name.h"
#include "compose/filter.h"
#include "compose/output.h"
#include "compose/volume.h"

namespace skiff::compose {
namespace {

constexpr std::array<cli::FlagSpec, 1> rm_flags = {
    {{.name = "force", .letter = 'f', .kind = cli::Kind::Bool, .text = "one that is not there is no error"}}};
constexpr std::array<cli::FlagSpec, 3> prune_flags = {{
    {.name = "all", .letter = 'a', .kind = cli::Kind::Bool, .text = "those with a name as well"},
    {.name = "filter", .kind = cli::Kind::Strings, .value = "KEY=VALUE", .text = "by label"},
    {.name = "force", .letter = 'f', .kind = cli::Kind::Bool, .text = "accepted: nothing is asked"},
}};
constexpr std::array<std::string_view, 1> filter_keys = {"label"};

Status remove_unused(const Places &places, const std::string &name) {
  const std::vector<std::string> users = TRY(users_of_volume(places, name));
  if (users.empty()) return remove_volume(places, name);
  return fail(EBUSY, fmt::format("volume {}: {} has it", name, fmt::join(users, ", ")), "remove that container first");
}

Result<int> remove(const Context &context) {
  const Places places = TRY(find_places(context.global()));
  return for_each_name(context, [&](const std::string &name) -> Status {
    const Result<VolumeRecord> volume = find_volume(places, name);
    if (volume) return remove_unused(places, name);
    if (volume.error().number == ENOENT && context.flags().boolean("force")) return {};
    return std::unexpected(volume.error());
  });
}

Result<int> prune(const Context &context) {
  const Places places = TRY(find_places(context.global()));
  const Filters filters = TRY(Filters::parse(context.flags().strings("filter"), filter_keys));
  std::string removed;
  for (const VolumeRecord &volume : TRY(list_volumes(places))) {
    if (!volume.anonymous && !context.flags().boolean("all")) continue;
    if (!filters.matches_labels(volume.labels)) continue;
    const Status gone = remove_unused(places, volume.name);
    if (!gone && gone.error().number != EBUSY) return std::unexpected(gone.error());
    if (gone) removed += volume.name + "\n";
  }
  return print(removed.empty() ? "" : "Deleted Volumes:\n" + removed);
}

}  // namespace

const CommandEntry volume_rm_command = {.command = {.name = "volume rm",
                                                    .usage = "VOLUME...",
                                                    .summary = "remove volumes that no container has",
                                                    .flags = rm_flags,
                                                    .min_positionals = 1,
                                                    .max_positionals = cli::kUnlimited},
                                        .run = remove};

const CommandEntry volume_prune_command = {.command = {.name = "volume prune",
                                                       .summary = "remove anonymous volumes that no container has",
                                                       .flags = prune_flags},
                                           .run = prune};

}  // namespace skiff::compose
