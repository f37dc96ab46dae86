#include "imgtool/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "spec/names.h"
#include "spec/text.h"

namespace skiff::image {
namespace {

using spec::quote;

constexpr std::string_view docker_registry = "docker.io";
constexpr std::string_view docker_library = "library/";
// distribution-spec, "Pulling manifests": many registries count registry and repository together.
constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_tag = 128;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// What is wrong with the name of an image, put together as the error of the whole.
std::unexpected<Error> wrong(std::string_view text, std::string what, std::string remedy = {}) {
  return fail(fmt::format("image name {}: {}", quote(text), what), std::move(remedy));
}

// [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*
bool is_path_component(std::string_view text) {
  std::size_t at = 0;
  while (true) {
    const std::size_t begin = at;
    while (at < text.size() && (is_lower(text[at]) || is_digit(text[at]))) ++at;
    if (at == begin) return false;
    if (at == text.size()) return true;
    if (text[at] == '-') {
      while (at < text.size() && text[at] == '-') ++at;
    } else if (text.substr(at).starts_with("__")) {
      at += 2;
    } else if (text[at] == '.' || text[at] == '_') {
      ++at;
    } else {
      return false;
    }
  }
}

bool is_tag(std::string_view text) {
  const auto word = [](char c) { return is_lower(c) || is_upper(c) || is_digit(c) || c == '_'; };
  return !text.empty() && text.size() <= longest_tag && word(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return word(c) || c == '.' || c == '-'; });
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

bool is_host_label(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.back() != '-' &&
         std::ranges::all_of(text, [](char c) { return is_lower(c) || is_upper(c) || is_digit(c) || c == '-'; });
}

bool is_host(std::string_view text) {
  if (text.starts_with('[')) {
    const std::string_view inside = text.substr(1, text.size() - 2);
    return text.ends_with(']') && inside.find(':') != std::string_view::npos && std::ranges::all_of(inside, [](char c) {
             return spec::is_hex(spec::lower_case(c)) || c == ':' || c == '.';
           });
  }
  while (true) {
    const std::size_t dot = text.find('.');
    if (!is_host_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_registry(std::string_view text) {
  const std::size_t bracket = text.rfind(']');
  const std::size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon == std::string_view::npos) return is_host(text);
  return is_host(text.substr(0, colon)) && is_port(text.substr(colon + 1));
}

bool names_registry(std::string_view first) {
  return first.find_first_of(".:") != std::string_view::npos || first == "localhost";
}

// A name in parts, none of them checked.
struct Parts {
  std::string_view registry;
  std::string_view repository;
  std::optional<std::string_view> tag;
  std::optional<std::string_view> digest;
};

Parts split(std::string_view text) {
  Parts parts;
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    parts.digest = text.substr(at + 1);
    text = text.substr(0, at);
  }
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos && names_registry(text.substr(0, slash))) {
    parts.registry = text.substr(0, slash);
    text.remove_prefix(slash + 1);
  }
  // A colon before a slash belongs to a registry that stands where none may.
  const std::size_t colon = text.find(':', text.rfind('/') == std::string_view::npos ? 0 : text.rfind('/'));
  if (colon != std::string_view::npos) {
    parts.tag = text.substr(colon + 1);
    text = text.substr(0, colon);
  }
  parts.repository = text;
  return parts;
}

Status check_repository(std::string_view text, std::string_view repository) {
  if (repository.empty()) return wrong(text, "it has no repository", "write it as alpine or host:port/path:tag");
  std::string_view rest = repository;
  while (true) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (!is_path_component(part)) {
      const std::string lower = spec::lower_case(repository);
      const bool only_case = lower != repository && is_path_component(spec::lower_case(part));
      return wrong(
          text, fmt::format("the repository's part {} is not of a-z, 0-9 and single . _ - between them", quote(part)),
          only_case ? fmt::format("write it in lower case: {}", lower) : std::string());
    }
    if (slash == std::string_view::npos) return {};
    rest.remove_prefix(slash + 1);
  }
}

Status check_parts(std::string_view text, const Parts &parts) {
  if (text.starts_with("http://") || text.starts_with("https://")) {
    return wrong(text, "a URL is no name of an image",
                 fmt::format("leave out {}", text.substr(0, text.find("//") + 2)));
  }
  if (!parts.registry.empty() && !is_registry(parts.registry)) {
    return wrong(text, fmt::format("the registry {} is no HOST or HOST:PORT", quote(parts.registry)));
  }
  TRY(check_repository(text, parts.repository));
  if (parts.tag && !is_tag(*parts.tag)) {
    return wrong(text, fmt::format("the tag {} is not 1 to {} letters of A-Z a-z 0-9 _ . - that begin with none of . -",
                                   quote(*parts.tag), longest_tag));
  }
  return {};
}

}  // namespace

