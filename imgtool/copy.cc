#include "imgtool/copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "imgtool/archive.h"
#include "imgtool/assemble.h"
#include "imgtool/fetch.h"
#include "imgtool/platform.h"
#include "imgtool/store.h"
#include "imgtool/stored_image.h"
#include "runtime/kernel/path.h"

namespace skiff::image {
namespace {

bool is_layout(Transport transport) { return transport == Transport::store || transport == Transport::oci; }

std::string name_text(const Reference &reference) { return reference.name ? reference.name->text() : std::string(); }

// What the layout keeps the image under.
std::string name_in_layout(const Reference &reference) {
  return reference.transport == Transport::store ? name_text(reference) : reference.tag;
}

Result<Layout> open_layout(const Workplace &place, const Reference &reference, LayoutAccess access) {
  if (reference.transport == Transport::store) return open_store(place.store, access);
  return Layout::open(reference.path, access);
}

Result<Imported> find_in(const Layout &layout, const Reference &source) {
  if (source.transport == Transport::oci) return Imported{.root = TRY(layout.find(source.tag)), .names = {}};
  StoredImage image = TRY(find_stored(layout, source.name->familiar()));
  return Imported{.root = std::move(image.root), .names = {std::move(image.name)}};
}

spec::ImageConfig empty_config(const Selection &selection) {
  const bool own = selection.platform.text() == host_platform().text();
  const spec::Platform platform = (own ? build_platform() : selection.platform).accepted.front();
  spec::ImageConfig config;
  config.os = platform.os;
  config.architecture = platform.architecture;
  config.variant = platform.variant;
  return config;
}

Result<Imported> bring_rootfs(const Workplace &place, const Reference &source, const Layout &into,
                              const Selection &selection) {
  const kernel::Fd file = source.transport == Transport::file ? TRY(tar_of_tree(source.path))
                                                              : TRY(kernel::open(source.path, O_RDONLY | O_NONBLOCK));
  return Imported{.root = TRY(import_rootfs_tar(into, file, source.path, empty_config(selection), "", *place.progress)),
                  .names = {}};
}

Result<Imported> bring_archive(const Workplace &place, const Reference &source, const Layout &into,
                               const Selection &selection) {
  const Archive archive = TRY(Archive::open(source.path));
  if (source.transport == Transport::oci_archive) {
    return import_oci_archive(archive, source.tag, into, selection, *place.progress);
  }
  std::vector<Imported> all = TRY(import_docker_archive(archive, name_text(source), into, *place.progress));
  if (all.size() > 1) {
    return fail(fmt::format("{}: {} images", source.path, all.size()),
                "name one: docker-archive:FILE:NAME; or use load, which takes all of them");
  }
  return std::move(all.front());
}

Result<Imported> bring_from_registry(const Workplace &place, const ImageName &name, const Layout &into,
                                     const Selection &selection) {
  Registry registry = TRY(Registry::open(name, place.source, *place.progress));
  return Imported{.root = TRY(fetch_image(registry, name, into, selection, *place.progress)), .names = {name.text()}};
}

// Other repositories of the same registry that images of this layout came from: their blobs may be there already.
std::vector<std::string> mount_sources(const Layout &from, const ImageName &name) {
  static constexpr std::size_t most = 4;
  std::vector<std::string> repositories;
  const Result<std::vector<StoredImage>> images = list_stored(from);
  if (!images) return repositories;
  for (const StoredImage &image : *images) {
    const Result<ImageName> other = parse_image_name(image.name);
    if (!other || other->registry != name.registry || other->repository == name.repository) continue;
    if (repositories.size() < most && std::ranges::count(repositories, other->repository) == 0) {
      repositories.push_back(other->repository);
    }
  }
  return repositories;
}

Status deliver_to_registry(const Workplace &place, const Layout &from, const spec::Descriptor &root,
                           const ImageName &name) {
  Registry registry = TRY(Registry::open(name, place.destination, *place.progress));
  const PushOptions options{.parallel = place.destination.parallel, .mount_from = mount_sources(from, name)};
  return send_image(registry, name, from, root, options, *place.progress);
}

Status deliver_to_layout(const Workplace &place, const Layout &from, const spec::Descriptor &root,
                         const Reference &destination) {
  const Layout into = TRY(open_layout(place, destination, LayoutAccess::write));
  TRY(copy_image(from, root, into, Selection{.all = true}, *place.progress));
  return into.set_name(name_in_layout(destination), root);
}

Status deliver_to_file(const Workplace &place, const Layout &from, const spec::Descriptor &root,
                       const Reference &destination) {
  HalfMade made = TRY(HalfMade::make_file(destination.path, *place.interrupts));
  if (destination.transport == Transport::tar) {
    TRY(export_rootfs(place, from, root, made.fd()));
  } else if (destination.transport == Transport::oci_archive) {
    const std::vector<std::string> names =
        destination.tag.empty() ? std::vector<std::string>{} : std::vector{destination.tag};
    TRY(export_oci_archive(from, {{.root = root, .names = names}}, made.fd(), *place.progress));
  } else {
    const std::string name = name_text(destination);
    const std::vector<std::string> names = name.empty() ? std::vector<std::string>{} : std::vector{name};
    TRY(export_docker_archive(from, {{.root = root, .names = names}}, made.fd(), *place.progress));
  }
  return made.finish(0644);
}

Status deliver_to_directory(const Workplace &place, const Layout &from, const spec::Descriptor &root,
                            const Reference &destination) {
  HalfMade made = TRY(HalfMade::make_directory(destination.path, *place.interrupts));
  if (destination.transport == Transport::dir) {
    TRY(export_dir(from, root, made.fd(), *place.progress));
    return made.finish(0755);
  }
  TRY(unpack_rootfs(place, from, root, made.fd()));
  return made.finish(TRY(kernel::fstat(made.fd())).st_mode & 07777U);
}

}  // namespace

Result<HalfMade> make_temporary(Interrupts &interrupts) {
  return remedy("set $TMPDIR to a directory with room", HalfMade::make_scratch(temporary_place(), interrupts));
}

Result<std::unique_ptr<Staging>> make_staging(Interrupts &interrupts) {
  HalfMade made = TRY(make_temporary(interrupts));
  Layout layout = TRY(Layout::open(made.path(), LayoutAccess::write));
  return std::unique_ptr<Staging>(new Staging{std::move(made), std::move(layout)});
}

Result<Located> locate(const Workplace &place, const Reference &source, const Selection &selection) {
  Located located;
  if (is_layout(source.transport)) {
    located.own = TRY(open_layout(place, source, LayoutAccess::read));
    located.image = TRY(find_in(*located.own, source));
    return located;
  }
  located.staging = TRY(make_staging(*place.interrupts));
  located.image = TRY(bring(place, source, located.staging->layout, selection));
  return located;
}

Result<Imported> bring(const Workplace &place, const Reference &source, const Layout &into,
                       const Selection &selection) {
  switch (source.transport) {
    case Transport::store:
    case Transport::oci: {
      const Layout from = TRY(open_layout(place, source, LayoutAccess::read));
      Imported found = TRY(find_in(from, source));
      found.root = TRY(copy_image(from, found.root, into, selection, *place.progress));
      return found;
    }
    case Transport::docker:
      return bring_from_registry(place, *source.name, into, selection);
    case Transport::oci_archive:
    case Transport::docker_archive:
      return bring_archive(place, source, into, selection);
    case Transport::dir:
      return import_dir(source.path, into, selection, *place.progress);
    case Transport::tar:
    case Transport::file:
      break;
  }
  return bring_rootfs(place, source, into, selection);
}

Status deliver(const Workplace &place, const Layout &from, const spec::Descriptor &root, const Reference &destination) {
  switch (destination.transport) {
    case Transport::store:
    case Transport::oci:
      return deliver_to_layout(place, from, root, destination);
    case Transport::docker:
      return deliver_to_registry(place, from, root, *destination.name);
    case Transport::dir:
    case Transport::file:
      return deliver_to_directory(place, from, root, destination);
    case Transport::oci_archive:
    case Transport::docker_archive:
    case Transport::tar:
      break;
  }
  return deliver_to_file(place, from, root, destination);
}

Result<spec::Descriptor> copy(const Workplace &place, const Reference &source, const Reference &destination,
                              Selection selection) {
  // A registry does not want them, and a layout may lack them (image-layout.md, "Blobs"); nothing else can.
  selection.foreign_layers = destination.transport != Transport::docker && destination.transport != Transport::oci;
  if (is_layout(destination.transport)) {
    const Layout into = TRY(open_layout(place, destination, LayoutAccess::write));
    // Held until the image has its name: what is not named yet is what prune takes away.
    const kernel::Fd lock = TRY(into.lock_shared());
    const Imported imported = TRY(bring(place, source, into, selection));
    TRY(into.set_name(name_in_layout(destination), imported.root));
    return imported.root;
  }
  const Located located = TRY(locate(place, source, selection));
  spec::Descriptor root = located.image.root;
  if (!selection.all) root = TRY(select_manifest(located.layout(), root, selection.platform));
  TRY(deliver(place, located.layout(), root, destination));
  return root;
}

}  // namespace skiff::image
