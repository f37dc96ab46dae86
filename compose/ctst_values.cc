#include "compose/ctst_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include "runtime/cli/nearest.h"
#include "runtime/cli/value.h"
#include "spec/path.h"
#include "spec/sha256.h"

namespace skiff::compose::ctst {
namespace {

struct Unit {
  std::string_view name;
  double factor;
  bool docker = false;
};
constexpr std::array<Unit, 17> units = {{{"", 1},
                                         {"B", 1},
                                         {"KB", 1e3},
                                         {"MB", 1e6},
                                         {"GB", 1e9},
                                         {"KiB", 1024},
                                         {"MiB", 1048576},
                                         {"GiB", 1073741824},
                                         {"b", 1, true},
                                         {"k", 1024, true},
                                         {"m", 1048576, true},
                                         {"g", 1073741824, true},
                                         {"K", 1024, true},
                                         {"M", 1048576, true},
                                         {"G", 1073741824, true},
                                         {"kb", 1024, true},
                                         {"mb", 1048576, true}}};

bool all(std::string_view text, std::string_view letters) {
  return text.find_first_not_of(letters) == std::string_view::npos;
}

// "12", "1.5": digits on both sides of the point.
std::optional<double> parse_decimal(std::string_view text) {
  const std::size_t point = text.find('.');
  if (text.empty() || !all(text, "0123456789.") || point == 0 || point + 1 == text.size()) return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

constexpr std::string_view digits = "0123456789";
constexpr std::string_view lower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view digest_mark = "@sha256:";

// Takes "@sha256:..." off the end.
Result<std::string> take_digest(std::string_view &text) {
  const std::size_t mark = text.rfind('@');
  if (mark == std::string_view::npos || !text.substr(mark).starts_with(digest_mark)) return std::string();
  const std::string_view digest = text.substr(mark + digest_mark.size());
  if (!spec::is_sha256_hex(digest)) {
    return fail(fmt::format("{}: no digest", text.substr(mark + 1)), "sha256: has 64 hexadecimal digits behind it");
  }
  std::string out(text.substr(mark));
  text = text.substr(0, mark);
  return out;
}

bool is_part(std::string_view text, std::string_view signs) {
  return !text.empty() && std::ranges::all_of(text, [&](char letter) {
    return digits.find(letter) != std::string_view::npos || lower.find(letter) != std::string_view::npos ||
           signs.find(letter) != std::string_view::npos;
  });
}

// distribution-spec, "Pulling manifests": [HOST[:PORT]/]PATH[:TAG].
Status check_reference(std::string_view name) {
  const std::size_t last_slash = name.rfind('/') == std::string_view::npos ? 0 : name.rfind('/') + 1;
  const std::size_t colon = name.find(':', last_slash);
  const std::string_view tag = colon == std::string_view::npos ? "x" : name.substr(colon + 1);
  if (tag.empty() || tag.size() > 128 || !all(tag, fmt::format("{}{}{}_.-", digits, lower, upper))) {
    return fail(fmt::format("{}: no tag", tag.empty() ? "\"\"" : tag));
  }
  std::string_view rest = name.substr(0, colon);
  for (bool first = true; !rest.empty() || first; first = false) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    const bool more = rest.size() > part.size();
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    const bool host = first && more && (part.find_first_of(".:") != std::string_view::npos || part == "localhost");
    const bool fits =
        host ? !part.empty() && all(part, fmt::format("{}{}{}.:-[]", digits, lower, upper)) : is_part(part, "._-");
    if (!fits) {
      return fail(fmt::format("{}: no name of an image", name),
                  part.find_first_of(upper) != std::string_view::npos ? "names of images are in lower case" : "");
    }
    if (more && rest.empty()) return fail(fmt::format("{}: no name of an image", name));
  }
  return {};
}

Result<std::string> path_of(std::string_view scheme, std::string_view path, const std::string &folder) {
  if (path.empty()) return fail(fmt::format("{}:// without a path", scheme));
  std::string full = absolute(path, folder);
  if (full.empty()) {
    return fail(fmt::format("{}: a relative path in a file that came by https", path), "give an absolute path");
  }
  return full;
}

Result<ImageSource> parse_file(std::string_view rest, const std::string &folder) {
  if (rest.rfind(digest_mark) != std::string_view::npos) {
    return fail("a folder has no digest", "use tar:// with an archive");
  }
  return ImageSource{.image = "", .rootfs = TRY(path_of("file", rest, folder))};
}

Result<ImageSource> parse_tar(std::string_view rest, const std::string &folder) {
  const std::string digest = TRY(take_digest(rest));
  return ImageSource{.image = fmt::format("tar://{}{}", TRY(path_of("tar", rest, folder)), digest), .rootfs = ""};
}

Result<ImageSource> parse_https(std::string_view uri) {
  std::string_view url = uri;
  const std::string digest = TRY(take_digest(url));
  if (digest.empty()) return fail("an archive by https has no digest that it must have", "add @sha256:DIGEST");
  if (url.size() <= std::string_view("https://").size()) return fail("https:// without a host");
  return ImageSource{.image = std::string(uri), .rootfs = ""};
}

Result<ImageSource> parse_named(std::string_view uri, std::string_view rest, bool local) {
  std::string_view name = rest;
  const std::string digest = TRY(take_digest(name));
  const bool id =
      local && (spec::is_sha256_hex(name) || (name.starts_with("sha256:") && spec::is_sha256_hex(name.substr(7))));
  if (!id) TRY(check_reference(name));
  (void)uri;
  return ImageSource{.image = std::string(name) + digest, .rootfs = "", .local = local};
}

}  // namespace

std::optional<Size> parse_size(std::string_view text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string_view number = text.substr(0, end);
  std::string_view suffix = text.substr(end);
  while (suffix.starts_with(' ')) suffix.remove_prefix(1);
  const auto *const unit = std::ranges::find(units, suffix, &Unit::name);
  if (unit == units.end()) return std::nullopt;
  if (const auto whole = cli::parse_number<std::uint64_t>(number); whole && unit->factor == 1) {
    return Size{.bytes = *whole, .docker_suffix = unit->docker};
  }
  const std::optional<double> value = parse_decimal(number);
  if (!value || *value * unit->factor >= 9.2e18) return std::nullopt;
  return Size{.bytes = static_cast<std::uint64_t>(*value * unit->factor), .docker_suffix = unit->docker};
}

std::optional<std::string> parse_duration(std::string_view text) {
  if (!text.empty() && all(text, digits)) {
    return text.size() > 9 ? std::nullopt : std::optional(fmt::format("{}s", text));
  }
  // "u" and "n" of cli's are not of this language.
  if (!all(text, "0123456789.msh") || !cli::parse_duration(text)) return std::nullopt;
  return std::string(text);
}

std::optional<Cpu> parse_cpu(std::string_view text) {
  if (const auto shares = cli::parse_number<std::uint32_t>(text); shares && all(text, digits)) {
    // runc's and docker's own bounds of cpu.shares.
    if (*shares < 2 || *shares > 262144) return std::nullopt;
    return Cpu{.is_shares = true, .number = std::string(text)};
  }
  const std::optional<double> cores = parse_decimal(text);
  if (!cores || !(*cores >= 0.01) || *cores > 100000) return std::nullopt;
  return Cpu{.is_shares = false, .number = std::string(text)};
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto port = all(text, digits) ? cli::parse_number<std::uint16_t>(text) : std::nullopt;
  return port && *port != 0 ? port : std::nullopt;
}

Result<ImageSource> parse_image(std::string_view uri, const std::string &folder) {
  if (uri.empty()) return fail("an image without a name");
  const std::size_t mark = uri.find("://");
  if (mark == std::string_view::npos) return parse_named(uri, uri, false);
  const std::string_view scheme = uri.substr(0, mark);
  const std::string_view rest = uri.substr(mark + 3);
  if (scheme == "file") return parse_file(rest, folder);
  if (scheme == "tar") return parse_tar(rest, folder);
  if (scheme == "https") return parse_https(uri);
  if (scheme == "image" || scheme == "oci") return parse_named(uri, rest, scheme == "image");
  cli::Nearest nearest(scheme);
  for (const std::string_view one : {"file", "tar", "image", "oci", "https"}) nearest.offer(one);
  return fail(fmt::format("{}:// is no source of images", scheme),
              scheme == "http"          ? "http is not safe from change on its way: use https"
              : nearest.found().empty() ? "there is file, tar, image, oci and https"
                                        : fmt::format("did you mean {}://?", nearest.found()));
}

std::string scheme_of(std::string_view image) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> known = {{{"postgres", "postgres"},
                                                                                   {"mysql", "mysql"},
                                                                                   {"mariadb", "mysql"},
                                                                                   {"redis", "redis"},
                                                                                   {"mongo", "mongodb"},
                                                                                   {"rabbitmq", "amqp"},
                                                                                   {"amqp", "amqp"}}};
  image = image.substr(0, image.rfind(digest_mark));
  image = image.substr(image.rfind('/') + 1);
  image = image.substr(0, image.find(':'));
  while (!image.empty()) {
    for (const auto &[name, scheme] : known) {
      if (image.starts_with(name)) return std::string(scheme);
    }
    image.remove_prefix(std::min(image.find_first_of("-_."), image.size() - 1) + 1);
  }
  return "http";
}

std::string absolute(std::string_view path, const std::string &folder) {
  if (!path.starts_with('/') && folder.empty()) return {};
  return spec::clean_path(path.starts_with('/') ? std::string(path) : fmt::format("{}/{}", folder, path));
}

}  // namespace skiff::compose::ctst
