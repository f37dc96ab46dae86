// Root filesystems: an image's as a directory or a tar file, and a directory's as a tar file.
#include <unistd.h>

#include "imgtool/copy.h"
#include "imgtool/tar_writer.h"
#include "imgtool/tree.h"
#include "imgtool/tree_entry.h"
#include "imgtool/unpack.h"
#include "runtime/kernel/path.h"

namespace skiff::image {
namespace {

Status write_tree(kernel::FdView root, const ApplyOptions &applied, kernel::FdView file) {
  TarWriter writer([file](std::span<const char> bytes) {
    return kernel::write_all(file, std::string_view(bytes.data(), bytes.size()));
  });
  const TreeOptions options = tree_options(applied, TRY(source_date_epoch()));
  TRY(write_changes(root, TRY(list_tree(root)), options,
                    [&](const TarEntry &entry, const ReadBytes &data) { return writer.add(entry, data); }));
  return writer.finish();
}

// Who cannot give files away keeps their owners beside them.
ApplyOptions apply_options(const Workplace &place) {
  ApplyOptions options;
  options.limits = place.limits;
  options.rootless = ::geteuid() != 0;
  return options;
}

}  // namespace

Status unpack_rootfs(const Workplace &place, const Layout &from, const spec::Descriptor &manifest,
                     kernel::FdView directory) {
  const kernel::Fd reading = TRY(from.lock_shared());
  const LoadedImage image = TRY(load_image(from, manifest));
  TRY(kernel::fchmod(directory, 0755));
  return apply_image(image, layers_of(from, image), directory, apply_options(place), *place.progress);
}

Status export_rootfs(const Workplace &place, const Layout &from, const spec::Descriptor &manifest,
                     kernel::FdView file) {
  const HalfMade tree = TRY(make_temporary(*place.interrupts));
  TRY(unpack_rootfs(place, from, manifest, tree.fd()));
  return in("tar", write_tree(tree.fd(), apply_options(place), file));
}

Result<kernel::Fd> tar_of_tree(const std::string &directory) {
  const kernel::Fd root = TRY(kernel::open(directory, O_RDONLY | O_DIRECTORY));
  kernel::Fd file = TRY(open_unnamed_file());
  TRY(in(directory, write_tree(root, {}, file)));
  TRY(kernel::lseek(file, 0, SEEK_SET));
  return file;
}

}  // namespace skiff::image
