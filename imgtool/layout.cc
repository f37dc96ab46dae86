#include "imgtool/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>

#include <algorithm>
#include <array>

#include "runtime/kernel/path.h"
#include "runtime/kernel/replace.h"
#include "spec/json.h"
#include "spec/media_types.h"
#include "spec/names.h"

namespace skiff::image {
namespace {

using kernel::Fd;

constexpr const char *marker = "oci-layout";
constexpr std::string_view marker_text = R"({"imageLayoutVersion":"1.0.0"})";
constexpr const char *index_file = "index.json";
constexpr const char *index_temporary = ".index.json.new";
constexpr const char *index_lock = "index.lock";
constexpr const char *layout_lock = "lock";
constexpr std::size_t longest_index = std::size_t{64} << 20U;
// What may stand in a layout that is only just being made.
constexpr std::array<std::string_view, 6> own_names = {"oci-layout",      "index.json", ".index.json.new",
                                                       ".oci-layout.new", "index.lock", "lock"};

// image-layout.md, "index.json", and what containerd and Docker write beside it: their ref.name is the tag alone.
constexpr const char *ref_name = "org.opencontainers.image.ref.name";
constexpr const char *containerd_name = "io.containerd.image.name";

Status make_with_parents(const std::string &path) {
  TRY(kernel::make_parents(path, 0755));
  return kernel::make_directory(kernel::cwd, path, 0755);
}

// On the disk when it returns. One at a time: the caller holds index.lock.
Status replace_file(const Fd &directory, const char *name, const char *temporary, std::string_view bytes) {
  TRY(kernel::replace_file(directory, {.name = name, .temporary = temporary, .mode = 0644}, bytes));
  return kernel::fsync(directory);
}

Result<Fd> lock_index(const Fd &directory) {
  Fd lock = TRY(kernel::openat(directory, index_lock, O_RDWR | O_CREAT | O_NOFOLLOW, 0644));
  TRY(kernel::flock(lock, LOCK_EX));
  return lock;
}

// image-layout.md, "oci-layout file"
Status check_marker(const Fd &file) {
  const std::string text = TRY(kernel::read_all(file, 4096));
  const auto document = spec::json::Document::parse(text);
  if (!document) return fail(fmt::format("{}: {}", marker, document.error().message()));
  const bool object = document->root().kind() == spec::json::Kind::object;
  const spec::json::Value version = object ? document->root().member("imageLayoutVersion") : spec::json::Value();
  if (!version || version.kind() != spec::json::Kind::string) {
    return fail(fmt::format("{}: it has no imageLayoutVersion", marker));
  }
  if (!version.text().starts_with("1.")) {
    return fail(fmt::format("{}: imageLayoutVersion {} is not known, 1.0.0 is", marker, spec::quote(version.text())));
  }
  return {};
}

std::unexpected<Error> not_a_layout() {
  return fail(fmt::format("is no OCI image layout: it has no file {}", marker),
              "name the directory that holds oci-layout, index.json and blobs");
}

Status check_empty(const Fd &directory) {
  for (const std::string &name : TRY(kernel::list_directory(directory))) {
    if (name == "blobs" || std::ranges::find(own_names, name) != own_names.end()) continue;
    return fail(fmt::format("is no OCI image layout, and not empty ({})", spec::quote(name)), "name a new directory");
  }
  return {};
}

std::string empty_index() {
  spec::ImageIndex index;
  index.media_type = spec::oci_index_type;
  return spec::print_image_index(index);
}

// The marker comes last: a layout that has it is whole.
Status make_layout(const Fd &directory) {
  const Fd lock = TRY(lock_index(directory));
  TRY(kernel::make_directory(directory, "blobs/sha256", 0755));
  const Fd index = TRY(kernel::find_at(directory, index_file, O_PATH));
  if (!index.valid()) TRY(replace_file(directory, index_file, index_temporary, empty_index()));
  const Fd made = TRY(kernel::find_at(directory, marker, O_PATH));
  if (!made.valid()) TRY(replace_file(directory, marker, ".oci-layout.new", marker_text));
  return {};
}

Status ensure_layout(const Fd &directory, LayoutAccess access) {
  const Fd file = TRY(kernel::find_at(directory, marker, O_RDONLY | O_NONBLOCK));
  if (file.valid()) TRY(check_marker(file));
  if (access == LayoutAccess::read) return file.valid() ? Status() : not_a_layout();
  if (!file.valid()) TRY(check_empty(directory));
  // A layout of another tool gets the lock; one that cannot be written says so now and not after the work.
  TRY(kernel::openat(directory, layout_lock, O_RDWR | O_CREAT | O_NOFOLLOW, 0644));
  TRY(kernel::make_directory(directory, "blobs", 0755));
  return file.valid() ? Status() : make_layout(directory);
}

Status ensure_named(const std::string &path, const Fd &directory, LayoutAccess access) {
  Status done = ensure_layout(directory, access);
  if (!done && (done.error().number == EROFS || done.error().number == EACCES)) {
    done = remedy("it cannot be written to; use another directory", std::move(done));
  }
  return in(path, std::move(done));
}

std::string name_of(const spec::Descriptor &descriptor, const char *annotation) {
  const auto found = descriptor.annotations.find(annotation);
  return found == descriptor.annotations.end() ? std::string() : found->second;
}

// What find() would take for it.
std::string handle_of(const spec::Descriptor &descriptor) {
  const std::string name = name_of(descriptor, ref_name);
  return name.empty() ? descriptor.digest : name;
}

std::string listing(const std::vector<spec::Descriptor> &manifests) {
  constexpr std::size_t most = 20;
  std::vector<std::string> handles;
  for (const spec::Descriptor &manifest : manifests) {
    if (handles.size() < most) handles.push_back(handle_of(manifest));
  }
  if (handles.empty()) return "it is empty";
  return fmt::format("there {} {}{}", manifests.size() == 1 ? "is" : "are", fmt::join(handles, ", "),
                     manifests.size() > most ? fmt::format(" and {} more", manifests.size() - most) : "");
}

std::string digests_of(const std::vector<spec::Descriptor> &manifests) {
  std::vector<std::string> digests;
  for (const spec::Descriptor &manifest : manifests) {
    const auto &platform = manifest.platform;
    digests.push_back(platform ? fmt::format("{} ({}/{})", manifest.digest, platform->os, platform->architecture)
                               : manifest.digest);
  }
  return fmt::format("{}", fmt::join(digests, ", "));
}

template <class Fits>
std::vector<spec::Descriptor> select(const spec::ImageIndex &index, Fits fits) {
  std::vector<spec::Descriptor> found;
  for (const spec::Descriptor &manifest : index.manifests) {
    const bool known = std::ranges::find(found, manifest.digest, &spec::Descriptor::digest) != found.end();
    if (!known && fits(manifest)) found.push_back(manifest);
  }
  return found;
}

std::vector<spec::Descriptor> matches(const spec::ImageIndex &index, std::string_view name) {
  if (name.empty()) return select(index, [](const auto &) { return true; });
  auto found = select(index, [&](const auto &each) { return name_of(each, ref_name) == name; });
  if (found.empty()) found = select(index, [&](const auto &each) { return name_of(each, containerd_name) == name; });
  if (found.empty()) found = select(index, [&](const auto &each) { return each.digest == name; });
  return found;
}

}  // namespace

Result<Layout> Layout::open(const std::string &path, LayoutAccess access) {
  Layout layout;
  layout.path_ = path;
  if (access == LayoutAccess::write) TRY(make_with_parents(path));
  layout.directory_ = TRY(kernel::open(path, O_RDONLY | O_DIRECTORY));
  TRY(ensure_named(path, layout.directory_, access));
  return layout;
}

Result<spec::ImageIndex> Layout::load_index() const {
  const std::string place = path_ + "/" + index_file;
  const Fd file = TRY(kernel::openat(directory_, index_file, O_RDONLY | O_NONBLOCK));
  const std::string text = TRY(kernel::read_all(file, longest_index));
  spec::ImageDocument document = TRY(in(place, spec::parse_image_document(text, {})));
  if (!document.index) return fail(fmt::format("{}: it is a manifest where an index has to be", place));
  return std::move(*document.index);
}

Result<spec::Descriptor> Layout::find(std::string_view name) const {
  const spec::ImageIndex index = TRY(load_index());
  std::vector<spec::Descriptor> found = matches(index, name);
  if (found.size() == 1) return std::move(found.front());
  if (found.empty()) {
    return fail(
        ENOENT,
        name.empty() ? fmt::format("{}: no image", path_) : fmt::format("{}: no image {}", path_, spec::quote(name)),
        listing(index.manifests));
  }
  if (name.empty()) return fail(fmt::format("{}: it has {} images", path_, found.size()), listing(index.manifests));
  return fail(fmt::format("{}: {} images are called {}", path_, found.size(), spec::quote(name)),
              fmt::format("name one by its digest: {}", digests_of(found)));
}

Status Layout::set_name(std::string_view name, spec::Descriptor manifest) const {
  const Fd lock = TRY(lock_index(directory_));
  spec::ImageIndex index = TRY(load_index());
  const auto nameless = [&](const spec::Descriptor &each) {
    return each.digest == manifest.digest && name_of(each, ref_name).empty();
  };
  if (name.empty()) {
    const auto known = [&](const spec::Descriptor &each) { return each.digest == manifest.digest; };
    if (std::ranges::any_of(index.manifests, known)) return {};
    manifest.annotations.erase(ref_name);
  } else {
    std::erase_if(index.manifests, [&](const spec::Descriptor &each) { return name_of(each, ref_name) == name; });
    std::erase_if(index.manifests, nameless);
    manifest.annotations[ref_name] = name;
  }
  index.manifests.push_back(std::move(manifest));
  return in(path_, replace_file(directory_, index_file, index_temporary, spec::print_image_index(index)));
}

Result<bool> Layout::remove_name(std::string_view name) const {
  const Fd lock = TRY(lock_index(directory_));
  spec::ImageIndex index = TRY(load_index());
  const std::size_t removed = std::erase_if(
      index.manifests, [&](const spec::Descriptor &each) { return !name.empty() && name_of(each, ref_name) == name; });
  if (removed == 0) return false;
  TRY(in(path_, replace_file(directory_, index_file, index_temporary, spec::print_image_index(index))));
  return true;
}

Status Layout::remove_nameless(const std::vector<std::string> &digests) const {
  const Fd lock = TRY(lock_index(directory_));
  spec::ImageIndex index = TRY(load_index());
  const std::size_t removed = std::erase_if(index.manifests, [&](const spec::Descriptor &each) {
    return name_of(each, ref_name).empty() && std::ranges::find(digests, each.digest) != digests.end();
  });
  if (removed == 0) return {};
  return in(path_, replace_file(directory_, index_file, index_temporary, spec::print_image_index(index)));
}

Result<Fd> Layout::lock_shared() const {
  Fd lock = TRY(kernel::find_at(directory_, layout_lock, O_RDONLY));
  // Another tool's layout that is only read: nobody prunes it under this lock, and nothing is left in it.
  if (!lock.valid()) lock = TRY(kernel::openat(directory_, ".", O_RDONLY | O_DIRECTORY));
  TRY(kernel::flock(lock, LOCK_SH));
  return lock;
}

Result<Fd> Layout::lock_alone() const {
  Fd lock = TRY(kernel::openat(directory_, layout_lock, O_RDWR | O_CREAT | O_NOFOLLOW, 0644));
  TRY(kernel::flock(lock, LOCK_EX));
  return lock;
}

}  // namespace skiff::image
