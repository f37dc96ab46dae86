#include "imgtool/cmd/copy_flags.h"

#include "imgtool/output.h"
#include "runtime/kernel/fd.h"

namespace skiff::image {

Result<Selection> selection_of(const Context &context) {
  const cli::Flags &flags = context.flags();
  Selection selection{.all = flags.boolean("all") || flags.string("multi-arch") == "all",
                      .platform = TRY(context.platform())};
  if (selection.all && flags.given("platform")) {
    return fail("--all and --platform contradict each other", "leave one of them out");
  }
  return selection;
}

std::optional<Login> login_of(std::string_view creds) {
  if (creds.empty()) return std::nullopt;
  const std::size_t colon = creds.find(':');
  return Login{.user = std::string(creds.substr(0, colon)),
               .password = colon == std::string_view::npos ? "" : std::string(creds.substr(colon + 1)),
               .identity_token = {}};
}

Result<int> report_digest(const Context &context, const spec::Descriptor &image) {
  if (const std::string path = context.flag("digestfile"); !path.empty()) {
    const kernel::Fd file = TRY(kernel::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
    TRY(in(path, kernel::write_all(file, image.digest)));
  }
  return print(image.digest + "\n");
}

}  // namespace skiff::image
