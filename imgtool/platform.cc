#include "imgtool/platform.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <optional>

#include "spec/media_types.h"
#include "spec/names.h"

namespace skiff::image {
namespace {

using spec::Descriptor;
using spec::Platform;

constexpr int deepest_index = 4;
constexpr int most_indexes = 64;

struct MachineName {
  std::string_view machine;  // as uname(2) and users have it
  std::string_view architecture;
  std::string_view variant;
};
constexpr std::array<MachineName, 18> machine_names = {{
    {"x86_64", "amd64", ""},
    {"x86-64", "amd64", ""},
    {"i386", "386", ""},
    {"i486", "386", ""},
    {"i586", "386", ""},
    {"i686", "386", ""},
    {"aarch64", "arm64", ""},
    {"armv8l", "arm", "v8"},
    {"armv7l", "arm", "v7"},
    {"armv6l", "arm", "v6"},
    {"armv5tel", "arm", "v5"},
    {"armhf", "arm", "v7"},
    {"armel", "arm", "v6"},
    {"ppc64el", "ppc64le", ""},
    {"loongarch64", "loong64", ""},
    {"x86_64_v2", "amd64", "v2"},
    {"x86_64_v3", "amd64", "v3"},
    {"x86_64_v4", "amd64", "v4"},
}};

constexpr std::array<std::string_view, 14> known_architectures = {"amd64",   "arm64",  "arm",     "386",      "riscv64",
                                                                  "ppc64le", "s390x",  "loong64", "mips64le", "mipsle",
                                                                  "ppc64",   "mips64", "mips",    "wasm"};

Platform make_platform(std::string_view os, std::string_view architecture, std::string_view variant) {
  Platform platform;
  platform.os = os;
  platform.architecture = architecture;
  platform.variant = variant;
  return platform;
}

// Two ways to write the same become one: amd64/v1 is amd64, arm64/v8 is arm64, arm alone is arm/v7, "7" is "v7".
Platform normal(Platform platform) {
  const auto *const known = std::ranges::find(machine_names, platform.architecture, &MachineName::machine);
  if (known != machine_names.end()) {
    platform.architecture = known->architecture;
    if (platform.variant.empty()) platform.variant = known->variant;
  }
  std::string &variant = platform.variant;
  if (variant.size() == 1 && variant[0] >= '1' && variant[0] <= '9') variant.insert(0, "v");
  if (platform.architecture == "amd64" && variant == "v1") variant.clear();
  if (platform.architecture == "arm64" && (variant == "v8" || variant == "v8.0")) variant.clear();
  if (platform.architecture == "arm" && variant.empty()) variant = "v7";
  return platform;
}

bool same(const Platform &a, const Platform &b) {
  return a.os == b.os && a.architecture == b.architecture && a.variant == b.variant;
}

void accept_levels(PlatformRequest &request, const Platform &best, int highest, int lowest) {
  for (int level = highest; level >= lowest; --level) {
    request.accepted.push_back(normal(make_platform(best.os, best.architecture, fmt::format("v{}", level))));
  }
}

// 0 where the variant is no "vN".
int level_of(const Platform &platform) {
  const std::string &variant = platform.variant;
  if (variant.empty()) return platform.architecture == "arm64" ? 8 : 1;
  return variant.size() == 2 && variant[0] == 'v' && variant[1] >= '1' && variant[1] <= '9' ? variant[1] - '0' : 0;
}

// image-index.md, "Variants": what is made for a lower one runs on a higher one.
void accept(PlatformRequest &request, const Platform &best) {
  const int level = level_of(best);
  if (best.architecture == "amd64" && level > 0) {
    accept_levels(request, best, level, 1);
  } else if (best.architecture == "arm" && level > 0) {
    accept_levels(request, best, level, 5);
  } else if (best.architecture == "arm64" && level == 9) {
    accept_levels(request, best, 9, 8);
  } else {
    request.accepted.push_back(best);
  }
}

int x86_level() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4")) return 4;
  if (__builtin_cpu_supports("x86-64-v3")) return 3;
  if (__builtin_cpu_supports("x86-64-v2")) return 2;
#endif
  return 1;
}

bool is_artifact(const Descriptor &descriptor) {
  if (descriptor.annotations.contains("vnd.docker.reference.type")) return true;  // BuildKit's attestations
  if (descriptor.platform && descriptor.platform->os == "unknown") return true;
  const std::string &type = descriptor.artifact_type;
  return !type.empty() && type != spec::oci_config_type && type != spec::docker_config_type;
}

// Walks an index and what is nested in it, in order.
class Chooser {
 public:
  Chooser(const PlatformRequest *request, const LoadIndex &load) : request_(request), load_(load) {}

  Status walk(const spec::ImageIndex &index, const std::optional<Platform> &around, int depth);

  std::vector<Descriptor> all;
  std::vector<Platform> seen;
  std::optional<Descriptor> best;

 private:
  // The place in the request's list; one past its end for "says nothing".
  [[nodiscard]] std::optional<std::size_t> rank_of(const std::optional<Platform> &platform) const;
  Status descend(const Descriptor &nested, const std::optional<Platform> &platform, int depth);
  void consider(const Descriptor &manifest, const std::optional<Platform> &platform);

