// From any transport to any other. Everything but a registry comes into a layout and goes out of one; where neither
// side is a layout, one is made for the time of the copy and removed.
#pragma once

#include <memory>
#include <optional>

#include "imgtool/interrupts.h"
#include "imgtool/layer.h"
#include "imgtool/layout_copy.h"
#include "imgtool/reference.h"
#include "imgtool/registry.h"
#include "imgtool/transport.h"

namespace skiff::image {

// What every copy needs. All of it outlives the copy.
struct Workplace {
  std::string store;       // the directory of the store
  RegistryOptions source;  // for a registry that is read from
  RegistryOptions destination;
  Progress *progress = nullptr;
  Interrupts *interrupts = nullptr;
  LayerLimits limits;
};

// A directory that is removed with its holder; in $TMPDIR, or /var/tmp.
[[nodiscard]] Result<HalfMade> make_temporary(Interrupts &interrupts);
// A layout in one.
struct Staging {
  HalfMade directory;
  Layout layout;
};
[[nodiscard]] Result<std::unique_ptr<Staging>> make_staging(Interrupts &interrupts);

// An image where it can be read: the layout that holds it already, or one that it was brought into.
struct Located {
  std::unique_ptr<Staging> staging;  // or none
  std::optional<Layout> own;         // the layout itself, where there is no staging
  Imported image;

  [[nodiscard]] const Layout &layout() const { return staging ? staging->layout : *own; }
};
// With `into` what has to be brought in goes there, else to a staging layout.
[[nodiscard]] Result<Located> locate(const Workplace &place, const Reference &source, const Selection &selection);

// The image into this layout, without a name. Returns its root, and the names that the source gave it.
[[nodiscard]] Result<Imported> bring(const Workplace &place, const Reference &source, const Layout &into,
                                     const Selection &selection);
// Out of a layout. `root` is what the selection left: an index only where all platforms are meant.
[[nodiscard]] Status deliver(const Workplace &place, const Layout &from, const spec::Descriptor &root,
                             const Reference &destination);

// Returns the manifest or index that is at the destination now.
[[nodiscard]] Result<spec::Descriptor> copy(const Workplace &place, const Reference &source,
                                            const Reference &destination, Selection selection);

// The root filesystem of an image as a tar file: its layers one on top of the other.
[[nodiscard]] Status export_rootfs(const Workplace &place, const Layout &from, const spec::Descriptor &manifest,
                                   kernel::FdView file);
// The same in a directory. On an error the tree is half made.
[[nodiscard]] Status unpack_rootfs(const Workplace &place, const Layout &from, const spec::Descriptor &manifest,
                                   kernel::FdView directory);
// A directory as a tar file without a name, read from its start.
[[nodiscard]] Result<kernel::Fd> tar_of_tree(const std::string &directory);

}  // namespace skiff::image