std::string ImageName::text() const {
  std::string out = registry + "/" + repository;
  if (!tag.empty()) out += ":" + tag;
  if (digest.valid()) out += "@" + digest.text();
  return out;
}

std::string ImageName::familiar() const {
  std::string out = text();
  const std::string_view first = std::string_view(repository).substr(0, repository.find('/'));
  if (registry == docker_registry && !names_registry(first)) {
    out.erase(0, docker_registry.size() + 1);
    // library/a/b is not a/b.
    const bool official = first == "library" && repository.find('/', docker_library.size()) == std::string::npos;
    if (official) out.erase(0, docker_library.size());
  }
  if (tag == "latest" && !digest.valid()) out.resize(out.size() - std::string_view(":latest").size());
  return out;
}

std::string ImageName::selector() const { return digest.valid() ? digest.text() : tag; }

Result<ImageName> parse_image_name(std::string_view text) {
  if (text.empty()) return fail("image name: it is empty", "write it as alpine or host:port/path:tag");
  const Parts parts = split(text);
  TRY(check_parts(text, parts));
  ImageName name;
  name.registry = parts.registry;
  name.repository = parts.repository;
  if (name.registry.empty() || name.registry == "index.docker.io") name.registry = docker_registry;
  if (name.registry == docker_registry && name.repository.find('/') == std::string::npos) {
    name.repository.insert(0, docker_library);
  }
  if (parts.digest) name.digest = TRY(in(fmt::format("image name {}", quote(text)), Digest::parse(*parts.digest)));
  if (parts.registry.empty() && !parts.digest && parts.repository.size() == 64 && spec::is_hex(parts.repository)) {
    return wrong(text, "64 hexadecimal digits are an id, not a name", fmt::format("write NAME@sha256:{}", text));
  }
  name.tag = parts.tag ? std::string(*parts.tag) : name.digest.valid() ? "" : "latest";
  if (name.registry.size() + 1 + name.repository.size() > longest_name) {
    return wrong(text, fmt::format("registry and repository are longer than {} bytes", longest_name));
  }
  return name;
}