  const PlatformRequest *request_;  // none: all
  const LoadIndex &load_;
  std::size_t best_rank_ = 0;
  int loaded_ = 0;
};

std::optional<std::size_t> Chooser::rank_of(const std::optional<Platform> &platform) const {
  const std::vector<Platform> &accepted = request_->accepted;
  if (!platform || platform->architecture.empty()) return accepted.size();
  const Platform wanted = normal(*platform);
  const auto found = std::ranges::find_if(accepted, [&](const Platform &each) { return same(each, wanted); });
  if (found == accepted.end()) return std::nullopt;
  return static_cast<std::size_t>(found - accepted.begin());
}

void Chooser::consider(const Descriptor &manifest, const std::optional<Platform> &platform) {
  all.push_back(manifest);
  if (platform) seen.push_back(*platform);
  if (request_ == nullptr) return;
  const std::optional<std::size_t> rank = rank_of(platform);
  if (!rank || (best && *rank >= best_rank_)) return;
  best = manifest;
  best_rank_ = *rank;
}

Status Chooser::descend(const Descriptor &nested, const std::optional<Platform> &platform, int depth) {
  const bool useless = request_ != nullptr && (!rank_of(platform) || (best && best_rank_ == 0));
  if (useless) {
    if (platform) seen.push_back(*platform);
    return {};
  }
  if (depth == deepest_index || ++loaded_ > most_indexes) {
    return fail(fmt::format("index {}: indexes are nested deeper than {} or more than {}", nested.digest, deepest_index,
                            most_indexes));
  }
  return walk(TRY(in(fmt::format("nested index {}", nested.digest), load_(nested))), platform, depth + 1);
}

Status Chooser::walk(const spec::ImageIndex &index, const std::optional<Platform> &around, int depth) {
  for (const Descriptor &entry : index.manifests) {
    if (is_artifact(entry)) continue;
    const std::optional<Platform> &platform = entry.platform ? entry.platform : around;
    if (spec::is_index_type(entry.media_type)) {
      TRY(descend(entry, platform, depth));
    } else if (spec::is_manifest_type(entry.media_type)) {
      consider(entry, platform);
    }
  }
  return {};
}

std::string listing(const std::vector<Platform> &platforms) {
  std::vector<std::string> names;
  for (const Platform &platform : platforms) {
    const std::string name = platform_text(platform);
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  if (names.empty()) return "it names no platform at all";
  return fmt::format("there {} {}; choose with --platform", names.size() == 1 ? "is" : "are", fmt::join(names, ", "));
}

}  // namespace

std::string platform_text(const Platform &platform) {
  std::string out = fmt::format("{}/{}", platform.os, platform.architecture);
  if (!platform.variant.empty()) out += "/" + platform.variant;
  return out;
}

std::string PlatformRequest::text() const { return accepted.empty() ? std::string() : platform_text(accepted.front()); }

Result<PlatformRequest> parse_platform(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::string_view rest = text;;) {
    const std::size_t slash = rest.find('/');
    parts.push_back(rest.substr(0, slash));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (parts.size() == 1) parts.insert(parts.begin(), "linux");
  const bool empty = std::ranges::any_of(parts, [](std::string_view part) { return part.empty(); });
  if (empty || parts.size() > 3) {
    return fail(fmt::format("platform {}: it is not OS/ARCH or OS/ARCH/VARIANT", spec::quote(text)),
                "write it as linux/amd64 or linux/arm/v7");
  }
  const Platform best = normal(make_platform(parts[0], parts[1], parts.size() == 3 ? parts[2] : std::string_view()));
  if (std::ranges::find(known_architectures, best.architecture) == known_architectures.end()) {
    return fail(fmt::format("platform {}: the architecture {} is not known", spec::quote(text), spec::quote(parts[1])),
                spec::suggest_name(known_architectures, best.architecture));
  }
  PlatformRequest request;
  accept(request, best);
  return request;
}

PlatformRequest platform_of_machine(std::string_view machine, int x86_level) {
  PlatformRequest request;
  Platform best = normal(make_platform("linux", machine, ""));
  if (best.architecture == "amd64") best = normal(make_platform("linux", "amd64", fmt::format("v{}", x86_level)));
  accept(request, best);
  if (best.architecture == "amd64") request.accepted.push_back(make_platform("linux", "386", ""));
  if (best.architecture == "arm64") accept(request, make_platform("linux", "arm", "v8"));
  return request;
}

PlatformRequest host_platform() {
  utsname names{};
  ::uname(&names);
  return platform_of_machine(static_cast<const char *>(names.machine), x86_level());
}

PlatformRequest build_platform() {
  PlatformRequest platform = host_platform();
  Platform best = platform.accepted.front();
  if (best.architecture != "amd64") return platform;
  best.variant.clear();
  // An image that names a level is still accepted as the base.
  platform.accepted.insert(platform.accepted.begin(), std::move(best));
  return platform;
}

Result<Descriptor> choose_manifest(const spec::ImageIndex &index, const PlatformRequest &request,
                                   const LoadIndex &load) {
  Chooser chooser(&request, load);
  TRY(chooser.walk(index, std::nullopt, 0));
  if (chooser.best) return std::move(*chooser.best);
  return fail(fmt::format("the index has no image for {}", request.text()), listing(chooser.seen));
}

Result<std::vector<Descriptor>> list_manifests(const spec::ImageIndex &index, const LoadIndex &load) {
  Chooser chooser(nullptr, load);
  TRY(chooser.walk(index, std::nullopt, 0));
  return std::move(chooser.all);
}

Status check_platform(const spec::ImageConfig &config, const PlatformRequest &request) {
  if (config.architecture.empty() || config.os.empty()) return {};
  const Platform own = normal(make_platform(config.os, config.architecture, config.variant));
  const auto fits = [&](const Platform &each) { return same(each, own); };
  if (std::ranges::any_of(request.accepted, fits)) return {};
  return fail(fmt::format("the image is for {}, not for {}", platform_text(own), request.text()),
              fmt::format("take another image, or ask for this one with --platform {}", platform_text(own)));
}

}  // namespace skiff::image
