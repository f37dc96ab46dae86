// Attacks by what an image puts at /dev and below.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "conformance/attacks/attack.h"
#include "runtime/kernel/path.h"

namespace skiff::conformance {
namespace {

constexpr std::string_view secret = "of the container, and masked\n";

// Links lead to the victim on the host, or to a file of the same path inside.
Result<Victim> make_victims(const Stage &stage) {
  Victim victim = TRY(Victim::make(stage));
  TRY(victim.mirror_in(stage));
  TRY(write_file(stage.rootfs() + victim.file(), Victim::text));
  return victim;
}

// Success: the masked file is read, or what the link leads to is, or is written to as if it were the null device.
Verdict expect_masked(Stage &stage, const Victim &victim) {
  const Result<std::optional<Tree>> seen = attempt(stage);
  TRY(victim.untouched());
  if (TRY(read_file(stage.rootfs() + victim.file())) != Victim::text) {
    return miss("the streams of the container go to what /dev/null links to");
  }
  if (!seen) return std::unexpected(Miss(seen.error()));
  if (*seen && probe_errno(**seen, 0) == 0 && !probe_value(**seen, 0)->text().empty()) {
    return miss(fmt::format("the masked path shows \"{}\"", probe_value(**seen, 0)->text()));
  }
  return {};
}

Verdict mask_by_linked_null(Stage &stage) {
  const Victim victim = TRY(make_victims(stage));
  leave_dev_to_the_image(stage);
  TRY(write_file(stage.rootfs() + "/work/secret", secret));
  TRY(make_link(victim.file(), stage.rootfs() + "/dev/null"));
  if (stage.variant() == "volume") {
    TRY(make_directory(stage.path("dev")));
    TRY(make_link(victim.file(), stage.path("dev") + "/null"));
    add_mount(stage, "/dev", "bind", stage.path("dev"), {"rbind"});
  }
  stage.config.set("/linux/maskedPaths", R"(["/work/secret"])"_json);
  stage.inside("observe", {"read:/work/secret"});
  return expect_masked(stage, victim);
}

// A file where the null device should be: what is masked by it shows the attacker's text.
Verdict mask_by_other_file(Stage &stage) {
  const Victim victim = TRY(make_victims(stage));
  leave_dev_to_the_image(stage);
  TRY(write_file(stage.rootfs() + "/work/secret", secret));
  TRY(make_directory(stage.path("dev")));
  TRY(write_file(stage.path("dev") + "/null", "of the attacker\n"));
  add_mount(stage, "/dev", "bind", stage.path("dev"), {"rbind"});
  stage.config.set("/linux/maskedPaths", R"(["/work/secret"])"_json);
  stage.inside("observe", {"read:/work/secret"});
  return expect_masked(stage, victim);
}

Verdict linked_console(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  leave_dev_to_the_image(stage);
  TRY(make_link(victim.file(), stage.rootfs() + "/dev/console"));
  add_mount(stage, "/dev/pts", "devpts", "devpts", {"newinstance", "ptmxmode=0666"});
  stage.config.set("/process/user", R"({"uid": 1000, "gid": 1000})"_json);
  stage.inside("observe", {"create:/dev/console: "});
  (void)TRY(attempt_on_terminal(stage));
  return victim.untouched();
}

// The image brings the file that a runtime takes for the terminal's other side.
Verdict linked_terminal(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  leave_dev_to_the_image(stage);
  TRY(make_directory(stage.rootfs() + "/dev/pts"));
  for (int number = 0; number < 40; ++number) {
    TRY(make_link(victim.file(), fmt::format("{}/dev/pts/{}", stage.rootfs(), number)));
  }
  TRY(make_link(victim.file(), stage.rootfs() + "/dev/pts/ptmx"));
  TRY(make_link(victim.file(), stage.rootfs() + "/dev/ptmx"));
  stage.config.set("/process/user", R"({"uid": 1000, "gid": 1000})"_json);
  const Result<std::optional<Tree>> seen = attempt_on_terminal(stage);
  if (!seen) stage.note("no terminal came: " + seen.error().message());
  return victim.untouched();
}

Verdict linked_dev(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  TRY(kernel::unlinkat(kernel::cwd, stage.rootfs() + "/dev", AT_REMOVEDIR));
  TRY(make_link(victim.directory(), stage.rootfs() + "/dev"));
  leave_dev_to_the_image(stage);
  (void)TRY(attempt(stage));
  return victim.untouched();
}

Verdict linked_ptmx(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  TRY(kernel::linkat(kernel::cwd, victim.file(), kernel::cwd, stage.path("ptmx")));
  TRY(make_directory(stage.path("dev")));
  TRY(kernel::linkat(kernel::cwd, victim.file(), kernel::cwd, stage.path("dev") + "/ptmx"));
  TRY(kernel::unlinkat(kernel::cwd, stage.rootfs() + "/dev", AT_REMOVEDIR));
  TRY(make_link(stage.path("dev"), stage.rootfs() + "/dev"));
  leave_dev_to_the_image(stage);
  (void)TRY(attempt(stage));
  const Result<struct stat> left = kernel::fstatat(kernel::cwd, stage.path("dev") + "/ptmx", AT_SYMLINK_NOFOLLOW);
  if (!left || !S_ISREG(left->st_mode)) return miss("a file of the host called ptmx was replaced");
  return victim.untouched();
}

Verdict linked_null(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  leave_dev_to_the_image(stage);
  for (const char *name : {"null", "zero", "full", "tty", "random", "urandom", "ptmx"}) {
    TRY(make_link(victim.file(), stage.rootfs() + "/dev/" + name));
  }
  stage.config.set("/process/user", R"({"uid": 1000, "gid": 1000})"_json);
  stage.inside("observe", {"write:/dev/null:written"});
  (void)TRY(attempt(stage));
  return victim.untouched();
}

// linux.devices lists a path whose parent is a link.
Verdict linked_parent_of_device(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  TRY(make_link(victim.directory(), stage.rootfs() + "/work/link"));
  stage.config.set("/linux/devices", R"([{"path": "/work/link/node", "type": "c", "major": 1, "minor": 3}])"_json);
  (void)TRY(attempt(stage));
  return victim.untouched();
}

constexpr Case table[] = {
    {"masks/a-null-that-is-a-link", "CVE-2025-31133", mask_by_linked_null, "image"},
    {"masks/a-null-that-is-a-link-in-a-volume", "CVE-2025-31133", mask_by_linked_null, "volume"},
    {"masks/a-null-that-is-a-file", "CVE-2025-31133", mask_by_other_file},
    {"console/a-link", "CVE-2025-52565 CVE-2026-88264", linked_console},
    {"console/a-terminal-that-is-a-link", "CVE-2025-52565", linked_terminal},
    {"dev/a-link-to-the-host", "CVE-2026-41579 CVE-2026-47766", linked_dev},
    {"dev/a-link-whose-ptmx-is-replaced", "CVE-2026-41579", linked_ptmx},
    {"dev/a-null-that-is-a-link", "CVE-2026-88265", linked_null},
    {"dev/a-device-behind-a-link", "CVE-2026-47766", linked_parent_of_device},
};

}  // namespace

std::span<const Case> device_attacks() { return table; }

}  // namespace skiff::conformance
