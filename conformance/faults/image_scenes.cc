// skiff-image's commands: an image comes from a layout into the store, and out of the store into a bundle.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "conformance/faults/scene.h"
#include "runtime/kernel/path.h"

namespace skiff::conformance {
namespace {

using Words = std::vector<std::string>;

std::string layout(const Site &site) { return "oci:" + site.path("layout") + ":one"; }
std::string made(const Site &site) { return site.path("made"); }

// Once: what the site has beside its store.
Status make_layout(Site &site) {
  if (exists(site.path("layout"))) return {};
  TRY(site.succeed({"import", "--cmd", "/inside", "file:" + site.bundle() + "/rootfs", "one"}));
  TRY(site.succeed({"push", "one", layout(site)}));
  TRY(site.succeed({"rm", "one"}));
  return site.succeed({"prune"});
}

Status without_image(Site &site) { return make_layout(site); }

Status with_image(Site &site) {
  TRY(make_layout(site));
  return site.succeed({"pull", layout(site), "one"});
}

Result<Facts> whole_image(Site &site) {
  Facts facts = {{"digest", site.take_out()}};
  TRY(site.succeed({"verify"}));
  const Outcome seen = TRY(site.call({"inspect", "one"}));
  if (seen.code != 0) return fail("inspect: " + seen.summary());
  add_facts(TRY(in("inspect's output", Tree::parse(seen.out))), "", facts);
  return facts;
}

Status add_tree(const std::string &path, const std::string &place, Facts &facts) {
  const kernel::Fd directory = TRY(kernel::open(path, O_RDONLY | O_DIRECTORY));
  for (const std::string &name : TRY(kernel::list_directory(directory))) {
    const struct stat file = TRY(kernel::fstatat(directory, name, AT_SYMLINK_NOFOLLOW));
    const std::string whole = fmt::format("{}/{}", place, name);
    facts[whole] =
        fmt::format("{:o} {}:{} {}", file.st_mode, file.st_uid, file.st_gid, S_ISREG(file.st_mode) ? file.st_size : 0);
    if (S_ISDIR(file.st_mode)) TRY(add_tree(fmt::format("{}/{}", path, name), whole, facts));
  }
  return {};
}

Result<Facts> whole_bundle(Site &site) {
  Facts facts;
  TRY(add_tree(made(site), "", facts));
  add_facts(TRY(Tree::parse(TRY(read_file(made(site) + "/config.json")))), "config.json", facts);
  return facts;
}

// The bundle is the user's, who removes it; the next pull goes on with what is there, and prune takes the rest.
Result<Outcome> remove_all(Site &site) {
  const kernel::Fd here = TRY(kernel::open(site.path(""), O_PATH | O_DIRECTORY));
  if (exists(made(site))) TRY(kernel::remove_tree_at(here, "made"));
  Outcome pulled = TRY(site.call({"pull", layout(site), "one"}));
  if (pulled.code != 0) return pulled;
  for (const Words &words : {Words{"rm", "one"}, Words{"prune"}}) {
    Outcome outcome = TRY(site.call(words));
    if (outcome.code != 0) return outcome;
  }
  return Outcome{.code = 0, .out = {}, .err = {}};
}

constexpr std::array<Scene, 2> scenes = {{
    {.name = "pull",
     .prepare = without_image,
     .words = [](const Site &site) { return Words{"pull", layout(site), "one"}; },
     .effect = whole_image,
     .remove = remove_all},
    {.name = "unpack",
     .prepare = with_image,
     .words = [](const Site &site) { return Words{"unpack", "--pull", "never", "one", made(site)}; },
     .effect = whole_bundle,
     .remove = remove_all},
}};

}  // namespace

std::span<const Scene> image_scenes() { return scenes; }

}  // namespace skiff::conformance
