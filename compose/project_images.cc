#include "compose/project_images.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>
#include <set>

#include "compose/archive_source.h"
#include "compose/contains.h"
#include "compose/image_progress.h"
#include "compose/parallel.h"
#include "runtime/cli/value.h"
#include "runtime/kernel/path.h"
#include "spec/json.h"
#include "spec/sha256.h"

namespace skiff::compose {
namespace {

using How = ImageNeed::How;

constexpr std::array<std::string_view, 7> transports = {
    "docker:", "oci:", "oci-archive:", "docker-archive:", "dir:", "tar:", "file:"};

std::string pull_mark(const Places &places, const std::string &image) {
  return fmt::format("{}/pulls/{}", places.data, spec::sha256_hex(full_image_name(image)));
}

std::optional<Duration> age_of_pull(const Places &places, const std::string &image) {
  const Result<struct stat> facts = kernel::fstatat(kernel::cwd, pull_mark(places, image));
  if (!facts) return std::nullopt;
  return std::chrono::seconds(std::time(nullptr) - facts->st_mtim.tv_sec);
}

Status note_pull(const Places &places, const std::string &image) {
  const std::string mark = pull_mark(places, image);
  TRY(kernel::make_parents(mark, 0700));
  return replace_file(mark, {});
}

// daily, weekly, every_12h
Result<std::optional<Duration>> period_of(const std::string &policy) {
  if (policy == "daily") return std::chrono::hours(24);
  if (policy == "weekly") return std::chrono::hours(24 * 7);
  if (!policy.starts_with("every_")) return std::nullopt;
  std::string_view text = std::string_view(policy).substr(6);
  Duration whole{0};
  // compose-spec counts weeks and days as well, which Go's durations lack.
  for (const auto &[unit, hours] : {std::pair{'w', 24 * 7}, std::pair{'d', 24}}) {
    const std::size_t end = text.find(unit);
    if (end == std::string_view::npos) continue;
    const auto count = cli::parse_number<std::uint32_t>(text.substr(0, end));
    if (!count) return fail(fmt::format("pull_policy: \"{}\" is no period", policy), "every_12h, every_2d");
    whole += std::chrono::hours(hours) * *count;
    text.remove_prefix(end + 1);
  }
  if (text.empty()) return whole;
  const auto rest = cli::parse_duration(text);
  if (!rest) return fail(fmt::format("pull_policy: \"{}\" is no period", policy), "every_12h, every_2d");
  return whole + *rest;
}

struct Wanted {
  const Service *service = nullptr;
  std::string image;
  ImageNeed need;
};

Result<std::string> get_image(const Engine &engine, const Wanted &wanted, const ImageRequest &request, bool is_here,
                              const Tell &tell) {
  if (wanted.need.how == How::build) {
    TRY(build_image(engine, *wanted.service, wanted.image, request.quiet));
    return "built";
  }
  if (is_archive_source(wanted.image)) {
    (void)TRY(in(fmt::format("service {}", wanted.service->name), store_archive(engine, wanted.image)));
    return "loaded";
  }
  Words words = pull_words(*wanted.service, wanted.image);
  const Status pulled = request.quiet_pull ? call_image(engine, words, true) : call_image_telling(engine, words, tell);
  if (pulled) {
    TRY(note_pull(engine.places, wanted.image));
    return "pulled";
  }
  // What is only checked for news may be out of reach.
  if (!wanted.need.must && is_here) return "kept: " + pulled.error().message();
  if (wanted.service->build) {
    TRY(build_image(engine, *wanted.service, wanted.image, request.quiet));
    return "built";
  }
  return std::unexpected(in(fmt::format("service {}: image {}", wanted.service->name, wanted.image), pulled.error()));
}

// Nothing pulls an archive anew: the file is what it is.
Result<ImageNeed> need_of(const Engine &engine, const Project &project, const Service &service,
                          const ImagePolicy &policy, const std::map<std::string, std::string> &ids) {
  const std::string image = image_name(project, service);
  const std::string stored = TRY(stored_image_name(project, service));
  const bool is_here = stored.empty() || ids.contains(full_image_name(stored));
  if (is_archive_source(image)) return ImageNeed{.how = is_here ? How::nothing : How::pull};
  if (lies_on_disk(image)) return ImageNeed{};
  return image_need(service, is_here, policy, age_of_pull(engine.places, image));
}

}  // namespace

bool has_transport(std::string_view name) {
  return std::ranges::any_of(transports, [&](std::string_view one) { return name.starts_with(one); });
}

bool lies_on_disk(std::string_view name) { return has_transport(name) && !name.starts_with("docker:"); }

std::string image_name(const Project &project, const Service &service) {
  if (!service.rootfs.empty()) return {};
  return service.image.empty() ? fmt::format("{}-{}", project.name, service.name) : service.image;
}

Result<std::string> stored_image_name(const Project &project, const Service &service) {
  std::string image = image_name(project, service);
  if (!is_archive_source(image)) return image;
  Result<std::string> name = name_of_archive(image);
  if (!name && name.error().number == ENOENT) return std::string();
  return name;
}

std::string full_image_name(std::string_view name) {
  if (name.starts_with("docker://")) name.remove_prefix(9);
  if (name.empty() || has_transport(name)) return std::string(name);
  const std::size_t slash = name.find('/');
  const std::string_view first = name.substr(0, slash);
  const bool has_host =
      slash != std::string_view::npos && (first.find_first_of(".:") != std::string_view::npos || first == "localhost");
  std::string full(name);
  if (!has_host) full = (slash == std::string_view::npos ? "docker.io/library/" : "docker.io/") + full;
  const std::size_t at = full.find('@');
  const std::size_t last = full.rfind('/');
  const bool tagged = full.substr(0, at).find(':', last) != std::string::npos;
  // With a digest the tag says nothing more.
  if (at != std::string::npos && tagged) full.erase(full.find(':', last), at - full.find(':', last));
  if (at == std::string::npos && !tagged) full += ":latest";
  return full;
}

Result<std::map<std::string, std::string>> list_image_ids(const Engine &engine) {
  const std::string text = TRY(call_program(engine.run_image({"images", "--format", "json"})));
  const auto document = spec::json::Document::parse(text);
  if (!document) return fail("skiff-image images: what it prints is no JSON");
  std::map<std::string, std::string> ids;
  document->root().each([&](const spec::json::Value &image) {
    const auto word = [&](std::string_view key) {
      const spec::json::Value value = image.member(key);
      return value && value.kind() == spec::json::Kind::string ? std::string(value.text()) : std::string();
    };
    const std::string name = word("name");
    ids[name] = word("id");
    const std::size_t colon = name.rfind(':');
    if (name.find('@') == std::string::npos && colon != std::string::npos && colon > name.rfind('/')) {
      ids[fmt::format("{}@{}", name.substr(0, colon), word("digest"))] = word("id");
    }
  });
  return ids;
}

Result<ImageNeed> image_need(const Service &service, bool is_here, const ImagePolicy &policy,
                             std::optional<Duration> age) {
  const bool builds = service.build && !policy.no_build;
  if (policy.build && builds) return ImageNeed{.how = How::build};
  const std::string &own = service.pull_policy;
  const std::string words = policy.pull.empty() ? own : policy.pull;
  if (words == "build") {
    if (builds) return ImageNeed{.how = How::build};
    return fail(fmt::format("service {}: pull_policy build, and it has no build", service.name), "say how to build it");
  }
  if (words == "always" && !(service.build && service.image.empty())) return ImageNeed{.how = How::pull};
  if (words == "newer") return ImageNeed{.how = How::pull, .must = !is_here};
  if (const std::optional<Duration> period = TRY(period_of(words)); period && is_here) {
    const bool is_old = !age || *age >= *period;
    return ImageNeed{.how = is_old ? How::pull : How::nothing, .must = false};
  }
  if (is_here) return ImageNeed{};
  if (builds) return ImageNeed{.how = How::build};
  if (words == "never") {
    return fail(ENOENT,
                fmt::format("service {}: image {} is not here, and pull_policy is never", service.name, service.image),
                fmt::format("skiff-image pull {}", service.image));
  }
  if (service.image.empty()) {
    return fail(fmt::format("service {}: its image is not built", service.name), "leave --no-build out");
  }
  return ImageNeed{.how = How::pull};
}

Words pull_words(const Service &service, const std::string &image) {
  Words words = {"pull"};
  if (!service.platform.empty()) words.insert(words.end(), {"--platform", service.platform});
  words.push_back(image);
  return words;
}

Words build_words(const Build &build, const std::string &image, const std::string &platform) {
  Words words = {"build", "-t", image};
  for (const std::string &tag : build.tags) words.insert(words.end(), {"-t", tag});
  if (!build.dockerfile_inline.empty()) {
    words.insert(words.end(), {"-f", "-"});
  } else if (!build.dockerfile.empty()) {
    const bool absolute = build.dockerfile.starts_with('/');
    words.insert(words.end(), {"-f", absolute ? build.dockerfile : build.context + "/" + build.dockerfile});
  }
  for (const auto &[name, value] : build.args) {
    words.insert(words.end(), {"--build-arg", value ? fmt::format("{}={}", name, *value) : name});
  }
  if (!build.target.empty()) words.insert(words.end(), {"--target", build.target});
  if (!platform.empty()) words.insert(words.end(), {"--platform", platform});
  if (build.no_cache) words.emplace_back("--no-cache");
  if (build.pull) words.emplace_back("--pull");
  words.push_back(build.context);
  return words;
}

Status call_image(const Engine &engine, const Words &words, bool quiet, std::string_view input) {
  Words all = engine.image;
  if (quiet) all.emplace_back("--quiet");
  all.insert(all.end(), words.begin(), words.end());
  if (quiet || !input.empty()) {
    TRY(call_program(all, input));
    return {};
  }
  kernel::Child child =
      TRY(start_program(all, {.in = kernel::no_fd, .out = kernel::FdView(2), .err = kernel::FdView(2)}));
  const int code = TRY(child.wait()).shell_code();
  if (code == 0) return {};
  return fail(fmt::format("skiff-image {} ended with {}", words.front(), code));
}

Status build_image(const Engine &engine, const Service &service, const std::string &image, bool quiet) {
  const Build &build = *service.build;
  Words words = build_words(build, image, service.platform);
  // The one that will run the image, too.
  words.insert(words.begin() + 1, {"--runtime", engine.runtime.front()});
  return in(fmt::format("service {}: build", service.name), call_image(engine, words, quiet, build.dockerfile_inline));
}

Result<std::map<std::string, std::string>> make_images(const Engine &engine, const Project &project,
                                                       const std::vector<const Service *> &services,
                                                       const ImageRequest &request) {
  std::map<std::string, std::string> ids = TRY(list_image_ids(engine));
  std::vector<Wanted> wanted;
  for (const Service *service : services) {
    const std::string image = image_name(project, *service);
    if (image.empty() || contains(wanted, image, &Wanted::image)) continue;
    const ImageNeed need = TRY(need_of(engine, project, *service, request.policy, ids));
    if (need.how != How::nothing) wanted.push_back({service, image, need});
  }
  std::vector<Job> jobs;
  for (const Wanted &one : wanted) {
    const bool is_here = ids.contains(full_image_name(one.image));
    jobs.push_back({.task = {.name = one.image}, .run_telling = [&, is_here](const Tell &tell) {
                      return get_image(engine, one, request, is_here, tell);
                    }});
  }
  const auto report = [&](std::size_t task, const Outcome &outcome) {
    if (!request.report) return;
    const std::string &image = wanted[task].image;
    std::string words = wanted[task].need.how == How::build ? "building" : "pulling";
    if (!outcome.answer.empty()) words += " " + outcome.answer;
    if (outcome.fate == Schedule::Fate::running) request.report(image, words, Mark::working);
    if (outcome.fate == Schedule::Fate::done) request.report(image, outcome.answer, Mark::done);
    if (outcome.fate == Schedule::Fate::failed) request.report(image, outcome.error->message(), Mark::failed);
  };
  const std::vector<Outcome> outcomes = TRY(run_parallel(jobs, {.limit = 4, .report = report}));
  TRY(gather_failures(jobs, outcomes));
  if (!jobs.empty()) ids = TRY(list_image_ids(engine));
  std::map<std::string, std::string> of_services;
  for (const Service *service : services) {
    const auto found = ids.find(full_image_name(TRY(stored_image_name(project, *service))));
    if (found != ids.end()) of_services[service->name] = found->second;
  }
  return of_services;
}

}  // namespace skiff::compose
