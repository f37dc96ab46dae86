#include <fmt/format.h>

#include "imgtool/assemble.h"
#include "imgtool/bundle_record.h"
#include "imgtool/cmd/command.h"
#include "imgtool/layer_writer.h"
#include "imgtool/output.h"
#include "imgtool/stored_image.h"
#include "imgtool/tree_entry.h"
#include "spec/media_types.h"

namespace skiff::image {
namespace {

constexpr std::array<cli::FlagSpec, 6> flags = {{
    {.name = "compress", .value = "FORMAT", .text = "of the new layer", .choices = "gzip|zstd|none", .initial = "gzip"},
    {.name = "message", .letter = 'm', .value = "TEXT", .text = "the comment in the image's history"},
    {.name = "author", .value = "NAME", .text = "the author in the image's history"},
    {.name = "created-by", .value = "TEXT", .text = "what made the layer, in the image's history"},
    {.name = "no-history", .kind = cli::Kind::Bool, .text = "no entry in the image's history"},
    {.name = "image", .value = "DIR:TAG", .text = "umoci's way to name the image", .hidden = true},
}};

spec::Compression compression_of(const Context &context) {
  const std::string format = context.flag("compress");
  return format == "zstd"   ? spec::Compression::zstd
         : format == "none" ? spec::Compression::none
                            : spec::Compression::gzip;
}

// An OCI manifest's name for what Docker's manifest has.
void use_oci_types(std::vector<spec::Descriptor> &layers) {
  for (spec::Descriptor &layer : layers) {
    if (layer.media_type == spec::docker_layer_gzip_type) layer.media_type = spec::oci_layer_gzip_type;
    if (layer.media_type == spec::docker_layer_zstd_type) layer.media_type = spec::oci_layer_zstd_type;
    if (layer.media_type == spec::docker_layer_type) layer.media_type = spec::oci_layer_type;
  }
}

struct Change {
  kernel::Fd root;
  std::vector<LayerChange> entries;
};

Result<Change> find_change(kernel::FdView bundle, const BundleRecord &record, const TreeOptions &options) {
  Change change;
  change.root = TRY(kernel::openat(bundle, record.overlay ? "diff" : "rootfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  change.entries = record.overlay ? TRY(list_upper(change.root, options))
                                  : TRY(list_changes(change.root, TRY(load_tree_record(bundle))));
  return change;
}

Result<WrittenLayer> write_layer(const Context &context, const Layout &layout, const Change &change,
                                 const TreeOptions &options) {
  LayerWriter writer = TRY(LayerWriter::open(layout, compression_of(context)));
  TRY(write_changes(change.root, change.entries, options,
                    [&](const TarEntry &entry, const ReadBytes &data) { return writer.add(entry, data); }));
  return writer.finish();
}

Result<spec::Descriptor> add_layer(const Context &context, const Layout &layout, LoadedImage image,
                                   const WrittenLayer &written) {
  image.config.created = time_text(TRY(creation_time()));
  image.config.rootfs.diff_ids.push_back(written.diff_id.text());
  image.manifest.layers.push_back(written.descriptor);
  use_oci_types(image.manifest.layers);
  if (!context.flags().boolean("no-history")) {
    const std::string made_by = context.flag("created-by");
    image.config.history.push_back({.created = image.config.created,
                                    .author = context.flag("author"),
                                    .created_by = made_by.empty() ? "skiff-image repack" : made_by,
                                    .comment = context.flag("message")});
  }
  return write_image(layout, image.config, std::move(image.manifest.layers), image.manifest.annotations);
}

Result<spec::Descriptor> repack(const Context &context, kernel::FdView bundle, const Layout &layout,
                                const BundleRecord &record, Progress &progress) {
  LoadedImage image = TRY(remedy("the store no longer has what the bundle was unpacked from; pull it again",
                                 load_image(layout, record.manifest)));
  const TreeOptions options = tree_options(record.options(), TRY(source_date_epoch()));
  const Change change = TRY(find_change(bundle, record, options));
  if (change.entries.empty()) {
    progress.say("Nothing has changed");
    return record.manifest;
  }
  return add_layer(context, layout, std::move(image), TRY(write_layer(context, layout, change, options)));
}

Result<int> run(const Context &context) {
  const std::string umoci = context.flag("image");
  const std::string path = context.argument(0);
  const std::string text = umoci.empty() ? context.argument(1) : "oci:" + umoci;
  if (text.empty()) return fail("repack: requires a NAME", "say under which name the new image is kept");
  const Reference destination = TRY(parse_reference(text, Transport::store));
  const kernel::Fd bundle = TRY(kernel::open(path, O_RDONLY | O_DIRECTORY));
  const BundleRecord record = TRY(in(path, load_record(bundle)));
  const Layout layout = TRY(Layout::open(record.store, LayoutAccess::write));
  const kernel::Fd lock = TRY(layout.lock_shared());
  Progress progress(context.progress);
  const spec::Descriptor root = TRY(in(path, repack(context, bundle, layout, record, progress)));
  TRY(deliver(context.workplace(progress), layout, root, destination));
  return print(root.digest + "\n");
}

}  // namespace

const CommandEntry repack_command = {
    .command = {.name = "repack",
                .usage = "BUNDLE NAME",
                .summary = "make a new image of a bundle: what has changed in it since unpack becomes a layer",
                .description =
                    "The time of what is made is the clock's, or $SOURCE_DATE_EPOCH: with it the same change "
                    "is the same image, byte by byte.",
                .flags = flags,
                .min_positionals = 1,
                .max_positionals = 2},
    .run = run};

}  // namespace skiff::image
