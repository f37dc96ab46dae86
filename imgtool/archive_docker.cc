#include <fmt/format.h>

#include <algorithm>

#include "imgtool/decompress.h"
#include "imgtool/take_in.h"
#include "imgtool/transport.h"
#include "spec/media_types.h"
#include "spec/names.h"
#include "spec/reader.h"
#include "spec/writer.h"

namespace skiff::image {
namespace {

// One image of manifest.json, as `docker save` writes it.
struct SavedImage {
  std::string config;
  std::vector<std::string> repo_tags;
  std::vector<std::string> layers;
};

void fields(auto &v, spec::Like<SavedImage> auto &image) {
  v.required("Config", image.config);
  v.always("RepoTags", image.repo_tags);
  v.required("Layers", image.layers);
}

Result<std::vector<SavedImage>> load_manifest(const Archive &archive) {
  const std::string text =
      TRY(remedy("name an archive that docker save, podman save or skopeo wrote, or use oci-archive:",
                 archive.read("manifest.json")));
  const std::string place = archive.path() + " manifest.json";
  const auto document = spec::json::Document::parse(text);
  if (!document) return std::unexpected(spec::findings_error(place, {document.error()}));
  std::vector<spec::Finding> findings;
  std::vector<SavedImage> images;
  spec::Reader(findings).document(document->root(), images);
  if (!findings.empty()) return std::unexpected(spec::findings_error(place, findings));
  return images;
}

std::vector<std::string> full_names(const SavedImage &image) {
  std::vector<std::string> names;
  for (const std::string &tag : image.repo_tags) {
    const Result<ImageName> name = parse_image_name(tag);
    if (name) names.push_back(name->text());
  }
  return names;
}

// What the bytes are; the archive does not say.
Result<std::string_view> layer_type(const Archive &archive, const Archive::Member &member) {
  std::array<char, 4> start{};
  const std::size_t count = TRY(read_range(archive.file(), member.offset, member.size)(start));
  const std::string_view magic(start.data(), count);
  if (magic.starts_with("\x1f\x8b")) return spec::oci_layer_gzip_type;
  return magic == "\x28\xb5\x2f\xfd" ? spec::oci_layer_zstd_type : spec::oci_layer_type;
}

Result<spec::Descriptor> import_layer(const Archive &archive, const std::string &name, const std::string &diff_id,
                                      const Layout &into, Progress &progress) {
  const Archive::Member member = TRY(archive.find(name));
  const Digest uncompressed = TRY(Digest::parse(diff_id));
  spec::Descriptor descriptor;
  descriptor.media_type = TRY(layer_type(archive, member));
  descriptor.size = static_cast<std::int64_t>(member.size);
  if (descriptor.media_type == spec::oci_layer_type) descriptor.digest = uncompressed.text();
  ProgressItem item = progress.begin(uncompressed.short_hex(), "Copying", member.size);
  return in(fmt::format("{}: {}", archive.path(), spec::quote(name)),
            take_in(into, OpenBytes([&]() -> Result<ReadBytes> {
                      return read_range(archive.file(), member.offset, member.size);
                    }),
                    std::move(descriptor), &item));
}

Result<Imported> import_image(const Archive &archive, const SavedImage &image, const Layout &into, Progress &progress) {
  const std::string place = fmt::format("{}: {}", archive.path(), spec::quote(image.config));
  const std::string bytes = TRY(archive.read(image.config));
  const spec::ImageConfig config = TRY(in(place, spec::parse_image_config(bytes)));
  const std::vector<std::string> &diff_ids = config.rootfs.diff_ids;
  if (diff_ids.size() != image.layers.size()) {
    return fail(
        fmt::format("{}: {} diff_ids, but manifest.json has {} layers", place, diff_ids.size(), image.layers.size()));
  }
  spec::ImageManifest manifest;
  manifest.media_type = spec::oci_manifest_type;
  manifest.config.media_type = spec::oci_config_type;
  manifest.config.digest = TRY(into.write_blob(bytes)).text();
  manifest.config.size = static_cast<std::int64_t>(bytes.size());
  for (std::size_t i = 0; i < diff_ids.size(); ++i) {
    manifest.layers.push_back(TRY(import_layer(archive, image.layers[i], diff_ids[i], into, progress)));
  }
  const std::string text = spec::print_image_manifest(manifest);
  Imported imported;
  imported.root.media_type = spec::oci_manifest_type;
  imported.root.digest = TRY(into.write_blob(text)).text();
  imported.root.size = static_cast<std::int64_t>(text.size());
  imported.names = full_names(image);
  return imported;
}

// A layer's tar, hashed on its way: the archive names it by its diff id, which therefore has to be right.
Status export_layer(const Holder &holder, const spec::Descriptor &layer, const std::string &diff_id,
                    ArchiveWriter &writer, Progress &progress) {
  const Digest expected = TRY(Digest::parse(diff_id));
  ProgressItem item = progress.begin(expected.short_hex(), "Writing", static_cast<std::uint64_t>(layer.size));
  Decompressor decompressor(TRY(holder.open_blob(layer)), 27);
  Hasher hasher(expected.algorithm());
  std::uint64_t before = 0;
  TRY(in(layer.digest,
         writer.add_unknown(fmt::format("{}.tar", expected.hex()), [&](std::span<char> into) -> Result<std::size_t> {
           const std::size_t count = TRY(decompressor.read(into));
           hasher.update(into.first(count));
           item.advance(decompressor.compressed() - before);
           before = decompressor.compressed();
           return count;
         })));
  if (hasher.finish() != expected) {
    return fail(EBADMSG, fmt::format("{}: uncompressed it is not the {} that the config says", layer.digest, diff_id));
  }
  item.done("Written");
  return {};
}

class Export {
 public:
  Export(const Layout &from, kernel::FdView file, Progress &progress)
      : from_(from), holder_(hold(from)), writer_(file), progress_(progress) {}

