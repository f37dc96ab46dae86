// Attacks by an image on who unpacks it.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "conformance/attacks/image.h"
#include "runtime/kernel/path.h"

namespace skiff::conformance {
namespace {

// More of them than there are directories above any root.
std::string up() {
  constexpr int enough = 12;
  std::string path;
  for (int i = 0; i < enough; ++i) path += "../";
  return path;
}

Verdict withstand(Stage &stage, const Victim &victim, const Image &image, const std::string &directory = "/") {
  (void)TRY(unpack(stage, image, directory));
  TRY(victim.untouched());
  const struct stat file = TRY(kernel::fstatat(kernel::cwd, victim.file(), AT_SYMLINK_NOFOLLOW));
  return expect(file.st_nlink == 1, "a file of the host", "one name", "another one in the tree");
}

// The next layer would be unpacked where the root of the first one leads.
Verdict root_is_a_link(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  return withstand(stage, victim,
                   image_of({{link_entry(std::string(stage.variant()), victim.directory())}, {file_entry("new")}}));
}

Verdict name_leads_up(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  return withstand(stage, victim, image_of({{file_entry(up() + victim.directory().substr(1) + "/new")}}));
}

Verdict name_is_absolute(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  return withstand(stage, victim, image_of({{file_entry(victim.directory() + "/new")}}));
}

Verdict through_a_link(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  const bool relative = stage.variant() == "relative";
  const std::string target = relative ? up() + victim.directory().substr(1) : victim.directory();
  const Entry link = link_entry("evil", target);
  if (stage.variant() == "later") return withstand(stage, victim, image_of({{link}, {file_entry("evil/new")}}));
  return withstand(stage, victim, image_of({{link, file_entry("evil/new")}}));
}

// Each link is harmless by its text and the name that it has: the second one lies elsewhere.
Verdict chain_of_links(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  std::vector<Entry> entries;
  std::string deep;
  for (std::size_t i = 0; i < up().size() / 3; ++i) {
    deep += "d/";
    entries.push_back(directory_entry(deep));
  }
  entries.push_back(link_entry(deep + "u", up()));
  entries.push_back(link_entry(deep + "u/out", up().substr(0, up().size() - 3)));
  entries.push_back(file_entry("out/" + victim.directory().substr(1) + "/new"));
  entries.push_back(file_entry("out/.." + victim.directory() + "/new"));
  return withstand(stage, victim, image_of({entries}));
}

// A path was looked up, and is remembered, when a part of it becomes another thing.
Verdict directory_becomes_a_link(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  return withstand(stage, victim,
                   image_of({{directory_entry("d"), file_entry("d/a")},
                             {link_entry("d", victim.directory()), file_entry("d/new")}}));
}

Verdict file_over_a_link(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  return withstand(stage, victim, image_of({{link_entry("f", victim.file())}, {file_entry("f")}}));
}

Verdict hard_link_leads_out(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  if (stage.variant() == "link") {
    return withstand(stage, victim,
                     image_of({{link_entry("evil", victim.directory())}, {hard_link_entry("loot", "evil/file")}}));
  }
  // From the working directory, which is the victim's.
  const std::string target = stage.variant() == "cwd" ? "file" : victim.file();
  return withstand(stage, victim, image_of({{hard_link_entry("loot", target)}}), victim.directory());
}

// The mode of a hard link to a symbolic one, and that of a directory where one is.
Verdict mode_goes_through(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  Entry linked = hard_link_entry("h", "s");
  linked.mode = 06777;
  linked.owner = 99;
  Entry fifo{.type = '6', .name = "h", .mode = 06777, .owner = 99};
  Entry directory = directory_entry("d", 0777);
  directory.owner = 99;
  return withstand(stage, victim,
                   image_of({{link_entry("s", victim.file()), link_entry("d", victim.directory())},
                             {linked, directory, directory_entry("s", 0777)}}));
}

Verdict whiteout_leads_out(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  const std::string name = "evil/" + std::string(stage.variant());
  return withstand(stage, victim, image_of({{link_entry("evil", victim.directory())}, {file_entry(name, "")}}));
}

// Something that was made of the image lies in the root filesystem.
Verdict expect_no(const Unpacked &unpacked, std::string_view name, std::string_view what) {
  if (!exists(fmt::format("{}/{}", unpacked.rootfs, name))) return {};
  return miss(fmt::format("{} is unpacked", what));
}

Verdict digest_is_a_path(Stage &stage) {
  const std::string tar = tar_of({file_entry("landed")});
  TRY(write_file(stage.path("secret"), tar));
  const std::string digest = fmt::format("sha256:{}{}", up(), stage.path("secret").substr(1));
  return expect_no(TRY(unpack(stage, {.layers = {{.tar = tar, .digest = digest}}})), "landed", "a file of the host");
}

Verdict content_is_another(Stage &stage) {
  const std::string good = tar_of({file_entry("good")});
  const std::string other = tar_of({file_entry("evil")});
  const Unpacked unpacked = TRY(unpack(stage, {.layers = {{.tar = good, .stored = other}}}));
  return unpacked.succeeded ? expect_no(unpacked, "evil", "what is not of that digest") : Verdict();
}

Result<std::optional<std::int64_t>> user_of(const Unpacked &unpacked) {
  if (!unpacked.succeeded || !exists(unpacked.config)) return std::optional<std::int64_t>();
  return TRY(Tree::parse(TRY(read_file(unpacked.config)))).number("/process/user/uid");
}

Verdict user_wraps(Stage &stage) {
  Image image = image_of({{file_entry("file")}});
  image.config.set("/User", std::string(stage.variant()));
  const Unpacked unpacked = TRY(unpack(stage, image));
  if (unpacked.config.empty()) return skip("it makes no config.json");
  if (TRY(user_of(unpacked)) == 0) return miss(fmt::format("user \"{}\" is root", stage.variant()));
  return {};
}

Verdict passwd_is_a_link(Stage &stage) {
  TRY(write_file(stage.path("passwd"), "mallory:x:4242:4242::/:/bin/sh\n"));
  Image image = image_of({{directory_entry("etc"), link_entry("etc/passwd", stage.path("passwd"))}});
  image.config.set("/User", "mallory");
  const Unpacked unpacked = TRY(unpack(stage, image));
  if (unpacked.config.empty()) return skip("it makes no config.json");
  if (TRY(user_of(unpacked)) == 4242) return miss("the user is looked up in a file of the host");
  return {};
}

Verdict passwd_is_special(Stage &stage) {
  Image image =
      image_of({{directory_entry("etc"), {.type = '6', .name = "etc/passwd"}, {.type = '6', .name = "etc/group"}}});
  image.config.set("/User", "mallory:mallory");
  const Result<Unpacked> unpacked = unpack(stage, image);
  if (unpacked && unpacked->config.empty()) return skip("it makes no config.json");
  if (Clock::now() >= stage.deadline()) return miss("with a FIFO for the image's passwd it does not end");
  return unpacked ? Verdict() : std::unexpected(Miss(unpacked.error()));
}

constexpr Case table[] = {
    {"layer/its-root-is-a-link", "CVE-2021-29136", root_is_a_link, "."},
    {"layer/its-root-by-another-name-is-a-link", "CVE-2021-29136", root_is_a_link, "/."},
    {"layer/a-name-that-leads-up", "CVE-2001-1267", name_leads_up},
    {"layer/an-absolute-name", "CVE-2001-1267", name_is_absolute},
    {"layer/through-an-absolute-link", "CVE-2014-9356", through_a_link},
    {"layer/through-a-relative-link", "CVE-2014-6407", through_a_link, "relative"},
    {"layer/through-a-link-of-the-layer-before", "CVE-2025-47290", through_a_link, "later"},
    {"layer/a-chain-of-links", "CVE-2020-27833", chain_of_links},
    {"layer/a-directory-becomes-a-link", "CVE-2025-47290", directory_becomes_a_link},
    {"layer/a-file-over-a-link", "CVE-2026-50163", file_over_a_link},
    {"layer/a-hard-link-to-the-host", "CVE-2014-6407", hard_link_leads_out},
    {"layer/a-hard-link-from-the-working-directory", "CVE-2026-50163", hard_link_leads_out, "cwd"},
    {"layer/a-hard-link-through-a-link", "CVE-2026-50163", hard_link_leads_out, "link"},
    {"layer/modes-and-owners-through-links", "CVE-2021-32760", mode_goes_through},
    {"layer/a-whiteout-through-a-link", "CVE-2020-27833", whiteout_leads_out, ".wh.file"},
    {"layer/an-opaque-whiteout-through-a-link", "CVE-2020-27833", whiteout_leads_out, ".wh..wh..opq"},
    {"image/a-digest-that-is-a-path", "CVE-2024-3727", digest_is_a_path},
    {"image/content-of-another-digest", "descriptor.md", content_is_another},
    {"image/a-user-that-wraps-to-root", "CVE-2024-40635 CVE-2026-47262", user_wraps, "4294967296"},
    {"image/a-passwd-that-is-a-link", "CVE-2024-9676", passwd_is_a_link},
    {"image/a-passwd-that-is-a-fifo", "CVE-2024-9676", passwd_is_special},
};

}  // namespace

std::span<const Case> image_attacks() { return table; }

}  // namespace skiff::conformance
