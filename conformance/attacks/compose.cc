// Attacks by a container on who copies into it and out of it, or fills and mounts its volumes, with docker's commands.
#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conformance/attacks/attack.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/prctl.h"

namespace skiff::conformance {
namespace {

using Words = std::vector<std::string>;
constexpr unsigned places = 20;  // in one command

Result<Outcome> call(Stage &stage, const Words &words) {
  Words all = {"--state", stage.path("state"), "--store", stage.path("store")};
  all.insert(all.end(), words.begin(), words.end());
  return stage.call_alone(all, "/");
}

Status succeed(Stage &stage, const Words &words) {
  const Outcome outcome = TRY(call(stage, words));
  if (outcome.code != 0) return fail(fmt::format("{}: {}", words.front(), outcome.summary()));
  return {};
}

// The rootfs becomes the image `one`, by the program that is installed or built beside.
Status make_image(const Stage &stage) {
  const std::string &own = stage.runtime().words.front();
  const std::string here = own.substr(0, own.rfind('/'));
  for (const std::string &program : {here + "/skiff-image", here + "/../imgtool/skiff-image"}) {
    if (!exists(program)) continue;
    const Words words = {program,   "--progress",        "none",
                         "--store", stage.path("store"), "import",
                         "--cmd",   "/inside",           "file:" + stage.rootfs(),
                         "one"};
    Running running = TRY(spawn(words, {.directory = "/"}));
    const Outcome outcome = TRY(finish(running, stage.deadline()));
    return outcome.code == 0 ? Status() : Status(fail("skiff-image import: " + outcome.summary()));
  }
  return {};  // a program that has its images elsewhere
}

// Of a volume that is there. Docker has it below another directory of the same name.
std::string data_of(const Stage &stage, std::string_view volume) {
  return fmt::format("{}/volumes/{}/_data", stage.path("state"), volume);
}

// There and back: whoever looks sees the directory, but for an instant.
void add_pair(std::vector<NamePair> &pairs, const std::string &directory, const std::string &link) {
  pairs.insert(pairs.end(), 2, {directory, link});
}

// A container with a volume of twenty directories, each of which is a link to the victim now and then.
struct Copied {
  Victim victim;
  std::string volume;
  Exchanger exchanger;
};
Result<Copied> start_container(Stage &stage) {
  Victim victim = TRY(Victim::make(stage));
  TRY(make_image(stage));
  const std::string volume = stage.path("volume");
  for (const std::string &name : {volume, volume + "/tree", volume + "/links"}) TRY(make_directory(name));
  std::vector<NamePair> pairs;
  for (unsigned i = 0; i < places; ++i) {
    const std::string directory = fmt::format("{}/tree/{}", volume, i);
    const std::string link = fmt::format("{}/links/{}", volume, i);
    TRY(make_directory(directory));
    TRY(write_file(directory + "/file", "inside\n"));
    TRY(make_link(victim.directory(), link));
    add_pair(pairs, directory, link);
  }
  TRY(succeed(stage,
              {"run", "-d", "--name", "c", "--network", "none", "-v", volume + ":/work", "one", "/inside", "wait"}));
  TRY(succeed(stage, {"cp", "c:/inside", stage.path("copied")}));
  Exchanger exchanger = TRY(Exchanger::start(pairs));
  return Copied{std::move(victim), volume, std::move(exchanger)};
}

// What was copied has nothing of the victim in it.
Verdict expect_nothing_of_victim(const std::string &tree) {
  for (unsigned i = 0; i < places; ++i) {
    const std::string directory = fmt::format("{}/{}", tree, i);
    const Result<struct stat> found = kernel::fstatat(kernel::cwd, directory, AT_SYMLINK_NOFOLLOW);
    if (!found || !S_ISDIR(found->st_mode) || !exists(directory + "/file")) continue;
    if (TRY(read_file(directory + "/file")) == Victim::text) return miss("a file of the host was copied");
  }
  return {};
}

Status remove_tree(const std::string &path) {
  if (!exists(path)) return {};
  return kernel::remove_tree_at(kernel::cwd, path);
}

// Commands that may well fail where they meet a link: then they have come to one place.
struct Commands {
  unsigned succeeded = 0;
  unsigned failed = 0;