  Status add(const NamedImage &image) {
    const Document document = TRY(load_document(from_, image.root));
    if (!document.content.manifest) {
      return fail(fmt::format("{}: an index, and docker-archive holds one platform", image.root.digest),
                  "choose one by --platform");
    }
    const spec::ImageManifest &manifest = *document.content.manifest;
    const Digest digest = TRY(Digest::parse(manifest.config.digest));
    const std::string bytes = TRY(from_.read_blob(digest));
    const spec::ImageConfig config = TRY(in(digest.text(), spec::parse_image_config(bytes)));
    if (config.rootfs.diff_ids.size() != manifest.layers.size()) {
      return fail(fmt::format("{}: {} diff_ids, but {} layers", digest.text(), config.rootfs.diff_ids.size(),
                              manifest.layers.size()));
    }
    SavedImage saved{.config = fmt::format("{}.json", digest.hex()), .repo_tags = image.names, .layers = {}};
    if (is_new(saved.config)) TRY(writer_.add_text(saved.config, bytes));
    for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
      const std::string &diff_id = config.rootfs.diff_ids[i];
      saved.layers.push_back(fmt::format("{}.tar", TRY(Digest::parse(diff_id)).hex()));
      if (is_new(saved.layers.back())) {
        TRY(export_layer(holder_, manifest.layers[i], diff_id, writer_, progress_));
      }
    }
    saved_.push_back(std::move(saved));
    return {};
  }

  Status finish() {
    TRY(writer_.add_text("manifest.json", spec::Writer("").document(saved_)));
    return writer_.finish();
  }

 private:
  bool is_new(const std::string &name) {
    if (std::ranges::count(written_, name) > 0) return false;
    written_.push_back(name);
    return true;
  }

  const Layout &from_;
  Holder holder_;
  ArchiveWriter writer_;
  Progress &progress_;
  std::vector<SavedImage> saved_;
  std::vector<std::string> written_;
};

}  // namespace

Result<std::vector<Imported>> import_docker_archive(const Archive &archive, const std::string &name, const Layout &into,
                                                    Progress &progress) {
  const kernel::Fd writing = TRY(into.lock_shared());
  const std::vector<SavedImage> images = TRY(load_manifest(archive));
  std::vector<Imported> all;
  std::string there;
  for (const SavedImage &image : images) {
    const std::vector<std::string> names = full_names(image);
    for (const std::string &each : names) there += " " + each;
    if (name.empty() || std::ranges::count(names, name) > 0) {
      all.push_back(TRY(import_image(archive, image, into, progress)));
    }
  }
  if (all.empty()) {
    return fail(ENOENT, fmt::format("{}: no image {}", archive.path(), spec::quote(name)), "there are:" + there);
  }
  return all;
}

Status export_docker_archive(const Layout &from, const std::vector<NamedImage> &images, kernel::FdView file,
                             Progress &progress) {
  const kernel::Fd reading = TRY(from.lock_shared());
  Export out(from, file, progress);
  for (const NamedImage &image : images) TRY(out.add(image));
  return out.finish();
}

}  // namespace skiff::image
