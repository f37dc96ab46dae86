// The images of a project's services: which of them are here, and how the others are got.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "compose/engine.h"
#include "compose/progress.h"
#include "compose/project.h"

namespace skiff::compose {

// What the service's image is called; of one that is only built PROJECT-SERVICE. Empty with a rootfs.
[[nodiscard]] std::string image_name(const Project &project, const Service &service);

// "docker.io/library/alpine:latest" of "alpine". A transport's name ("oci:DIR") stays what it is.
[[nodiscard]] std::string full_image_name(std::string_view name);

// Whether it is of one of skiff-image's transports, and no name in the store.
[[nodiscard]] bool has_transport(std::string_view name);

// Of a transport that is a file or a directory of this host: used where it lies, and never pulled.
[[nodiscard]] bool lies_on_disk(std::string_view name);

// What the service's image is called in the store: of an archive by the file as it is now. Empty where that cannot be
// known: a stick that is not in, whose containers go on.
[[nodiscard]] Result<std::string> stored_image_name(const Project &project, const Service &service);

// What skiff-image's store has: ids by full name, with a digest too.
[[nodiscard]] Result<std::map<std::string, std::string>> list_image_ids(const Engine &engine);

struct ImageNeed {
  enum class How : std::uint8_t { nothing, pull, build };
  How how = How::nothing;
  bool must = true;  // else it may fail where the image is here
};
struct ImagePolicy {
  std::string pull;    // --pull: always, missing, never; empty: what the service says
  bool build = false;  // --build
  bool no_build = false;
};
// `age`: since it was pulled last, absent where that is not known.
[[nodiscard]] Result<ImageNeed> image_need(const Service &service, bool is_here, const ImagePolicy &policy,
                                           std::optional<Duration> age);

struct ImageRequest {
  ImagePolicy policy;
  bool quiet = false;       // of builds: nothing of what they say
  bool quiet_pull = false;  // how far pulls are is not told
  // "pulling", "pulling 12MB / 30MB", "built" and the like.
  std::function<void(const std::string &image, std::string_view what, Mark mark)> report;
};
// Pulls and builds what is needed, several at once. The ids of the images of the services that have one.
[[nodiscard]] Result<std::map<std::string, std::string>> make_images(const Engine &engine, const Project &project,
                                                                     const std::vector<const Service *> &services,
                                                                     const ImageRequest &request);

// `pull`, `push` and `build` of a service: skiff-image's own words, without the program.
[[nodiscard]] Words pull_words(const Service &service, const std::string &image);
[[nodiscard]] Words build_words(const Build &build, const std::string &image, const std::string &platform);
// Runs skiff-image with them; what it says goes to our stderr.
[[nodiscard]] Status call_image(const Engine &engine, const Words &words, bool quiet, std::string_view input = {});
[[nodiscard]] Status build_image(const Engine &engine, const Service &service, const std::string &image, bool quiet);

}  // namespace skiff::compose
