#include <fmt/format.h>

#include "imgtool/cmd/command.h"
#include "imgtool/output.h"
#include "imgtool/store.h"
#include "imgtool/stored_image.h"

namespace skiff::image {
namespace {

constexpr std::array<cli::FlagSpec, 2> flags = {{
    {.name = "force", .letter = 'f', .kind = cli::Kind::Bool, .text = "no error where there is no such image"},
    {.name = "all", .letter = 'a', .kind = cli::Kind::Bool, .text = "every image of the store"},
}};

// A name loses that name alone; a digest, or an image id, loses all of them.
Status remove(const Layout &store, const std::string &text) {
  const StoredImage image = TRY(find_stored(store, text));
  const Result<ImageName> name = parse_image_name(text);
  const bool by_name = name && name->text() == image.name;
  for (const StoredImage &each : TRY(list_stored(store))) {
    if (by_name ? each.name == image.name : each.root.digest == image.root.digest) {
      TRY(store.remove_name(each.name));
      TRY(print(fmt::format("Untagged: {}\n", each.name)));
    }
  }
  return {};
}

Result<int> run(const Context &context) {
  const bool all = context.flags().boolean("all");
  if (!all && context.invocation.positionals.empty()) {
    return fail("rm: requires an image", "name one, or remove all of them by --all");
  }
  const Layout store = TRY(open_store(context.store, LayoutAccess::write));
  if (all) {
    for (const StoredImage &image : TRY(list_stored(store))) TRY(store.remove_name(image.name));
    return 0;
  }
  for (std::size_t i = 0; i < context.invocation.positionals.size(); ++i) {
    const Status removed = remove(store, context.argument(i));
    const bool missing = !removed && removed.error().number == ENOENT;
    if (!removed && !(missing && context.flags().boolean("force"))) return std::unexpected(removed.error());
  }
  return 0;
}

}  // namespace

const CommandEntry rm_command = {
    .command = {.name = "rm",
                .usage = "IMAGE...",
                .summary = "take a name from the store; prune then removes what no image needs",
                .flags = flags,
                .max_positionals = cli::kUnlimited},
    .run = run};
const CommandEntry rmi_command = {.command = {.name = "rmi",
                                              .usage = "IMAGE...",
                                              .summary = "the same as rm",
                                              .flags = flags,
                                              .max_positionals = cli::kUnlimited,
                                              .hidden = true},
                                  .run = run};

}  // namespace skiff::image
