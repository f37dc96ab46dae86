// Images in the formats of other tools, into a layout and out of it. The layout keeps every byte under its digest, so
// that what comes in by one format goes out by another unchanged where that format allows it.
#pragma once

#include <string>
#include <vector>

#include "imgtool/archive.h"
#include "imgtool/layout_copy.h"
#include "imgtool/reference.h"

namespace skiff::image {

// What came in, and the names that it had there.
struct Imported {
  spec::Descriptor root;  // a manifest or an index
  std::vector<std::string> names;
};

// ---- oci-archive: an image layout in a tar file ----
// `tag` as for Layout::find; of an index only what the selection means.
[[nodiscard]] Result<Imported> import_oci_archive(const Archive &archive, const std::string &tag, const Layout &into,
                                                  const Selection &selection, Progress &progress);
// Every image of it, for `load`.
[[nodiscard]] Result<std::vector<Imported>> import_oci_archive_all(const Archive &archive, const Layout &into,
                                                                   const Selection &selection, Progress &progress);
struct NamedImage {
  spec::Descriptor root;
  std::vector<std::string> names;  // in full; of oci-archive the first, or a tag
};
[[nodiscard]] Status export_oci_archive(const Layout &from, const std::vector<NamedImage> &images, kernel::FdView file,
                                        Progress &progress);

// ---- docker-archive: `docker save` ----
// The image of that name; an empty name means the only one. Layers come in as they are.
[[nodiscard]] Result<std::vector<Imported>> import_docker_archive(const Archive &archive, const std::string &name,
                                                                  const Layout &into, Progress &progress);
// Layers are written uncompressed, as the format wants them; several images share them.
[[nodiscard]] Status export_docker_archive(const Layout &from, const std::vector<NamedImage> &images,
                                           kernel::FdView file, Progress &progress);

// ---- dir: skopeo's, one file a blob ----
[[nodiscard]] Result<Imported> import_dir(const std::string &path, const Layout &into, const Selection &selection,
                                          Progress &progress);
// Into an empty directory.
[[nodiscard]] Status export_dir(const Layout &from, const spec::Descriptor &root, kernel::FdView directory,
                                Progress &progress);

}  // namespace skiff::image
