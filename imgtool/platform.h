// Which manifest of an index is meant (image-index.md, "platform"): by operating system, architecture and variant, the
// host's where nothing is said.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/image.h"

namespace skiff::image {

// What is asked for: platforms that will do, the best first.
struct PlatformRequest {
  std::vector<spec::Platform> accepted;
  [[nodiscard]] std::string text() const;  // of the best: "linux/arm/v7"
};

// "OS/ARCH[/VARIANT]", or ARCH alone for Linux; names of uname(1) (x86_64, aarch64) are taken for those of the
// specification. A variant accepts the lower ones of its architecture too: what runs on v6 runs on v7.
[[nodiscard]] Result<PlatformRequest> parse_platform(std::string_view text);
// This machine's, with the variant that its processor has; its 32-bit form (386, arm) comes last.
[[nodiscard]] PlatformRequest host_platform();
// What is made on this machine where nobody says for which: without the level of its x86-64 processor, for it runs on
// lesser ones too, and containerd takes no image of another level than the first.
[[nodiscard]] PlatformRequest build_platform();
// The same for a machine as uname(2) names it and the x86-64 level (1 to 4) of its processor.
[[nodiscard]] PlatformRequest platform_of_machine(std::string_view machine, int x86_level);

// "linux/arm/v7"
[[nodiscard]] std::string platform_text(const spec::Platform &platform);

// Reads the index behind a descriptor.
using LoadIndex = std::function<Result<spec::ImageIndex>(const spec::Descriptor &)>;

// The descriptor of the manifest that fits best; of several that fit alike the first (image-index.md, "manifests").
// Nested indexes are read where they may hold a better one, at most 4 deep and 64 in all. Attestations and other
// artifacts are no images. One without a platform fits worst. An error lists the platforms that there are.
[[nodiscard]] Result<spec::Descriptor> choose_manifest(const spec::ImageIndex &index, const PlatformRequest &request,
                                                       const LoadIndex &load);
// Every image of the index, nested ones too, in order: for "all platforms".
[[nodiscard]] Result<std::vector<spec::Descriptor>> list_manifests(const spec::ImageIndex &index,
                                                                   const LoadIndex &load);

// Whether an image that came without an index is for this platform; a configuration that names none fits.
[[nodiscard]] Status check_platform(const spec::ImageConfig &config, const PlatformRequest &request);

}  // namespace skiff::image
