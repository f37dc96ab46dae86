#include "imgtool/copy.h"

#include "imgtool/cmd/copy_flags.h"
#include "imgtool/output.h"

namespace skiff::image {
namespace {

constexpr std::array<cli::FlagSpec, 10> flags = {{
    platform_flag,
    all_flag,
    multi_arch_flag,
    digest_file_flag,
    {.name = "src-tls-verify", .kind = cli::Kind::Bool, .text = "--tls-verify for the source alone"},
    {.name = "dest-tls-verify", .kind = cli::Kind::Bool, .text = "--tls-verify for the destination alone"},
    {.name = "src-creds", .value = "USER[:PASSWORD]", .text = "--creds for the source alone"},
    {.name = "dest-creds", .value = "USER[:PASSWORD]", .text = "--creds for the destination alone"},
    {.name = "src-cert-dir", .value = "DIR", .text = "--cert-dir for the source alone"},
    {.name = "dest-cert-dir", .value = "DIR", .text = "--cert-dir for the destination alone"},
}};

// skopeo's flags for one side.
RegistryOptions side(const Context &context, const std::string &prefix) {
  RegistryOptions options = context.registry;
  const cli::Flags &given = context.flags();
  if (given.given(prefix + "tls-verify")) options.tls_verify = given.boolean(prefix + "tls-verify");
  if (given.given(prefix + "cert-dir")) options.cert_dir = given.string(prefix + "cert-dir");
  if (given.given(prefix + "creds")) options.login = login_of(given.string(prefix + "creds"));
  return options;
}

Result<int> run(const Context &context) {
  const Reference source = TRY(parse_reference(context.argument(0), Transport::store));
  const Reference destination = TRY(parse_reference(context.argument(1), Transport::store));
  Progress progress(context.progress);
  Workplace place = context.workplace(progress);
  place.source = side(context, "src-");
  place.destination = side(context, "dest-");
  const spec::Descriptor copied = TRY(copy(place, source, destination, TRY(selection_of(context))));
  return report_digest(context, copied);
}

}  // namespace

const CommandEntry copy_command = {
    .command = {.name = "copy",
                .usage = "SOURCE DESTINATION",
                .summary = "copy an image from any transport to any other",
                .description = "A name without a transport is an image of the store. Every digest stays what it is "
                               "where the destination's format can hold it; docker-archive:, tar: and file: cannot.",
                .flags = flags,
                .min_positionals = 2,
                .max_positionals = 2},
    .run = run};

}  // namespace skiff::image
