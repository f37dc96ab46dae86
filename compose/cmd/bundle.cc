#include "compose/bundle.h"

#include <fmt/format.h>

#include "compose/cmd/project_flags.h"
#include "compose/engine.h"
#include "compose/output.h"

namespace skiff::compose {
namespace {

constexpr auto bundle_flags = std::to_array<cli::FlagSpec>({
    {.name = "output", .letter = 'o', .value = "FILE", .text = "write to this file, in place of PROJECT.tar"},
    {.name = "with-secrets", .kind = cli::Kind::Bool, .text = "secrets too: whoever has the file has them"},
    {.name = "quiet", .letter = 'q', .kind = cli::Kind::Bool, .text = "say nothing of what is not in it"},
});

constexpr auto unbundle_flags = std::to_array<cli::FlagSpec>({
    {.name = "digest", .value = "sha256:HEX", .text = "what bundle said of the file"},
});

Result<int> run_bundle(const Context &context) {
  LoadRequest load = TRY(make_load_request(context));
  load.profiles = {"*"};
  const Loaded loaded = TRY(load_project_for(context, load));
  BundleRequest request;
  request.output = context.flags().given("output") ? context.flag("output") : loaded.project.name + ".tar";
  request.with_secrets = context.flags().boolean("with-secrets");
  request.quiet = context.flags().boolean("quiet");
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const MadeBundle made = TRY(make_bundle(engine, loaded.project, request));
  if (!request.quiet) {
    for (const std::string &note : made.notes) cli::warning(context.log, note);
    for (const std::string &path : made.record.missing) {
      cli::warning(context.log,
                   fmt::format("{} is not in it: put it there where the bundle goes, or --with-secrets", path));
    }
  }
  return print(fmt::format("{}  {}\n", made.digest, request.output));
}

Result<int> run_unbundle(const Context &context) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const Unbundled out = TRY(unpack_bundle(
      engine, {.archive = context.argument(0), .directory = context.argument(1), .digest = context.flag("digest")}));
  for (const std::string &path : out.record.missing) {
    cli::warning(context.log,
                 fmt::format("{}/{} is missing: a secret that the bundle does not have", out.directory, path));
  }
  return print(out.directory + "\n");
}

}  // namespace

const CommandEntry bundle_command = {
    .command = {.name = "bundle",
                .summary = "write the project with its images into one archive, for a machine without a network",
                .description =
                    "The files in their long form, every variable filled in, configs, the files and read-only "
                    "directories of the project's folder that services bind, and all images. Secrets are not in it "
                    "unless they are asked for. The same project gives the same bytes; the digest is printed. Any tool "
                    "that reads an oci-archive finds the images in it.",
                .flags = bundle_flags},
    .run = run_bundle};

const CommandEntry unbundle_command = {
    .command = {.name = "unbundle",
                .usage = "FILE [DIR]",
                .summary = "unpack what bundle wrote: its images into the store, its files into a new directory",
                .description =
                    "Nothing is asked of any other host. All is compared with its digests first; of an archive that is "
                    "damaged nothing is left. `--offline up` in the directory starts it.",
                .flags = unbundle_flags,
                .min_positionals = 1,
                .max_positionals = 2},
    .run = run_unbundle};

}  // namespace skiff::compose
