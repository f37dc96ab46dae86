#include <fmt/format.h>

#include "imgtool/cmd/copy_flags.h"
#include "imgtool/output.h"
#include "imgtool/store.h"
#include "imgtool/stored_image.h"
#include "runtime/kernel/tty.h"

namespace skiff::image {
namespace {

constexpr std::array<cli::FlagSpec, 3> save_flags = {{
    {.name = "output", .letter = 'o', .value = "FILE", .text = "write to this file, instead of stdout"},
    {.name = "format",
     .value = "FORMAT",
     .text = "of the archive",
     .choices = "docker-archive|oci-archive",
     .initial = "docker-archive"},
    platform_flag,
}};

constexpr std::array<cli::FlagSpec, 3> load_flags = {{
    {.name = "input", .letter = 'i', .value = "FILE", .text = "read this file, instead of stdin"},
    platform_flag,
    all_flag,
}};

// docker-archive holds what runs on one platform; oci-archive all of an index, unless one is asked for.
Result<std::vector<NamedImage>> choose_images(const Context &context, const Layout &store) {
  const bool one = context.flag("format") == "docker-archive" || context.flags().given("platform");
  std::vector<NamedImage> images;
  for (std::size_t i = 0; i < context.invocation.positionals.size(); ++i) {
    const StoredImage image = TRY(find_stored(store, context.argument(i)));
    const spec::Descriptor root = one ? TRY(select_manifest(store, image.root, TRY(context.platform()))) : image.root;
    images.push_back({.root = root, .names = {}});
    if (!image.name.empty()) images.back().names.push_back(image.name);
  }
  return images;
}

Status write_archive(const Context &context, const Layout &store, const std::vector<NamedImage> &images,
                     kernel::FdView file) {
  Progress progress(context.progress);
  return context.flag("format") == "oci-archive" ? export_oci_archive(store, images, file, progress)
                                                 : export_docker_archive(store, images, file, progress);
}

Result<int> save(const Context &context) {
  const Layout store = TRY(Layout::open(context.store, LayoutAccess::read));
  const std::vector<NamedImage> images = TRY(choose_images(context, store));
  const std::string path = context.flag("output");
  if (path.empty() || path == "-") {
    const kernel::FdView out(1);
    if (kernel::is_terminal(out)) return fail("save: stdout is a terminal", "redirect it, or name a file by -o");
    // A pipe cannot be written out of order: whole or not at all.
    const kernel::Fd file = TRY(open_unnamed_file());
    TRY(write_archive(context, store, images, file));
    TRY(kernel::lseek(file, 0, SEEK_SET));
    TRY(in("stdout", kernel::sendfile_all(out, file)));
    return 0;
  }
  HalfMade made = TRY(HalfMade::make_file(path, context.interrupts));
  TRY(write_archive(context, store, images, made.fd()));
  TRY(made.finish(0644));
  return 0;
}

Result<int> load(const Context &context) {
  std::string path = context.flag("input");
  if (path.empty()) path = "-";
  if (path == "-" && kernel::is_terminal(kernel::FdView(0))) {
    return fail("load: stdin is a terminal", "redirect it, or name a file by -i");
  }
  const Layout store = TRY(open_store(context.store, LayoutAccess::write));
  const kernel::Fd lock = TRY(store.lock_shared());
  const Archive archive = TRY(Archive::open(path));
  Progress progress(context.progress);
  const Selection selection{.all = !context.flags().given("platform"), .platform = TRY(context.platform())};
  // Docker writes both formats into one archive; the older one has the full names.
  const std::vector<Imported> all = archive.has("manifest.json")
                                        ? TRY(import_docker_archive(archive, "", store, progress))
                                        : TRY(import_oci_archive_all(archive, store, selection, progress));
  for (const Imported &imported : all) {
    if (imported.names.empty()) TRY(store.set_name("", imported.root));
    for (const std::string &name : imported.names) {
      const std::string full = TRY(in(path, parse_image_name(name))).text();
      TRY(store.set_name(full, imported.root));
      TRY(print(fmt::format("Loaded image: {}\n", full)));
    }
    if (imported.names.empty()) TRY(print(fmt::format("Loaded image: {}\n", imported.root.digest)));
  }
  return 0;
}

}  // namespace

const CommandEntry save_command = {.command = {.name = "save",
                                               .usage = "IMAGE...",
                                               .summary = "write images of the store into one archive",
                                               .flags = save_flags,
                                               .min_positionals = 1,
                                               .max_positionals = cli::kUnlimited},
                                   .run = save};

const CommandEntry load_command = {
    .command = {.name = "load",
                .summary = "bring every image of an archive (docker save, podman save, skopeo) into the store",
                .flags = load_flags},
    .run = load};

}  // namespace skiff::image
