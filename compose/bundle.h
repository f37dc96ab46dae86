// A project with its images in one archive, that starts where there is no network (`bundle`, `unbundle`).
//
//   index.json, oci-layout, blobs/   an OCI image layout: whoever reads an oci-archive reads the images
//   project/compose.yaml             the files of the project in their long form, every variable filled in
//   project/...                      configs, read-only binds below the project's folder; secrets where they are asked
//   for skiff-bundle.json                what belongs to it, with digests
//
// The same project with the same images gives the same bytes: names are sorted, times and owners left out.
#pragma once

#include <string>
#include <vector>

#include "compose/engine.h"
#include "compose/load.h"

namespace skiff::compose {

struct BundledFile {
  std::string path;    // below project/
  std::string digest;  // sha256:HEX
};
struct BundledImage {
  std::string name;    // as services name it
  std::string tag;     // in the layout
  std::string digest;  // of the manifest
};
// skiff-bundle.json
struct BundleRecord {
  std::uint32_t version = 1;
  std::string project;
  std::vector<BundledFile> files;
  std::vector<BundledImage> images;
  std::vector<std::string> missing;  // paths below the project that `up` needs and the archive does not have: secrets
};

struct BundleRequest {
  std::string output;         // a file, which is replaced once all is there
  bool with_secrets = false;  // else their files are missing
  bool quiet = false;
};
struct MadeBundle {
  BundleRecord record;
  std::vector<std::string> notes;  // what of the project is this host's alone
  std::string digest;              // of the whole archive
};
// Pulls and builds the images that are not here. Nothing is left of it when it fails.
[[nodiscard]] Result<MadeBundle> make_bundle(const Engine &engine, const Project &project,
                                             const BundleRequest &request);

// Everything is compared with the record before an image gets its name and the directory its place: an error names the
// member, and nothing is left. `directory` empty: the project's name. `digest`: what the whole archive has to have.
struct UnbundleRequest {
  std::string archive;
  std::string directory;
  std::string digest;
};
struct Unbundled {
  BundleRecord record;
  std::string directory;
};
[[nodiscard]] Result<Unbundled> unpack_bundle(const Engine &engine, const UnbundleRequest &request);

}  // namespace skiff::compose