namespace {

struct Scheme {
  std::string_view prefix;  // as typed
  Transport transport;
};
constexpr std::array<Scheme, 7> schemes = {{
    {"docker://", Transport::docker},
    {"oci:", Transport::oci},
    {"oci-archive:", Transport::oci_archive},
    {"docker-archive:", Transport::docker_archive},
    {"dir:", Transport::dir},
    {"tar:", Transport::tar},
    {"file:", Transport::file},
}};

// What other tools have and this one does not: "docker-daemon:x:y" would else be read as a name with a tag.
constexpr std::array<std::string_view, 5> foreign_schemes = {
    "docker-daemon:", "containers-storage:", "sif:", "ostree:", "atomic:"};

std::string_view prefix_of(Transport transport) {
  const auto *const found = std::ranges::find(schemes, transport, &Scheme::transport);
  return found == schemes.end() ? std::string_view() : found->prefix;
}

std::unexpected<Error> unknown_transport(std::string_view text, std::string_view word) {
  std::array<std::string_view, schemes.size()> known{};
  std::ranges::transform(schemes, known.begin(),
                         [](const Scheme &scheme) { return scheme.prefix.substr(0, scheme.prefix.find(':')); });
  return fail(fmt::format("image {}: unknown transport {}", quote(text), quote(word)), spec::suggest_name(known, word));
}

// "word:/path", "word:./path", "word://x": nobody means a tag by that.
Status check_transport(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || text.substr(0, colon).find_first_of("/.@[") != std::string_view::npos)
    return {};
  const std::string_view word = text.substr(0, colon);
  if (word == "http" || word == "https") return {};  // told by the name's own error
  const std::string_view after = text.substr(colon + 1);
  const bool foreign = std::ranges::find(foreign_schemes, text.substr(0, colon + 1)) != foreign_schemes.end();
  if (!foreign && !after.starts_with('/') && !after.starts_with("./") && !after.starts_with("../")) return {};
  if (word == "docker")
    return fail(fmt::format("image {}: docker is followed by //", quote(text)), "write docker://NAME");
  return unknown_transport(text, word);
}

// PATH[:SECOND]: the first colon parts them, as skopeo has it.
Result<std::optional<std::string_view>> split_path(std::string_view text, std::string_view rest, Reference &out) {
  const std::size_t colon = rest.find(':');
  out.path = rest.substr(0, colon);
  if (out.path.empty()) return fail(fmt::format("image {}: it has no path", quote(text)));
  if (out.path.find('\0') != std::string::npos) return fail(fmt::format("image {}: the path holds a NUL", quote(text)));
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view second = rest.substr(colon + 1);
  if (second.empty()) {
    return fail(fmt::format("image {}: nothing stands after the path's colon", quote(text)),
                "leave the colon out, or write the tag; a path cannot hold a colon here");
  }
  return second;
}

// image-layout.md, "org.opencontainers.image.ref.name"
bool is_ref_name(std::string_view text) {
  const auto separator = [](char c) { return std::string_view("-._:@/+").find(c) != std::string_view::npos; };
  return !separator(text.front()) && !separator(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return is_lower(c) || is_upper(c) || is_digit(c) || separator(c); });
}

Result<Reference> parse_path(std::string_view text, Transport transport, std::string_view rest) {
  Reference out;
  out.transport = transport;
  if (transport == Transport::dir || transport == Transport::tar || transport == Transport::file) {
    out.path = rest;
    if (rest.empty()) return fail(fmt::format("image {}: it has no path", quote(text)));
    return out;
  }
  const std::optional<std::string_view> second = TRY(split_path(text, rest, out));
  if (!second) return out;
  if (transport == Transport::docker_archive) {
    out.name = TRY(parse_image_name(*second));
  } else if (!is_ref_name(*second)) {
    return fail(fmt::format("image {}: the tag {} is not of A-Z a-z 0-9 and - . _ : @ / + between them", quote(text),
                            quote(*second)));
  } else {
    out.tag = *second;
  }
  return out;
}

}  // namespace

std::string Reference::text() const {
  std::string out(prefix_of(transport));
  if (transport == Transport::store || transport == Transport::docker) return name ? out + name->text() : out;
  out += path;
  if (name) out += ":" + name->text();
  if (!tag.empty()) out += ":" + tag;
  return out;
}

Result<Reference> parse_reference(std::string_view text, Transport bare) {
  for (const Scheme &scheme : schemes) {
    if (!text.starts_with(scheme.prefix)) continue;
    const std::string_view rest = text.substr(scheme.prefix.size());
    if (scheme.transport != Transport::docker) return parse_path(text, scheme.transport, rest);
    return Reference{Transport::docker, TRY(parse_image_name(rest)), {}, {}};
  }
  TRY(check_transport(text));
  return Reference{bare, TRY(parse_image_name(text)), {}, {}};
}

}  // namespace skiff::image
