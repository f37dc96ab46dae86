#include "imgtool/cmd/command.h"
#include "imgtool/store.h"
#include "imgtool/stored_image.h"

namespace skiff::image {
namespace {

Result<int> run(const Context &context) {
  const Layout store = TRY(open_store(context.store, LayoutAccess::write));
  const kernel::Fd lock = TRY(store.lock_shared());
  const StoredImage image = TRY(find_stored(store, context.argument(0)));
  for (std::size_t i = 1; i < context.invocation.positionals.size(); ++i) {
    const ImageName name = TRY(parse_image_name(context.argument(i)));
    if (name.digest.valid()) return fail(context.argument(i) + ": a digest is no name to give", "name it with a tag");
    TRY(store.set_name(name.text(), image.root));
  }
  return 0;
}

}  // namespace

const CommandEntry tag_command = {.command = {.name = "tag",
                                              .usage = "IMAGE NAME...",
                                              .summary = "give an image of the store further names",
                                              .min_positionals = 2,
                                              .max_positionals = cli::kUnlimited},
                                  .run = run};

}  // namespace skiff::image
