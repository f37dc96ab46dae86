// The two ends of a pipe through which `skiff-compose cp` copies. Hidden: they are no way to work with images.
#include <fmt/format.h>

#include "imgtool/cmd/command.h"
#include "imgtool/output.h"
#include "imgtool/tree_stream.h"
#include "runtime/cli/value.h"

namespace skiff::image {
namespace {

constexpr std::array<cli::FlagSpec, 2> send_flags = {{
    {.name = "as", .value = "NAME", .text = "call it so in the archive; \".\": what is in the directory, at the top"},
    {.name = "reproducible", .kind = cli::Kind::Bool, .text = "leave owners, times and attributes out"},
}};

constexpr std::array<cli::FlagSpec, 2> receive_flags = {{
    {.name = "owner", .value = "UID:GID", .text = "whose everything becomes, whatever the archive says"},
    {.name = "follow-links", .kind = cli::Kind::Bool, .text = "go through symbolic links below the directory"},
}};

// As a shell has it of a program that SIGPIPE ended: whoever runs the other end has heard the reason from it.
constexpr int nobody_reads = 141;

Result<int> run_send(const Context &context) {
  const std::string name = context.argument(0);
  const SentTree tree{.name = name,
                      .as = context.flags().given("as") ? context.flag("as") : name,
                      .reproducible = context.flags().boolean("reproducible")};
  const Status sent = send_tree(kernel::FdView(0), tree, [](std::span<const char> bytes) {
    return kernel::write_all(kernel::FdView(1), std::string_view(bytes.data(), bytes.size()));
  });
  if (!sent && sent.error().number == EPIPE) return nobody_reads;
  TRY(sent);
  return 0;
}

Result<CopyRules::Owner> parse_owner(const std::string &text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const auto uid = cli::parse_number<std::uint32_t>(text.substr(0, colon));
  const auto gid = cli::parse_number<std::uint32_t>(text.substr(std::min(colon + 1, text.size())));
  if (!uid || !gid) return fail(fmt::format("--owner: \"{}\" is no UID:GID", text));
  return CopyRules::Owner{.uid = *uid, .gid = *gid};
}

Result<int> run_receive(const Context &context) {
  CopyRules rules{.owner = {}, .follow_links = context.flags().boolean("follow-links")};
  if (context.flags().given("owner")) rules.owner = TRY(parse_owner(context.flag("owner")));
  const auto read = [](std::span<char> into) { return kernel::read_some(kernel::FdView(0), into); };
  for (const std::string &warning : TRY(receive_tree(read, kernel::FdView(1), rules))) {
    cli::write_log(context.log, cli::Level::Warning, warning);
  }
  return 0;
}

}  // namespace

const CommandEntry tree_send_command = {
    .command = {.name = "tree-send",
                .usage = "NAME",
                .summary =
                    "write one name of the directory that stdin is, with all below it, to stdout as a tar stream",
                .flags = send_flags,
                .min_positionals = 1,
                .max_positionals = 1,
                .hidden = true},
    .run = run_send};

const CommandEntry tree_receive_command = {
    .command = {.name = "tree-receive",
                .summary = "unpack the tar stream on stdin into the directory that stdout is",
                .flags = receive_flags,
                .hidden = true},
    .run = run_receive};

}  // namespace skiff::image
