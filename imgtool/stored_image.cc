#include "imgtool/stored_image.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "runtime/cli/nearest.h"
#include "spec/names.h"
#include "spec/text.h"

namespace skiff::image {
namespace {

constexpr const char *ref_name = "org.opencontainers.image.ref.name";
constexpr std::size_t fewest_digits = 4;

// "sha256:ab12..." or "ab12...", if it can be the start of a digest.
std::string_view digits_of(std::string_view text) {
  const std::string_view digits = text.substr(text.starts_with("sha256:") ? 7 : 0);
  return digits.size() >= fewest_digits && spec::is_hex(digits) ? digits : std::string_view();
}

bool starts(const std::string &digest, std::string_view digits) {
  return std::string_view(digest).substr(digest.find(':') + 1).starts_with(digits);
}

// Docker's image id is the digest of the configuration; of an index there is none.
bool has_id(const Layout &store, const StoredImage &image, std::string_view digits) {
  if (starts(image.root.digest, digits)) return true;
  const Result<Document> document = load_document(store, image.root);
  return document && document->content.manifest && starts(document->content.manifest->config.digest, digits);
}

}  // namespace

Result<std::vector<StoredImage>> list_stored(const Layout &store) {
  std::vector<StoredImage> all;
  for (spec::Descriptor &each : TRY(store.load_index()).manifests) {
    const auto name = each.annotations.find(ref_name);
    all.push_back({.name = name == each.annotations.end() ? "" : name->second, .root = std::move(each)});
    all.back().root.annotations.erase(ref_name);
  }
  return all;
}

Result<StoredImage> find_stored(const Layout &store, std::string_view text) {
  const std::vector<StoredImage> all = TRY(list_stored(store));
  const Result<ImageName> name = parse_image_name(text);
  const std::string full = name ? name->text() : std::string(text);
  for (const StoredImage &image : all) {
    if (image.name == full) return image;
  }
  // NAME@DIGEST of an image that is kept under NAME:TAG.
  if (name && name->digest.valid()) {
    const auto same =
        std::ranges::find_if(all, [&](const StoredImage &i) { return i.root.digest == name->digest.text(); });
    if (same != all.end()) return *same;
  }
  std::vector<StoredImage> found;
  if (const std::string_view digits = digits_of(text); !digits.empty()) {
    std::ranges::copy_if(all, std::back_inserter(found),
                         [&](const StoredImage &image) { return has_id(store, image, digits); });
    const auto other = [&](const StoredImage &image) { return image.root.digest != found.front().root.digest; };
    if (!found.empty() && !std::ranges::any_of(found, other)) return found.front();
    if (!found.empty()) return fail(fmt::format("{}: several images start with it", text), "write more digits");
  }
  if (!name) return std::unexpected(name.error());
  cli::Nearest nearest(full);
  for (const StoredImage &image : all) nearest.offer(image.name);
  return fail(ENOENT, fmt::format("{}: the store {} has no such image", name->familiar(), store.path()),
              nearest.found().empty() ? fmt::format("skiff-image pull {}", name->familiar())
                                      : fmt::format("did you mean {}?", nearest.found()));
}

Result<LoadedImage> load_image(const Layout &layout, const spec::Descriptor &manifest) {
  Document document = TRY(load_document(layout, manifest));
  if (!document.content.manifest) return fail(fmt::format("{}: an index, not a manifest", manifest.digest));
  LoadedImage image{.descriptor = manifest,
                    .manifest_bytes = std::move(document.bytes),
                    .manifest = std::move(*document.content.manifest),
                    .config_bytes = {},
                    .config = {}};
  const Digest digest = TRY(in(manifest.digest, Digest::parse(image.manifest.config.digest)));
  image.config_bytes = TRY(layout.read_blob(digest));
  image.config = TRY(in(digest.text(), spec::parse_image_config(image.config_bytes)));
  if (image.config.rootfs.diff_ids.size() != image.manifest.layers.size()) {
    return fail(EBADMSG, fmt::format("{}: {} layers, but {} diff_ids in its configuration", manifest.digest,
                                     image.manifest.layers.size(), image.config.rootfs.diff_ids.size()));
  }
  return image;
}

std::string size_text(std::int64_t bytes) {
  static constexpr std::array<const char *, 5> units = {"B", "kB", "MB", "GB", "TB"};
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; size >= 1000 && unit + 1 < units.size(); ++unit) size /= 1000;
  return unit == 0 ? fmt::format("{}B", bytes) : fmt::format("{:.3g}{}", size, units[unit]);
}

std::string age_text(const std::string &time) {
  tm parts{};
  if (std::sscanf(time.c_str(), "%d-%d-%dT%d:%d:%d", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &parts.tm_hour,
                  &parts.tm_min, &parts.tm_sec) != 6) {
    return time.empty() ? "-" : spec::quote(time);
  }
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  const std::int64_t seconds = std::max<std::int64_t>(::time(nullptr) - ::timegm(&parts), 0);
  struct Unit {
    std::int64_t seconds;
    const char *name;
  };
  static constexpr std::array<Unit, 6> units = {
      {{31557600, "year"}, {2629800, "month"}, {604800, "week"}, {86400, "day"}, {3600, "hour"}, {60, "minute"}}};
  for (const Unit &unit : units) {
    const std::int64_t count = seconds / unit.seconds;
    if (count > 0) return fmt::format("{} {}{} ago", count, unit.name, count == 1 ? "" : "s");
  }
  return fmt::format("{} second{} ago", seconds, seconds == 1 ? "" : "s");
}

}  // namespace skiff::image
