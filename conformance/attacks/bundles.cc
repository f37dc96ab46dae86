// Bundles that a caller did not write himself: what is read has to be bounded, and may be no device.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "conformance/attacks/attack.h"
#include "runtime/kernel/path.h"

namespace skiff::conformance {
namespace {

constexpr std::chrono::seconds patience{15};

// Refused in time; a signal, an end that does not come, or a container are what the attack wants.
Verdict expect_prompt_refusal(Stage &stage, std::string_view what) {
  const std::optional<Outcome> outcome =
      TRY(call_for(stage, {"create", "--bundle", stage.bundle(), stage.id()}, patience));
  if (!outcome) return miss(fmt::format("with {} create does not end", what));
  if (outcome->died()) return miss(fmt::format("with {} create dies: {}", what, outcome->summary()));
  if (outcome->code == 0) return miss(fmt::format("{} is accepted", what));
  stage.note("create refuses: " + outcome->summary());
  return {};
}

Verdict special_config(Stage &stage) {
  const std::string path = stage.bundle() + "/config.json";
  const std::string_view kind = stage.variant();
  if (kind == "fifo") TRY(kernel::mknodat(kernel::cwd, path, S_IFIFO | 0644, 0));
  if (kind == "zero") TRY(kernel::mknodat(kernel::cwd, path, S_IFCHR | 0644, makedev(1, 5)));
  if (kind == "directory") TRY(make_directory(path));
  return expect_prompt_refusal(stage, fmt::format("a {} as config.json", kind));
}

Verdict deep_config(Stage &stage) {
  constexpr std::size_t depth = 1'000'000;
  std::string json = stage.config.dump();
  json.pop_back();
  json += R"(,"annotations":)";
  for (std::size_t i = 0; i < depth; ++i) json += stage.variant();
  TRY(write_file(stage.bundle() + "/config.json", json));
  return expect_prompt_refusal(stage, "a million open brackets");
}

Verdict huge_config(Stage &stage) {
  constexpr std::size_t entries = 100'000;
  std::string json = stage.config.dump();
  json.pop_back();
  json += R"(,"hooks":{"poststop":[)";
  for (std::size_t i = 0; i < entries; ++i) json += "1,";
  json += "1]}}";
  TRY(write_file(stage.bundle() + "/config.json", json));
  return expect_prompt_refusal(stage, "an array of 100,000 numbers for hooks");
}

// A runtime that reads the image's user files must not wait for them.
Verdict special_files(Stage &stage) {
  TRY(make_directory(stage.rootfs() + "/etc"));
  for (const char *name : {"passwd", "group", "hostname", "resolv.conf"}) {
    TRY(kernel::mknodat(kernel::cwd, stage.rootfs() + "/etc/" + name, S_IFIFO | 0644, 0));
  }
  TRY(stage.save());
  const std::optional<Outcome> created =
      TRY(call_for(stage, {"create", "--bundle", stage.bundle(), stage.id()}, patience));
  if (!created) return miss("with FIFOs for the image's files create does not end");
  if (created->code != 0) {
    stage.note("create refuses: " + created->summary());
    return {};
  }
  const std::optional<Outcome> started = TRY(call_for(stage, {"start", stage.id()}, patience));
  if (!started) return miss("with FIFOs for the image's files start does not end");
  stage.note("the files are not opened");
  return {};
}

// The rootfs is a link that leads out of the bundle, into what is not a directory, or to the host itself.
Verdict special_rootfs(Stage &stage) {
  const std::string kind(stage.variant());
  TRY(kernel::renameat2(kernel::cwd, stage.rootfs(), kernel::cwd, stage.bundle() + "/kept"));
  if (kind == "FIFO") TRY(kernel::mknodat(kernel::cwd, stage.rootfs(), S_IFIFO | 0644, 0));
  if (kind == "file") TRY(write_file(stage.rootfs(), ""));
  if (kind == "link into /proc") TRY(make_link("/proc/self/root/proc", stage.rootfs()));
  TRY(stage.save());
  return expect_prompt_refusal(stage, fmt::format("a {} as rootfs", kind));
}

constexpr Case table[] = {
    {"bundle/config.json-is-a-fifo", "hostile-bundle", special_config, "fifo"},
    {"bundle/config.json-is-a-device", "hostile-bundle", special_config, "zero"},
    {"bundle/config.json-is-a-directory", "hostile-bundle", special_config, "directory"},
    {"bundle/deep-arrays", "hostile-bundle", deep_config, "["},
    {"bundle/deep-objects", "hostile-bundle", deep_config, R"({"a":)"},
    {"bundle/a-huge-array", "hostile-bundle", huge_config},
    {"bundle/fifos-for-the-images-files", "CVE-2024-9676", special_files},
    {"bundle/rootfs-is-a-fifo", "hostile-bundle", special_rootfs, "FIFO"},
    {"bundle/rootfs-is-a-file", "hostile-bundle", special_rootfs, "file"},
    {"bundle/rootfs-is-a-link-into-proc", "hostile-bundle", special_rootfs, "link into /proc"},
};

}  // namespace

std::span<const Case> bundle_attacks() { return table; }

}  // namespace skiff::conformance
