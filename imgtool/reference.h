// Names of images as users type them, and where the image is: a transport with what stands behind it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "imgtool/digest.h"

namespace skiff::image {

// registry/repository[:tag][@digest] (distribution-spec, "Pulling manifests"). `alpine` is
// docker.io/library/alpine:latest; the first part is a registry where it has a dot or a colon or is "localhost".
struct ImageName {
  std::string registry;    // docker.io, localhost:5000, [::1]:5000
  std::string repository;  // library/alpine
  std::string tag;         // empty only beside a digest
  Digest digest;           // may be none

  // In full: what the store keeps it under.
  [[nodiscard]] std::string text() const;
  // As a user would type it: without docker.io/library/ and :latest.
  [[nodiscard]] std::string familiar() const;
  // What the registry's URL takes: the digest where there is one, else the tag.
  [[nodiscard]] std::string selector() const;
};

// Errors name the part and the rule it breaks; upper-case letters get the lower-case name as remedy.
[[nodiscard]] Result<ImageName> parse_image_name(std::string_view text);

enum class Transport : std::uint8_t {
  store,           // a bare name where the command works on the store
  docker,          // docker://NAME, or a bare name where the command works on a registry
  oci,             // oci:DIR[:TAG]
  oci_archive,     // oci-archive:FILE[:TAG]
  docker_archive,  // docker-archive:FILE[:NAME]
  dir,             // dir:DIR, skopeo's format
  tar,             // tar:FILE, a root filesystem
  file,            // file:DIR, a root filesystem
};

struct Reference {
  Transport transport = Transport::store;
  std::optional<ImageName> name;  // store, docker; docker_archive where one was given
  std::string path;               // the others
  std::string tag;                // oci, oci_archive; may be empty

  [[nodiscard]] std::string text() const;
};

// `bare` is what a name without a transport means. An unknown transport gets the nearest known one as remedy.
[[nodiscard]] Result<Reference> parse_reference(std::string_view text, Transport bare);

}  // namespace skiff::image
