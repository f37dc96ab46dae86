#include "imgtool/cmd/copy_flags.h"

namespace skiff::image {
namespace {

constexpr std::array<cli::FlagSpec, 4> flags = {{platform_flag, all_flag, multi_arch_flag, digest_file_flag}};

Result<int> pull(const Context &context) {
  const Reference source = TRY(parse_reference(context.argument(0), Transport::docker));
  Reference kept = TRY(parse_reference(context.argument(context.invocation.positionals.size() - 1), Transport::store));
  if (context.invocation.positionals.size() == 1)
    kept = {.transport = Transport::store, .name = source.name, .path = {}, .tag = {}};
  if (kept.transport != Transport::store || !kept.name) {
    return fail(
        context.argument(1) + ": pull keeps an image in the store",
        source.name ? "copy goes to other places" : "say under which name: pull " + context.argument(0) + " NAME");
  }
  Progress progress(context.progress);
  return report_digest(context, TRY(copy(context.workplace(progress), source, kept, TRY(selection_of(context)))));
}

Result<int> push(const Context &context) {
  const Reference source = TRY(parse_reference(context.argument(0), Transport::store));
  Reference destination{.transport = Transport::docker, .name = source.name, .path = {}, .tag = {}};
  if (context.invocation.positionals.size() == 2) {
    destination = TRY(parse_reference(context.argument(1), Transport::docker));
  }
  if (!destination.name && destination.transport == Transport::docker) {
    return fail(context.argument(0) + ": it has no name in a registry", "say which: push IMAGE DESTINATION");
  }
  // Everything that the store has of it goes out: an index with its images, as it was pulled.
  Selection selection = TRY(selection_of(context));
  if (!context.flags().given("platform")) selection.all = true;
  Progress progress(context.progress);
  return report_digest(context, TRY(copy(context.workplace(progress), source, destination, selection)));
}

}  // namespace

const CommandEntry pull_command = {
    .command = {.name = "pull",
                .usage = "IMAGE [NAME]",
                .summary = "bring an image into the store, from a registry or by its transport",
                .description = "What is there already is not fetched again, and what an earlier pull left unfinished "
                               "is resumed. The digest of the manifest comes on stdout.",
                .flags = flags,
                .min_positionals = 1,
                .max_positionals = 2},
    .run = pull};

const CommandEntry push_command = {
    .command = {.name = "push",
                .usage = "IMAGE [DESTINATION]",
                .summary = "bring an image of the store to a registry, or to any transport",
                .flags = flags,
                .min_positionals = 1,
                .max_positionals = 2},
    .run = push};

}  // namespace skiff::image
