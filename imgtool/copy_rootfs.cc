#include "imgtool/copy.h"
#include "imgtool/unpack.h"

namespace skiff::image {

Status unpack_rootfs(const Workplace &place, const Layout &from, const spec::Descriptor &manifest,
                     kernel::FdView directory) {
  const kernel::Fd reading = TRY(from.lock_shared());
  const LoadedImage image = TRY(load_image(from, manifest));
  ApplyOptions options;
  options.limits = place.limits;
  return apply_image(image, layers_of(from, image), directory, options, *place.progress);
}

Status export_rootfs(const Workplace &place, const Layout &from, const spec::Descriptor &manifest,
                     kernel::FdView file) {
  (void)file;
  HalfMade tree = TRY(make_temporary(*place.interrupts));
  return unpack_rootfs(place, from, manifest, tree.fd());
}

Result<kernel::Fd> tar_of_tree(const std::string &directory) { return fail(ENOSYS, directory); }

}  // namespace skiff::image
