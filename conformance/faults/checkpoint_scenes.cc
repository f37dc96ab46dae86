// checkpoint and restore: CRIU is let go, and does its work beside what is tried.
#include "conformance/faults/scene.h"
#include "conformance/leavings.h"
#include "runtime/kernel/path.h"

namespace skiff::conformance {
namespace {

using Words = std::vector<std::string>;

std::string images(const Site &site) { return site.path("images"); }

std::string missing_criu() {
  const std::string program = kernel::find_on_path("criu");
  if (program.empty()) return "no criu on $PATH";
  const Result<Outcome> checked = call_to_end({program, "check"}, std::chrono::seconds(30));
  if (!checked) return checked.error().message();
  return checked->code == 0 ? "" : "criu check: " + checked->summary();
}

Words checkpoint_words(const Site &site, const Words &flags) {
  Words words = {"checkpoint", "--image-path", images(site)};
  words.insert(words.end(), flags.begin(), flags.end());
  words.push_back(site.id());
  return words;
}

Words restore_words(const Site &site) {
  return {"restore",    "--detach",   "--bundle",       site.bundle(), "--image-path",
          images(site), "--pid-file", site.path("pid"), site.id()};
}

Status running(Site &site) {
  const kernel::Fd here = TRY(kernel::open(site.path(""), O_PATH | O_DIRECTORY));
  if (exists(images(site))) TRY(kernel::remove_tree_at(here, "images"));
  return start_waiting(site);
}

// Images are read by a restore and stay as they are.
Status saved(Site &site) {
  if (exists(site.path("saved"))) return site.configure({"wait"});
  TRY(running(site));
  TRY(site.succeed(checkpoint_words(site, {})));
  return write_file(site.path("saved"), "");
}

// It runs, and is the process that it was.
Result<Facts> answers(Site &site) {
  TRY(site.succeed({"kill", site.id(), "USR1"}));
  Facts facts = {{"signal", TRY(site.wait_for_line()).text("/signal")}, {"status", TRY(site.state()).text("/status")}};
  facts.merge(site.cgroup_facts(site.cgroup()));
  return facts;
}

Status unharmed(Site &site) {
  site.forget_output();
  const Facts facts = TRY(answers(site));
  return facts.at("status") == "running" ? Status() : fail("its status is " + facts.at("status"));
}

Result<Facts> goes_on_from_images(Site &site) {
  if (const Outcome state = TRY(site.call({"state", site.id()})); state.code == 0) {
    return fail("there is still a container");
  }
  if (const Words left = find_cgroups(site.cgroup()); !left.empty()) return fail("there is still " + left.front());
  TRY(site.succeed(restore_words(site)));
  return answers(site);
}

Result<Facts> moved(Site &site) { return goes_on_from_images(site); }

Result<Facts> runs_and_is_saved(Site &site) {
  TRY(unharmed(site));
  const Outcome removed = TRY(site.remove());
  if (removed.code != 0) return fail("delete --force: " + removed.summary());
  return goes_on_from_images(site);
}

constexpr std::array<Scene, 3> scenes = {{
    {.name = "checkpoint",
     .prepare = running,
     .words = [](const Site &site) { return checkpoint_words(site, {}); },
     .effect = moved,
     .warns = true,
     .only_itself = true,
     .missing = missing_criu,
     .unharmed = unharmed},
    {.name = "checkpoint-leave-running",
     .prepare = running,
     .words = [](const Site &site) { return checkpoint_words(site, {"--leave-running"}); },
     .effect = runs_and_is_saved,
     .only_itself = true,
     .missing = missing_criu,
     .unharmed = unharmed},
    {.name = "restore",
     .prepare = saved,
     .words = restore_words,
     .effect = answers,
     .makes = true,
     .only_itself = true,
     .missing = missing_criu},
}};

}  // namespace

std::span<const Scene> checkpoint_scenes() { return scenes; }

}  // namespace skiff::conformance
