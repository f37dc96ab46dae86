#include "compose/cmd/each_name.h"

#include "compose/output.h"

namespace skiff::compose {

Result<int> for_each_name(const Context &context, const std::function<Status(const std::string &name)> &act) {
  std::optional<Error> failed;
  for (const std::string_view word : context.invocation.positionals) {
    const std::string name(word);
    const Status done = act(name);
    if (done) {
      TRY(print(name + "\n"));
    } else if (failed) {
      failed->text = failed->message() + "\n" + done.error().message();
      failed->number = 0;
      failed->remedy.clear();
    } else {
      failed = done.error();
    }
  }
  if (failed) return std::unexpected(*failed);
  return 0;
}

}  // namespace skiff::compose
