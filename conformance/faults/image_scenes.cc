// skiff-image's commands: an image comes from a layout or a registry into the store, and out of the store into a
// bundle.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/mount.h>

#include <algorithm>

#include "conformance/faults/scene.h"
#include "runtime/kernel/mount.h"
#include "runtime/kernel/path.h"

namespace skiff::conformance {
namespace {

using Words = std::vector<std::string>;

std::string layout(const Site &site) { return "oci:" + site.path("layout") + ":one"; }
std::string made(const Site &site) { return site.path("made"); }
std::string remote(const Site &site) { return site.registry() + "/one:latest"; }

// The bundle is the user's, who removes it.
Status remove_made(const Site &site) {
  if (!exists(made(site))) return {};
  (void)kernel::umount2(made(site) + "/rootfs", MNT_DETACH);
  return kernel::remove_tree_at(TRY(kernel::open(site.path(""), O_PATH | O_DIRECTORY)), "made");
}

// A layer of the program, and one of a file.
Status import_two_layers(Site &site) {
  TRY(site.succeed({"import", "--cmd", "/inside", "file:" + site.bundle() + "/rootfs", "zero"}));
  TRY(site.succeed({"unpack", "zero", made(site)}));
  TRY(write_file(made(site) + "/rootfs/second", "of the second layer\n"));
  TRY(site.succeed({"repack", made(site), "one"}));
  return remove_made(site);
}

// Once: what the site has beside its store.
Status make_layout(Site &site) {
  if (exists(site.path("layout"))) return {};
  TRY(import_two_layers(site));
  TRY(site.succeed({"push", "one", layout(site)}));
  if (!site.registry().empty()) TRY(site.succeed({"push", "one", "docker://" + remote(site)}));
  for (const char *name : {"zero", "one"}) TRY(site.succeed({"rm", name}));
  return site.succeed({"prune"});
}

Status without_image(Site &site) { return make_layout(site); }

Status with_image(Site &site) {
  TRY(make_layout(site));
  return site.succeed({"pull", layout(site), "one"});
}

Status with_registry(Site &site) {
  if (site.registry().empty()) return fail("no registry", "install docker-registry");
  return make_layout(site);
}

Result<Facts> whole(Site &site, const std::string &name) {
  Facts facts = {{"digest", site.take_out()}};
  TRY(site.succeed({"verify"}));
  const Outcome seen = TRY(site.call({"inspect", name}));
  if (seen.code != 0) return fail("inspect: " + seen.summary());
  add_facts(TRY(in("inspect's output", Tree::parse(seen.out))), "", facts);
  return facts;
}

Result<Facts> whole_image(Site &site) { return whole(site, "one"); }
Result<Facts> whole_remote_image(Site &site) { return whole(site, remote(site)); }

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
  facts["/rootfs.record"].clear();  // it has times in it
  add_facts(TRY(Tree::parse(TRY(read_file(made(site) + "/config.json")))), "config.json", facts);
  return facts;
}

Result<Facts> whole_remote_bundle(Site &site) {
  Facts facts = TRY(whole_bundle(site));
  facts.merge(TRY(whole_remote_image(site)));
  return facts;
}

// The next pull goes on with what is there, the next unpack sweeps away what is half made, and prune takes the rest.
Result<Outcome> remove_image(Site &site, const Words &pull, const std::string &name) {
  TRY(remove_made(site));
  for (const Words &words : {pull, Words{"unpack", name, made(site)}}) {
    Outcome outcome = TRY(site.call(words));
    if (outcome.code != 0) return outcome;
  }
  TRY(remove_made(site));
  for (const Words &words : {Words{"rm", name}, Words{"prune"}}) {
    Outcome outcome = TRY(site.call(words));
    if (outcome.code != 0) return outcome;
  }
  return Outcome{.code = 0, .out = {}, .err = {}};
}

Words pull_words(const Site &site) { return {"pull", layout(site), "one"}; }
Words pull_remote_words(const Site &site) { return {"pull", remote(site)}; }

Result<Outcome> remove_all(Site &site) { return remove_image(site, pull_words(site), "one"); }
Result<Outcome> remove_remote(Site &site) { return remove_image(site, pull_remote_words(site), remote(site)); }

constexpr std::array<Scene, 6> scenes = {{
    {.name = "pull", .prepare = without_image, .words = pull_words, .effect = whole_image, .remove = remove_all},
    {.name = "pull-registry",
     .prepare = with_registry,
     .words = pull_remote_words,
     .effect = whole_remote_image,
     .remove = remove_remote},
    {.name = "unpack",
     .prepare = with_image,
     .words = [](const Site &site) { return Words{"unpack", "--pull", "never", "one", made(site)}; },
     .effect = whole_bundle,
     .remove = remove_all},
    {.name = "unpack-overlay",
     .prepare = with_image,
     .words = [](const Site &site) { return Words{"unpack", "--overlay", "--pull", "never", "one", made(site)}; },
     .effect = whole_bundle,
     .remove = remove_all},
    // Unpacked while it arrives.
    {.name = "unpack-registry",
     .prepare = with_registry,
     .words = [](const Site &site) { return Words{"unpack", remote(site), made(site)}; },
     .effect = whole_remote_bundle,
     .remove = remove_remote},
    {.name = "unpack-registry-overlay",
     .prepare = with_registry,
     .words = [](const Site &site) { return Words{"unpack", "--overlay", remote(site), made(site)}; },
     .effect = whole_remote_bundle,
     .remove = remove_remote},
}};

}  // namespace

std::span<const Scene> image_scenes() { return scenes; }

}  // namespace skiff::conformance
