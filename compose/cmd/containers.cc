#include "compose/cmd/containers.h"

#include <fmt/format.h>

#include "compose/output.h"

namespace skiff::compose {

Result<int> for_each_container(const Context &context, const EachContainer &act) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  std::vector<Error> errors;
  for (const std::string_view name : context.invocation.positionals) {
    const Result<std::string> id = find_id(engine.places, std::string(name));
    const Status done = id ? act(engine, *id) : std::unexpected(id.error());
    if (done) {
      TRY(print(fmt::format("{}\n", name)));
    } else {
      errors.push_back(done.error());
    }
  }
  if (errors.empty()) return 0;
  if (errors.size() == 1) return std::unexpected(std::move(errors.front()));
  std::string all = fmt::format("{} containers failed:", errors.size());
  for (const Error &error : errors) all += "\n  " + error.message();
  return std::unexpected(Error{.number = 0, .text = std::move(all), .remedy = {}});
}

}  // namespace skiff::compose
