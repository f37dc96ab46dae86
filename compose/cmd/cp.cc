#include <fmt/format.h>

#include <algorithm>

#include "compose/cmd/project_scope.h"
#include "compose/finding.h"
#include "compose/output.h"
#include "compose/project_state.h"
#include "compose/tree_copy.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/tty.h"

namespace skiff::compose {
namespace {

constexpr auto flags = std::to_array<cli::FlagSpec>({
    {.name = "archive", .letter = 'a', .kind = cli::Kind::Bool, .text = "keep the owners' ids"},
    {.name = "follow-link",
     .letter = 'L',
     .kind = cli::Kind::Bool,
     .text = "copy what a symbolic link leads to, where the source is one"},
    {.name = "quiet", .letter = 'q', .kind = cli::Kind::Bool, .text = "say nothing on a terminal"},
    {.name = "index",
     .kind = cli::Kind::Uint32,
     .value = "N",
     .text = "of a service with several containers, which one"},
    {.name = "all", .kind = cli::Kind::Bool, .text = "the service's containers of `run`, too"},
});

enum class Direction : std::uint8_t { in, out };

// Into a service is into all of its containers, out of it out of the first one: as docker compose has it.
Result<std::vector<Container>> find_containers(const Context &context, const Engine &engine, const std::string &name,
                                               Direction direction) {
  const std::optional<Scope> scope = TRY(find_scope_of_names(context, engine, {name}));
  std::vector<Container> found;
  if (!scope) {
    found.push_back(TRY(find_container(engine.places, name)));
    return found;
  }
  const std::uint32_t number = context.flags().uint32("index").value_or(0);
  const bool one_off = context.flags().boolean("all");
  for (Container &one : TRY(containers_of_project(engine.places, scope->name))) {
    const bool wanted = one.record.service == name && (one_off || !one.record.one_off);
    if (wanted && (number == 0 || one.record.number == number)) found.push_back(std::move(one));
  }
  if (found.empty()) {
    return fail(ENOENT,
                number > 0 ? fmt::format("service {} has no container {}", name, number)
                           : fmt::format("service {} has no container", name),
                "up makes it");
  }
  if (direction == Direction::out) found.resize(1);
  return found;
}

Result<CopySide> host_side(const CopyWord &word) {
  return CopySide{
      .view = nullptr, .path = parse_copy_path(word.path, TRY(kernel::getcwd())), .stream = word.is_stream()};
}

Result<int> run(const Context &context) {
  const CopyWord from = parse_copy_word(context.argument(0));
  const CopyWord to = parse_copy_word(context.argument(1));
  if (!from.container.empty() && !to.container.empty()) {
    return fail(finding_number, "cp: both are paths in containers",
                "copy to the host first, or pipe one's - into the other's");
  }
  if (from.container.empty() && to.container.empty()) {
    return fail(finding_number, "cp: neither is a path in a container", "write one as CONTAINER:PATH");
  }
  const bool out = !from.container.empty();
  const CopyWord &inside = out ? from : to;
  if (inside.path.empty())
    return fail(finding_number, fmt::format("cp: {}: names no path", context.argument(out ? 0 : 1)));
  const CopySide host = TRY(host_side(out ? to : from));
  if (out && host.stream && kernel::is_terminal(kernel::FdView(1))) {
    return fail("cp: stdout is a terminal", "redirect it");
  }
  const CopyOptions options{.archive = context.flags().boolean("archive"),
                            .follow_link = context.flags().boolean("follow-link")};
  const bool says = kernel::is_terminal(kernel::FdView(2)) && !context.flags().boolean("quiet") && !host.stream;
  const Engine engine = TRY(open_engine(context.global(), context.log));
  for (const Container &container :
       TRY(find_containers(context, engine, inside.container, out ? Direction::out : Direction::in))) {
    const std::string place = fmt::format("{}:{}", container.record.name, inside.path);
    const std::string line = out ? fmt::format("{} to {}", place, to.path) : fmt::format("{} to {}", from.path, place);
    if (context.global().boolean("dry-run")) {
      TRY(print("copy " + line + "\n"));
      continue;
    }
    const ContainerView view = TRY(ContainerView::open(engine.places, container));
    const CopySide there{.view = &view, .path = parse_copy_path(inside.path, "/"), .stream = false};
    TRY(in(place, copy_tree_between(engine, out ? there : host, out ? host : there, options)));
    if (says) TRY(kernel::write_all(kernel::FdView(2), "Copied " + line + "\n"));
  }
  return 0;
}

}  // namespace

const CommandEntry cp_command = {
    .command =
        {.name = "cp",
         .usage = "CONTAINER|SERVICE:PATH PATH|- or PATH|- CONTAINER|SERVICE:PATH",
         .summary = "copy files into a container or out of it, whether it runs or not",
         .description =
             "A file goes into a directory that is there, or becomes the path itself; a directory that ends in "
             "\"/.\" is its content. A directory that is missing is made of a directory alone, and its parent "
             "has to be there. - is a tar stream: out of the container on standard output, into it from standard "
             "input, where the path is a directory. What comes in is root's and what comes out the caller's; "
             "with -a, and for a tar stream, the ids are kept. Into a service is into each of its containers, "
             "out of it out of the first.",
         .flags = flags,
         .min_positionals = 2,
         .max_positionals = 2,
         .joined_values = true},
    .run = run,
    .dry_run = DryRun::shown};

}  // namespace skiff::compose
