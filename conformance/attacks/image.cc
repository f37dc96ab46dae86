#include "conformance/attacks/image.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include <algorithm>

#include "runtime/kernel/path.h"
#include "spec/sha256.h"

namespace skiff::conformance {
namespace {

constexpr std::size_t block_size = 512;

void put(std::string &block, std::size_t offset, std::string_view text) { block.replace(offset, text.size(), text); }
void put_number(std::string &block, std::size_t offset, int digits, std::uint64_t value) {
  put(block, offset, fmt::format("{:0{}o}", value, digits));
}

// POSIX.1-1988 ustar. A name that is too long is cut: attacks have short ones.
std::string header_of(const Entry &entry) {
  constexpr std::size_t longest = 100;
  std::string block(block_size, '\0');
  put(block, 0, std::string_view(entry.name).substr(0, longest));
  put_number(block, 100, 7, entry.mode);
  put_number(block, 108, 7, entry.owner);
  put_number(block, 116, 7, entry.owner);
  put_number(block, 124, 11, entry.data.size());
  put_number(block, 136, 11, 1'000'000'000);
  block[156] = entry.type;
  put(block, 157, std::string_view(entry.link).substr(0, longest));
  put(block, 257, std::string_view("ustar\00000", 8));
  put(block, 148, "        ");
  unsigned sum = 0;
  for (const char byte : block) sum += static_cast<unsigned char>(byte);
  put_number(block, 148, 6, sum);
  block[154] = '\0';
  return block;
}

std::string_view architecture() {
  utsname names{};
  (void)::uname(&names);
  const std::string_view machine = names.machine;
  return machine == "x86_64" ? "amd64" : machine == "aarch64" ? "arm64" : machine;
}

std::string digest_of(std::string_view bytes) { return "sha256:" + spec::sha256_hex(bytes); }

Tree descriptor_of(std::string_view type, const std::string &digest, std::size_t size) {
  Tree descriptor = "{}"_json;
  descriptor.set("/mediaType", fmt::format("application/vnd.oci.image.{}", type));
  descriptor.set("/digest", digest);
  descriptor.set("/size", size);
  return descriptor;
}

struct Layout {
  std::string directory;

  [[nodiscard]] std::string blob(const std::string &digest) const {
    return fmt::format("{}/blobs/sha256/{}", directory, digest.substr(digest.find(':') + 1));
  }
  [[nodiscard]] Result<Tree> add(std::string_view type, const std::string &bytes) const {
    const std::string digest = digest_of(bytes);
    TRY(write_file(blob(digest), bytes));
    return descriptor_of(type, digest, bytes.size());
  }
};

Status write_layout(const Layout &layout, const Image &image) {
  for (const char *name : {"", "/blobs", "/blobs/sha256"}) TRY(make_directory(layout.directory + name));
  Tree config = R"({"os": "linux", "rootfs": {"type": "layers", "diff_ids": []}})"_json;
  config.set("/architecture", std::string(architecture()));
  config.set("/config", image.config);
  Tree manifest =
      R"({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": []})"_json;
  for (const Layer &layer : image.layers) {
    const std::string digest = layer.digest.empty() ? digest_of(layer.tar) : layer.digest;
    const std::string &stored = layer.stored.empty() ? layer.tar : layer.stored;
    if (digest.find('/') == std::string::npos) TRY(write_file(layout.blob(digest), stored));
    config.set("/rootfs/diff_ids/-", digest_of(layer.tar));
    manifest.set("/layers/-", descriptor_of("layer.v1.tar", digest, stored.size()));
  }
  manifest.set("/config", TRY(layout.add("config.v1+json", config.dump())));
  Tree index = R"({"schemaVersion": 2, "manifests": []})"_json;
  Tree named = TRY(layout.add("manifest.v1+json", manifest.dump()));
  named.set("/annotations/org.opencontainers.image.ref.name", "one");
  index.set("/manifests/-", std::move(named));
  TRY(write_file(layout.directory + "/oci-layout", R"({"imageLayoutVersion": "1.0.0"})"));
  return write_file(layout.directory + "/index.json", index.dump());
}

using Words = std::vector<std::string>;

// What a program gets and where it puts it.
struct Job {
  Stage *stage;
  const Image *image;
  std::string layout;
  std::string directory;