  void count(Stage &stage, const Outcome &outcome) {
    const bool good = outcome.code == 0;
    (good ? succeeded : failed) += 1;
    stage.count_tries(good ? places : 1);
    stage.note(fmt::format("{} tries: {} commands succeeded, {} did not", stage.tries(), succeeded, failed));
  }
};

Verdict copy_out(Stage &stage) {
  const Copied copied = TRY(start_container(stage));
  const std::string out = stage.path("out");
  Commands commands;
  while (stage.tries() < stage.wanted_tries()) {
    commands.count(stage, TRY(call(stage, {"cp", "c:/work/tree", out})));
    TRY(expect_nothing_of_victim(out));
    TRY(remove_tree(out));
  }
  TRY(succeed(stage, {"rm", "-f", "c"}));
  return {};
}

Verdict copy_in(Stage &stage) {
  const Copied copied = TRY(start_container(stage));
  const std::string source = stage.path("source");
  TRY(make_directory(source));
  for (unsigned i = 0; i < places; ++i) {
    TRY(make_directory(fmt::format("{}/{}", source, i)));
    TRY(write_file(fmt::format("{}/{}/new", source, i), "new\n"));
  }
  Commands commands;
  while (stage.tries() < stage.wanted_tries()) {
    commands.count(stage, TRY(call(stage, {"cp", source + "/.", "c:/work/tree"})));
    TRY(copied.victim.untouched());
  }
  TRY(succeed(stage, {"rm", "-f", "c"}));
  return {};
}

// What a container does to the volume that is filled for another one: a directory that appears becomes a link.
class Replacer {
 public:
  static Result<Replacer> start(const std::string &directory, const std::string &target) {
    const std::string aside = directory + "-aside";
    kernel::Child child = TRY(kernel::clone3({}));
    if (child.is_this_process()) {
      (void)kernel::set_pdeathsig(SIGKILL);
      while (true) {
        if (::rename(directory.c_str(), aside.c_str()) != 0) continue;
        (void)!::symlink(target.c_str(), directory.c_str());
        (void)::unlink(directory.c_str());
        (void)::rename(aside.c_str(), directory.c_str());
      }
    }
    return Replacer(std::move(child));
  }

 private:
  explicit Replacer(kernel::Child child) : child_(std::move(child)) {}
  kernel::Child child_;
};

Status empty(const std::string &directory) {
  const kernel::Fd opened = TRY(kernel::open(directory, O_RDONLY | O_DIRECTORY));
  for (const std::string &name : TRY(kernel::list_directory(opened))) TRY(kernel::remove_tree_at(opened, name));
  return {};
}

Verdict copy_up(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  TRY(make_directory(stage.rootfs() + "/data"));
  TRY(make_directory(stage.rootfs() + "/data/dir"));
  for (unsigned i = 0; i < places; ++i) TRY(write_file(fmt::format("{}/data/dir/{}", stage.rootfs(), i), "image\n"));
  TRY(make_image(stage));
  TRY(succeed(stage, {"volume", "create", "v"}));
  const Words words = {"run", "--rm", "--network", "none", "-v", "v:/data", "one", "/inside", "exit", "0"};
  const std::string data = data_of(stage, "v");
  TRY(succeed(stage, words));
  if (!exists(data + "/dir/0")) return miss("the volume is not filled from the image");
  TRY(empty(data));
  Commands commands;
  while (stage.tries() < stage.wanted_tries()) {
    {
      const Replacer replacer = TRY(Replacer::start(data + "/dir", victim.directory()));
      commands.count(stage, TRY(call(stage, words)));
    }
    TRY(victim.untouched());
    TRY(empty(data));
  }
  return {};
}

Verdict subpath(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  TRY(make_image(stage));
  TRY(succeed(stage, {"volume", "create", "v"}));
  Words words = {"run", "--rm", "--network", "none"};
  Words probes = {"one", "/inside", "observe"};
  std::vector<NamePair> pairs;
  for (unsigned i = 0; i < places; ++i) {
    const std::string part = fmt::format("{}/{}", data_of(stage, "v"), i);
    TRY(make_directory(part));
    TRY(make_link(victim.directory(), part + "-link"));
    add_pair(pairs, part, part + "-link");
    words.insert(words.end(), {"--mount", fmt::format("type=volume,source=v,target=/x{0},volume-subpath={0}", i)});
    probes.push_back(fmt::format("read:/x{}/file", i));
  }
  words.insert(words.end(), probes.begin(), probes.end());
  TRY(succeed(stage, words));
  const Exchanger exchanger = TRY(Exchanger::start(pairs));
  Commands commands;
  while (stage.tries() < stage.wanted_tries()) {
    const Outcome outcome = TRY(call(stage, words));
    commands.count(stage, outcome);
    if (outcome.code != 0) continue;
    const Tree seen = TRY(Tree::parse(outcome.out));
    for (unsigned i = 0; i < places; ++i) {
      if (probe_errno(seen, i) == 0) return miss("a directory of the host was mounted as a part of the volume");
    }
  }
  return {};
}

constexpr Case table[] = {
    {"cp/out-of-a-container", "CVE-2018-15664", copy_out},
    {"cp/into-a-container", "CVE-2018-15664", copy_in},
    {"volume/filled-from-the-image", "CVE-2025-9566", copy_up},
    {"volume/a-part-of-it", "CVE-2017-1002101 CVE-2021-25741", subpath},
};

}  // namespace

std::span<const Case> compose_attacks() { return table; }
bool is_compose(std::string_view name) { return name.starts_with("skiff-compose") || name.starts_with("weak_compose"); }

}  // namespace skiff::conformance
