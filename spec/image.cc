#include "spec/image.h"

#include <fmt/format.h>

#include <algorithm>

#include "spec/base64.h"
#include "spec/check.h"
#include "spec/fields_image.h"
#include "spec/json.h"
#include "spec/media_types.h"
#include "spec/names.h"
#include "spec/reader.h"
#include "spec/text.h"
#include "spec/writer.h"

namespace skiff::spec {

namespace {

constexpr std::string_view docker_schema1_prefix = "application/vnd.docker.distribution.manifest.v1+";

bool is_lower_or_digit(char letter) { return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9'); }
bool is_encoded(char letter) {
  return is_lower_or_digit(letter) || (letter >= 'A' && letter <= 'Z') ||
         std::string_view("=_-").find(letter) != std::string_view::npos;
}

// descriptor.md, "Digests": algorithm-component [+._-] algorithm-component ... : encoded
bool has_digest_grammar(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == 0 || colon == std::string_view::npos || colon + 1 == text.size()) return false;
  bool component = false;
  for (const char letter : text.substr(0, colon)) {
    const bool separator = std::string_view("+._-").find(letter) != std::string_view::npos;
    if (!is_lower_or_digit(letter) && !(separator && component)) return false;
    component = !separator;
  }
  return component && std::ranges::all_of(text.substr(colon + 1), is_encoded);
}

// "Implementations SHOULD allow digests with unrecognized algorithms to pass validation": who wants the content then
// learns that it cannot be verified here.
void check_digest(Checker &c, const Place &at, std::string_view digest) {
  c.clause("descriptor.md, Digests");
  const std::string_view algorithm = digest.substr(0, digest.find(':'));
  const bool computable = algorithm == "sha256" || algorithm == "sha512";
  if (is_digest(digest) || (!computable && has_digest_grammar(digest))) return;
  c.add(at, fmt::format("{} is no digest", quote(digest)),
        computable
            ? fmt::format("{} has {} hexadecimal digits in lower case", algorithm, algorithm == "sha256" ? 64 : 128)
            : "write sha256: and 64 hexadecimal digits");
}

void check_data(Checker &c, const Place &at, const Descriptor &descriptor) {
  const std::optional<std::string> content = decode_base64(*descriptor.data);
  if (!content) {
    c.add(at, "is not base64 (RFC 4648, section 4)");
  } else if (std::cmp_not_equal(content->size(), descriptor.size)) {
    c.add(at, fmt::format("holds {} bytes, but size says {}", content->size(), descriptor.size));
  }
}

void check_descriptor(Checker &c, const Place &at, const Descriptor &descriptor) {
  check_digest(c, at / "digest", descriptor.digest);
  c.clause("descriptor.md, Properties");
  if (descriptor.size < 0) c.add(at / "size", fmt::format("{} is no number of bytes", descriptor.size));
  if (descriptor.data) check_data(c, at / "data", descriptor);
}

void check_descriptors(Checker &c, const Place &at, const std::vector<Descriptor> &descriptors) {
  for (std::size_t i = 0; i < descriptors.size(); ++i) check_descriptor(c, at / i, descriptors[i]);
}

void check_version(Checker &c, const Place &at, std::uint32_t version) {
  if (version != 2) c.add(at / "schemaVersion", fmt::format("is {}, and only 2 is known", version));
}

void check_document(Checker &c, const ImageManifest &manifest) {
  const Place at("");
  c.clause("manifest.md, Image Manifest Property Descriptions");
  check_version(c, at, manifest.schema_version);
  check_descriptor(c, at / "config", manifest.config);
  check_descriptors(c, at / "layers", manifest.layers);
  if (manifest.subject) check_descriptor(c, at / "subject", *manifest.subject);
}

void check_document(Checker &c, const ImageIndex &index) {
  const Place at("");
  c.clause("image-index.md, Image Index Property Descriptions");
  check_version(c, at, index.schema_version);
  check_descriptors(c, at / "manifests", index.manifests);
  if (index.subject) check_descriptor(c, at / "subject", *index.subject);
}

void check_document(Checker &c, const ImageConfig &config) {
  const Place at("");
  const Place diff_ids = at / "rootfs";
  c.clause("config.md, Properties");
  if (config.rootfs.type != "layers") {
    c.add(diff_ids / "type", fmt::format("is {}, and has to be \"layers\"", quote(config.rootfs.type)));
  }
  const Place list = diff_ids / "diff_ids";
  for (std::size_t i = 0; i < config.rootfs.diff_ids.size(); ++i) {
    check_digest(c, list / i, config.rootfs.diff_ids[i]);
  }
}

// The whole document, or all that is wrong with it.
template <class T>
Result<T> read_document(std::string_view name, json::Value root) {
  std::vector<Finding> findings;
  T out;
  if (Reader(findings).document(root, out)) {
    Checker checker(&findings);
    check_document(checker, out);
    std::ranges::move(checker.take(), std::back_inserter(findings));
  }
  if (!findings.empty()) return std::unexpected(findings_error(name, findings));
  return out;
}

// Null counts: Go writes it for an empty list.
bool has_member(json::Value object, std::string_view name) {
  bool found = false;
  object.each([&](json::Value value) { found = found || value.key() == name; });
  return found || object.member(name);
}

// Types with which a server says that it does not know what it sends.
bool says_nothing(std::string_view media_type) {
  return media_type.empty() || media_type == "application/json" || media_type == "application/octet-stream" ||
         media_type == "binary/octet-stream" || media_type == "text/plain";
}

Status check_schema1(json::Value root, std::string_view media_type) {
  const json::Value version = root.member("schemaVersion");
  const bool first = version && version.kind() == json::Kind::natural && version.number() == 1;
  if (!first && !media_type.starts_with(docker_schema1_prefix) && !has_member(root, "fsLayers")) return {};
  return fail("the manifest is of Docker's schema 1, which was given up in 2016 and is not read",
              "have the image pulled and pushed again by a current Docker, or use another tag");
}

// Its own word and what came with it have to agree (CVE-2021-41190); empty where neither says anything.
Result<std::string> agreed_type(json::Value root, std::string_view media_type) {
  const json::Value member = root.member("mediaType");
  if (member && member.kind() != json::Kind::string) return fail("manifest: /mediaType: expected a string");
  std::string own(member ? member.text() : std::string_view());
  if (own.empty()) return std::string(says_nothing(media_type) ? std::string_view() : media_type);
  if (!says_nothing(media_type) && own != media_type) {
    return fail(
        fmt::format("manifest: /mediaType: is {}, but it came as {} (CVE-2021-41190)", quote(own), quote(media_type)),
        "the registry or the layout is wrong; push the image again");
  }
  return own;
}

enum class Shape : std::uint8_t { manifest, index };

Result<Shape> shape_of(json::Value root, std::string_view type) {
  const bool lists_manifests = has_member(root, "manifests");
  const bool lists_layers = has_member(root, "layers") || has_member(root, "config");
  if (lists_manifests && lists_layers) {
    return fail("manifest: has both /manifests and /layers or /config, so that readers disagree on what it is",
                "push the image again; this is refused for CVE-2021-41190");
  }
  if (!type.empty() && !is_index_type(type) && !is_manifest_type(type)) {
    return fail(fmt::format("manifest: {} is no type of a manifest or an index that is known here", quote(type)));
  }
  const bool index = type.empty() ? lists_manifests : is_index_type(type);
  if (index ? lists_layers : lists_manifests) {
    return fail(fmt::format("manifest: its type {} does not fit its members (CVE-2021-41190)", quote(type)));
  }
  if (!lists_manifests && !lists_layers) {
    return fail("manifest: has neither /layers nor /manifests", "it is no OCI image; look at what the name stands for");
  }
  return index ? Shape::index : Shape::manifest;
}

Result<json::Document> parse_object(std::string_view name, std::string_view text) {
  auto document = json::Document::parse(text);
  if (!document) return std::unexpected(findings_error(name, {document.error()}));
  if (document->root().kind() != json::Kind::object) return fail(fmt::format("{}: expected a JSON object", name));
  return std::move(*document);
}

}  // namespace

bool is_digest(std::string_view text) {
  const std::size_t digits = text.starts_with("sha256:") ? 64 : text.starts_with("sha512:") ? 128 : 0;
  return digits != 0 && text.size() == digits + 7 && is_hex(text.substr(7));
}

Result<ImageDocument> parse_image_document(std::string_view json, std::string_view media_type) {
  const json::Document parsed = TRY(parse_object("manifest", json));
  const json::Value root = parsed.root();
  TRY(check_schema1(root, without_parameters(media_type)));
  ImageDocument document;
  document.media_type = TRY(agreed_type(root, without_parameters(media_type)));
  if (TRY(shape_of(root, document.media_type)) == Shape::index) {
    document.index = TRY(read_document<ImageIndex>("index", root));
    if (document.media_type.empty()) document.media_type = oci_index_type;
  } else {
    document.manifest = TRY(read_document<ImageManifest>("manifest", root));
    if (document.media_type.empty()) document.media_type = oci_manifest_type;
  }
  return document;
}

Result<ImageConfig> parse_image_config(std::string_view json) {
  const json::Document document = TRY(parse_object("image configuration", json));
  return read_document<ImageConfig>("image configuration", document.root());
}

std::string print_image_manifest(const ImageManifest &manifest) { return Writer("").document(manifest); }
std::string print_image_index(const ImageIndex &index) { return Writer("").document(index); }
std::string print_image_config(const ImageConfig &config) { return Writer("").document(config); }

}  // namespace skiff::spec