  [[nodiscard]] Result<Outcome> call(const Words &words) const { return stage->call_alone(words, directory); }
  [[nodiscard]] std::string made() const { return stage->path("made"); }
  [[nodiscard]] Unpacked bundle(const Outcome &outcome) const {
    const bool good = outcome.code == 0;
    stage->note(good ? "it is unpacked, and the attack had no effect" : "it refuses: " + last_line(outcome.err));
    return {made() + "/rootfs", made() + "/config.json", good};
  }
};

Result<Unpacked> by_skiff(const Job &job) {
  const Words store = {"--progress", "none", "--store", job.stage->path("store")};
  const auto call = [&](const Words &words) -> Result<Outcome> {
    Words all = store;
    all.insert(all.end(), words.begin(), words.end());
    return job.call(all);
  };
  const Outcome pulled = TRY(call({"pull", "oci:" + job.layout + ":one", "one"}));
  if (pulled.code != 0) return job.bundle(pulled);
  return job.bundle(TRY(call({"unpack", "--pull", "never", "one", job.made()})));
}

Result<Unpacked> by_umoci(const Job &job) {
  return job.bundle(TRY(job.call({"unpack", "--image", job.layout + ":one", job.made()})));
}

// Into the store that Podman, Buildah and CRI-O have: the layer that lies on no other is the last one.
Result<Unpacked> by_skopeo(const Job &job) {
  const std::string store = job.made();
  TRY(make_directory(store));
  const std::string settings = job.stage->path("storage.conf");
  TRY(write_file(settings, "[storage]\ndriver = \"vfs\"\n"));
  if (::setenv("CONTAINERS_STORAGE_CONF", settings.c_str(), 1) != 0) return fail(errno, "setenv");
  const Outcome outcome =
      TRY(job.call({"copy", "--quiet", "--insecure-policy", "oci:" + job.layout + ":one",
                    fmt::format("containers-storage:[vfs@{0}/root+{0}/run]localhost/one:1", store)}));
  Unpacked unpacked = job.bundle(outcome);
  unpacked.config.clear();
  if (outcome.code != 0) return unpacked;
  const Tree layers = TRY(Tree::parse(TRY(read_file(store + "/root/vfs-layers/layers.json"))));
  for (const Tree::Member &layer : layers.members()) {
    const std::string id = layer.value.text("/id");
    const bool is_parent = std::ranges::any_of(
        layers.members(), [&](const Tree::Member &other) { return other.value.text("/parent") == id; });
    if (!is_parent) unpacked.rootfs = fmt::format("{}/root/vfs/dir/{}", store, id);
  }
  return unpacked;
}

// A layer after the other, as a script would: by absolute names and links, too.
Result<Unpacked> by_tar(const Job &job) {
  TRY(make_directory(job.made()));
  TRY(make_directory(job.made() + "/rootfs"));
  Outcome outcome;
  for (const Layer &layer : job.image->layers) {
    const std::string digest = layer.digest.empty() ? digest_of(layer.tar) : layer.digest;
    outcome = TRY(job.call({"--extract", "--absolute-names", "--file", Layout{job.layout}.blob(digest), "--directory",
                            job.made() + "/rootfs"}));
  }
  Unpacked unpacked = job.bundle(outcome);
  unpacked.config.clear();
  return unpacked;
}

struct Unpacker {
  std::string_view name;
  Result<Unpacked> (*unpack)(const Job &job);
};
constexpr std::array<Unpacker, 5> unpackers = {{
    {"skiff-image", by_skiff},
    {"umoci", by_umoci},
    {"skopeo", by_skopeo},
    {"tar", by_tar},
    {"weak_unpacker", by_umoci},
}};

const Unpacker *find_unpacker(std::string_view name) {
  const auto *found = std::ranges::find(unpackers, name.substr(0, name.find('#')), &Unpacker::name);
  return found == unpackers.end() ? nullptr : found;
}

}  // namespace

Entry file_entry(std::string name, std::string data) { return {.name = std::move(name), .data = std::move(data)}; }
Entry directory_entry(std::string name, unsigned mode) { return {.type = '5', .name = std::move(name), .mode = mode}; }
Entry link_entry(std::string name, std::string target) {
  return {.type = '2', .name = std::move(name), .link = std::move(target), .mode = 0777};
}
Entry hard_link_entry(std::string name, std::string target) {
  return {.type = '1', .name = std::move(name), .link = std::move(target)};
}

std::string tar_of(const std::vector<Entry> &entries) {
  std::string tar;
  for (const Entry &entry : entries) {
    tar += header_of(entry) + entry.data;
    tar.resize((tar.size() + block_size - 1) / block_size * block_size, '\0');
  }
  return tar + std::string(2 * block_size, '\0');
}

Image image_of(const std::vector<std::vector<Entry>> &layers) {
  Image image;
  for (const std::vector<Entry> &entries : layers) image.layers.push_back({.tar = tar_of(entries)});
  return image;
}

Result<Unpacked> unpack(Stage &stage, const Image &image, const std::string &directory) {
  const Job job{.stage = &stage, .image = &image, .layout = stage.path("layout"), .directory = directory};
  TRY(write_layout({job.layout}, image));
  return find_unpacker(stage.runtime().name)->unpack(job);
}

bool is_unpacker(std::string_view name) { return find_unpacker(name) != nullptr; }

}  // namespace skiff::conformance
