#include <fmt/format.h>

#include "imgtool/cmd/command.h"
#include "imgtool/output.h"
#include "spec/writer.h"

namespace skiff::image {
namespace {

constexpr std::array<cli::FlagSpec, 1> flags = {{
    {.name = "format",
     .letter = 'f',
     .value = "FORMAT",
     .text = "how to print them",
     .choices = "lines|json",
     .initial = "lines"},
}};

struct Tags {
  std::string repository;
  std::vector<std::string> tags;
};

void fields(spec::Writer &v, const Tags &tags) {
  v.always("Repository", tags.repository);
  v.always("Tags", tags.tags);
}

Result<int> run(const Context &context) {
  const Reference reference = TRY(parse_reference(context.argument(0), Transport::docker));
  if (reference.transport != Transport::docker) return fail(context.argument(0) + ": only a registry has tags to list");
  Progress progress(context.progress);
  Registry registry = TRY(Registry::open(*reference.name, context.registry, progress));
  const Tags tags{.repository = reference.name->registry + "/" + reference.name->repository,
                  .tags = TRY(registry.list_tags())};
  if (context.flag("format") == "json") return print(spec::Writer("  ").document(tags) + "\n");
  std::string lines;
  for (const std::string &tag : tags.tags) lines += tag + "\n";
  return print(lines);
}

}  // namespace

const CommandEntry search_tags_command = {.command = {.name = "search-tags",
                                                      .usage = "NAME",
                                                      .summary = "list the tags of a registry's repository",
                                                      .flags = flags,
                                                      .min_positionals = 1,
                                                      .max_positionals = 1},
                                          .run = run};
// skopeo's name for it, and its format.
constexpr std::array<cli::FlagSpec, 1> skopeo_flags = {
    {{.name = "format", .value = "FORMAT", .text = "how to print them", .choices = "lines|json", .initial = "json"}}};
const CommandEntry list_tags_command = {.command = {.name = "list-tags",
                                                    .usage = "NAME",
                                                    .summary = "list the tags of a registry's repository",
                                                    .flags = skopeo_flags,
                                                    .min_positionals = 1,
                                                    .max_positionals = 1,
                                                    .hidden = true},
                                        .run = run};

}  // namespace skiff::image
