#include <fmt/format.h>

#include "imgtool/take_in.h"
#include "imgtool/transport.h"
#include "runtime/kernel/path.h"

namespace skiff::image {
namespace {

constexpr std::size_t largest_document = std::size_t{16} << 20U;
constexpr std::string_view version_text = "Directory Transport Version: 1.1\n";

std::string document_name(const Digest &digest) { return fmt::format("{}.manifest.json", digest.hex()); }

Result<std::string> read_text_file(const kernel::Fd &directory, const std::string &name) {
  const kernel::Fd file = TRY(kernel::open_beneath(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  return kernel::read_all(file, largest_document);
}

Status write_file(kernel::FdView directory, const std::string &name, const ReadBytes &bytes) {
  const kernel::Fd file = TRY(kernel::openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644));
  std::vector<char> buffer(1U << 20U);
  for (;;) {
    const std::size_t count = TRY(bytes(buffer));
    if (count == 0) return {};
    TRY(kernel::write_all(file, std::string_view(buffer.data(), count)));
  }
}

}  // namespace

Result<Imported> import_dir(const std::string &path, const Layout &into, const Selection &selection,
                            Progress &progress) {
  const kernel::Fd directory = TRY(kernel::open(path, O_RDONLY | O_DIRECTORY));
  const std::string bytes =
      TRY(remedy("name a directory that skopeo's dir: made", read_text_file(directory, "manifest.json")));
  const spec::ImageDocument content = TRY(in(path + "/manifest.json", spec::parse_image_document(bytes, "")));
  spec::Descriptor root;
  root.media_type = content.media_type;
  root.digest = digest_of(bytes).text();
  root.size = static_cast<std::int64_t>(bytes.size());
  kernel::Fd file;
  const Holder holder{.read_document = [&](const spec::Descriptor &descriptor) -> Result<std::string> {
                        if (descriptor.digest == root.digest) return bytes;
                        return read_text_file(directory, document_name(TRY(Digest::parse(descriptor.digest))));
                      },
                      .open_blob = [&](const spec::Descriptor &descriptor) -> Result<ReadBytes> {
                        const std::string name(TRY(Digest::parse(descriptor.digest)).hex());
                        file = TRY(kernel::open_beneath(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
                        return read_stream(file);
                      }};
  return Imported{.root = TRY(in(path, copy_image(holder, root, into, selection, progress))), .names = {}};
}

Status export_dir(const Layout &from, const spec::Descriptor &root, kernel::FdView directory, Progress &progress) {
  const kernel::Fd reading = TRY(from.lock_shared());
  const Holder holder = hold(from);
  TRY(write_file(directory, "version", read_text(version_text)));
  return walk_image(holder, root, [&](const spec::Descriptor &descriptor, bool is_document) -> Status {
    const Digest digest = TRY(Digest::parse(descriptor.digest));
    if (!descriptor.urls.empty() && !TRY(from.has_blob(digest))) return {};
    const std::string name = descriptor.digest == root.digest ? "manifest.json"
                             : is_document                    ? document_name(digest)
                                                              : std::string(digest.hex());
    ProgressItem item = progress.begin(digest.short_hex(), "Writing", static_cast<std::uint64_t>(descriptor.size));
    TRY(write_file(directory, name, TRY(holder.open_blob(descriptor))));
    item.done("Written");
    return {};
  });
}

}  // namespace skiff::image
