#include <fmt/format.h>

#include "imgtool/assemble.h"
#include "imgtool/cmd/command.h"
#include "imgtool/cmd/limits.h"
#include "imgtool/output.h"
#include "imgtool/store.h"
#include "imgtool/stored_image.h"
#include "runtime/kernel/tty.h"

namespace skiff::image {
namespace {

constexpr std::array<cli::FlagSpec, 7> import_flags = {{
    platform_flag,
    {.name = "message", .letter = 'm', .value = "TEXT", .text = "the comment in the image's history"},
    {.name = "env",
     .letter = 'e',
     .kind = cli::Kind::Strings,
     .value = "NAME=VALUE",
     .text = "an environment variable"},
    {.name = "entrypoint",
     .kind = cli::Kind::Strings,
     .value = "WORD",
     .text = "the program, then its words, one a flag"},
    {.name = "cmd", .kind = cli::Kind::Strings, .value = "WORD", .text = "the command's words, one a flag"},
    {.name = "workdir", .letter = 'w', .value = "DIR", .text = "where the command starts"},
    {.name = "user", .letter = 'u', .value = "USER[:GROUP]", .text = "who runs the command"},
}};

constexpr std::array<cli::FlagSpec, 6> export_flags = {{
    platform_flag,
    {.name = "output", .letter = 'o', .value = "FILE", .text = "write to this file, instead of stdout"},
    max_layer_size_flag,
    max_entries_flag,
    max_path_flag,
    max_ratio_flag,
}};

std::vector<std::string> words(const Context &context, std::string_view flag) {
  std::vector<std::string> out;
  for (const std::string_view word : context.flags().strings(flag)) out.emplace_back(word);
  return out;
}

Result<spec::ImageConfig> make_config(const Context &context) {
  const PlatformRequest request = context.flags().given("platform") ? TRY(context.platform()) : build_platform();
  const spec::Platform &platform = request.accepted.front();
  spec::ImageConfig config;
  config.os = platform.os;
  config.architecture = platform.architecture;
  config.variant = platform.variant;
  config.config.env = words(context, "env");
  if (context.flags().given("entrypoint")) config.config.entrypoint = words(context, "entrypoint");
  if (context.flags().given("cmd")) config.config.cmd = words(context, "cmd");
  config.config.working_dir = context.flag("workdir");
  config.config.user = context.flag("user");
  return config;
}

// "-" and a path without a transport are a tar file, as for Docker.
Result<kernel::Fd> open_source(const std::string &text) {
  if (text == "-") return kernel::dup_above(kernel::FdView(0), 3);
  const Result<Reference> reference = parse_reference(text, Transport::store);
  if (reference && reference->transport == Transport::file) return tar_of_tree(reference->path);
  const bool named = reference && reference->transport == Transport::tar;
  return kernel::open(named ? reference->path : text, O_RDONLY | O_NONBLOCK);
}

Result<int> run_import(const Context &context) {
  const std::string source = context.argument(0);
  const ImageName name = TRY(parse_image_name(context.argument(1)));
  const kernel::Fd file = TRY(open_source(source));
  const Layout store = TRY(open_store(context.store, LayoutAccess::write));
  const kernel::Fd lock = TRY(store.lock_shared());
  Progress progress(context.progress);
  const spec::Descriptor root = TRY(import_rootfs_tar(store, file, source == "-" ? "stdin" : source,
                                                      TRY(make_config(context)), context.flag("message"), progress));
  TRY(store.set_name(name.text(), root));
  return print(root.digest + "\n");
}

Result<int> run_export(const Context &context) {
  Progress progress(context.progress);
  Workplace place = context.workplace(progress);
  place.limits = layer_limits(context.flags());
  const Reference reference = TRY(parse_reference(context.argument(0), Transport::store));
  const PlatformRequest platform = TRY(context.platform());
  const Located located = TRY(locate(place, reference, {.all = false, .platform = platform}));
  const spec::Descriptor manifest = TRY(select_manifest(located.layout(), located.image.root, platform));
  const std::string path = context.flag("output");
  if (path.empty() || path == "-") {
    const kernel::FdView out(1);
    if (kernel::is_terminal(out)) return fail("export: stdout is a terminal", "redirect it, or name a file by -o");
    TRY(export_rootfs(place, located.layout(), manifest, out));
    return 0;
  }
  HalfMade made = TRY(HalfMade::make_file(path, context.interrupts));
  TRY(export_rootfs(place, located.layout(), manifest, made.fd()));
  TRY(made.finish(0644));
  return 0;
}

}  // namespace

const CommandEntry import_command = {
    .command = {.name = "import",
                .usage = "FILE|-|file:DIR NAME",
                .summary = "make an image with one layer of a root filesystem: a tar file, stdin or a directory",
                .flags = import_flags,
                .min_positionals = 2,
                .max_positionals = 2},
    .run = run_import};

const CommandEntry export_command = {.command = {.name = "export",
                                                 .usage = "IMAGE",
                                                 .summary = "write the root filesystem of an image as a tar file",
                                                 .flags = export_flags,
                                                 .min_positionals = 1,
                                                 .max_positionals = 1},
                                     .run = run_export};

}  // namespace skiff::image
