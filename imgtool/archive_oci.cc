#include <fmt/format.h>

#include <algorithm>

#include "imgtool/take_in.h"
#include "imgtool/transport.h"
#include "spec/media_types.h"
#include "spec/names.h"

namespace skiff::image {
namespace {

constexpr const char *ref_name = "org.opencontainers.image.ref.name";
constexpr const char *containerd_name = "io.containerd.image.name";

std::string blob_name(const Digest &digest) { return fmt::format("blobs/{}/{}", digest.algorithm(), digest.hex()); }

std::string annotation(const spec::Descriptor &descriptor, const char *name) {
  const auto found = descriptor.annotations.find(name);
  return found == descriptor.annotations.end() ? "" : found->second;
}

// containerd and Docker keep the full name beside the tag.
std::vector<std::string> names_of(const spec::Descriptor &descriptor) {
  for (const char *key : {containerd_name, ref_name}) {
    if (std::string name = annotation(descriptor, key); !name.empty()) return {std::move(name)};
  }
  return {};
}

Holder hold(const Archive &archive) {
  return {.read_document = [&archive](const spec::Descriptor &descriptor) -> Result<std::string> {
            return archive.read(blob_name(TRY(Digest::parse(descriptor.digest))));
          },
          .open_blob = [&archive](const spec::Descriptor &descriptor) -> Result<ReadBytes> {
            const Archive::Member member = TRY(archive.find(blob_name(TRY(Digest::parse(descriptor.digest)))));
            return read_range(archive.file(), member.offset, member.size);
          }};
}

Result<spec::ImageIndex> load_index(const Archive &archive) {
  const std::string text =
      TRY(remedy("name an archive that holds index.json, or use docker-archive:", archive.read("index.json")));
  spec::ImageDocument document =
      TRY(in(archive.path() + " index.json", spec::parse_image_document(text, spec::oci_index_type)));
  return std::move(*document.index);
}

Result<Imported> import_one(const Archive &archive, const spec::Descriptor &root, const Layout &into,
                            const Selection &selection, Progress &progress) {
  spec::Descriptor copied = TRY(in(archive.path(), copy_image(hold(archive), root, into, selection, progress)));
  copied.annotations.clear();
  return Imported{.root = std::move(copied), .names = names_of(root)};
}

}  // namespace

Result<Imported> import_oci_archive(const Archive &archive, const std::string &tag, const Layout &into,
                                    const Selection &selection, Progress &progress) {
  const spec::ImageIndex index = TRY(load_index(archive));
  const auto fits = [&](const spec::Descriptor &each) {
    return tag.empty() || annotation(each, ref_name) == tag || annotation(each, containerd_name) == tag ||
           each.digest == tag;
  };
  const auto found = std::ranges::find_if(index.manifests, fits);
  if (found == index.manifests.end()) {
    std::string there;
    for (const spec::Descriptor &each : index.manifests) there += " " + annotation(each, ref_name);
    return fail(ENOENT, fmt::format("{}: no image {}", archive.path(), spec::quote(tag)), "there are:" + there);
  }
  if (tag.empty() && index.manifests.size() > 1) {
    return fail(fmt::format("{}: {} images", archive.path(), index.manifests.size()), "name one by its tag");
  }
  return import_one(archive, *found, into, selection, progress);
}

Result<std::vector<Imported>> import_oci_archive_all(const Archive &archive, const Layout &into,
                                                     const Selection &selection, Progress &progress) {
  const spec::ImageIndex index = TRY(load_index(archive));
  std::vector<Imported> all;
  for (const spec::Descriptor &each : index.manifests) {
    all.push_back(TRY(import_one(archive, each, into, selection, progress)));
  }
  return all;
}

Status export_oci_archive(const Layout &from, const std::vector<NamedImage> &images, kernel::FdView file,
                          Progress &progress) {
  const kernel::Fd reading = TRY(from.lock_shared());
  ArchiveWriter writer(file);
  TRY(writer.add_text("oci-layout", R"({"imageLayoutVersion":"1.0.0"})"));
  TRY(writer.add_directory("blobs"));
  TRY(writer.add_directory("blobs/sha256"));
  const Holder holder = hold(from);
  spec::ImageIndex index;
  index.media_type = spec::oci_index_type;
  std::vector<std::string> written;
  for (const NamedImage &image : images) {
    TRY(walk_image(holder, image.root, [&](const spec::Descriptor &descriptor, bool) -> Status {
      if (std::ranges::count(written, descriptor.digest) > 0) return {};
      written.push_back(descriptor.digest);
      const Digest digest = TRY(Digest::parse(descriptor.digest));
      if (!descriptor.urls.empty() && !TRY(from.has_blob(digest))) return {};
      const auto size = static_cast<std::uint64_t>(descriptor.size);
      ProgressItem item = progress.begin(digest.short_hex(), "Writing", size);
      TRY(writer.add(blob_name(digest), size, TRY(holder.open_blob(descriptor))));
      item.done("Written");
      return {};
    }));
    for (const std::string &name : image.names.empty() ? std::vector<std::string>{""} : image.names) {
      spec::Descriptor named = image.root;
      named.annotations.erase(ref_name);
      if (!name.empty()) named.annotations[ref_name] = name;
      index.manifests.push_back(std::move(named));
    }
  }
  TRY(writer.add_text("index.json", spec::print_image_index(index)));
  return writer.finish();
}

}  // namespace skiff::image
