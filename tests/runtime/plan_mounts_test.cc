#include "runtime/plan_mounts.h"

#include <gtest/gtest.h>
#include <linux/mount.h>

#include <algorithm>

namespace skiff {
namespace {

using Options = std::vector<std::string>;
constexpr std::uint64_t nosymfollow = 0x00200000;  // MOUNT_ATTR_NOSYMFOLLOW, absent from older headers

spec::Mount make_mount(std::string type, std::string source, Options options) {
  spec::Mount mount;
  mount.destination = "/data";
  mount.type = std::move(type);
  mount.source = std::move(source);
  mount.options = std::move(options);
  return mount;
}

Result<MountStep> plan(const spec::Mount &mount, const spec::Linux &linux_ = {}) {
  return make_mount_step(mount, {.bundle = "/bundle",
                                 .rootfs = "/bundle/rootfs",
                                 .user_namespace = linux_.find(spec::NamespaceType::user) != nullptr,
                                 .linux_ = &linux_});
}

TEST(MountPlan, ADestinationBelowTheRootfsOfTheHostIsMeantInside) {  // as runc reads it
  for (const auto &[given, meant] :
       {std::pair{"/bundle/rootfs/data", "/data"}, std::pair{"/bundle/./rootfs//a/b", "/a/b"},
        std::pair{"/bundle/rootfs", "/bundle/rootfs"}, std::pair{"/bundle/rootfsx/a", "/bundle/rootfsx/a"}}) {
    spec::Mount mount = make_mount("tmpfs", "tmpfs", {});
    mount.destination = given;
    EXPECT_EQ(plan(mount)->destination, meant);
  }
}

MountStep bind(Options options) {
  options.emplace_back("bind");
  const Result<MountStep> step = plan(make_mount("none", "/srv", std::move(options)));
  EXPECT_TRUE(step.has_value()) << step.error().message();
  return step.value_or(MountStep{});
}

MountStep filesystem(std::string type, Options options) {
  const Result<MountStep> step = plan(make_mount(std::move(type), "dev", std::move(options)));
  EXPECT_TRUE(step.has_value()) << step.error().message();
  return step.value_or(MountStep{});
}

spec::Linux with_user_namespace() {
  spec::Linux linux_;
  linux_.namespaces = {{.type = spec::NamespaceType::user, .path = {}}};
  linux_.uid_mappings = {{.container_id = 0, .host_id = 100000, .size = 65536}};
  linux_.gid_mappings = {{.container_id = 0, .host_id = 200000, .size = 65536}};
  return linux_;
}

// ---- id mappings of a new filesystem ----

// config.md, "POSIX-platform Mounts": the mappings are not of bind mounts alone.
TEST(PlanMounts, ANewFilesystemHasItsOwnMappings) {
  spec::Mount mount = make_mount("tmpfs", "tmpfs", {});
  mount.uid_mappings = {{.container_id = 0, .host_id = 1000, .size = 10}};
  mount.gid_mappings = {{.container_id = 0, .host_id = 2000, .size = 10}};
  const MountStep step = plan(mount).value();
  ASSERT_TRUE(step.id_maps);
  EXPECT_EQ(step.id_maps->gids.front().host_id, 2000U);
  const Result<MountStep> inside = plan(mount, with_user_namespace());
  ASSERT_FALSE(inside);
  EXPECT_TRUE(inside.error().text.starts_with(".uidMappings: ")) << inside.error().text;
}

// ---- kinds ----

// config.md, Mounts: "A mount is a bind mount if it has either bind or rbind in the options."
TEST(PlanMounts, BindIsAnOptionWhateverTheType) {
  for (const char *type : {"", "none", "bind", "tmpfs"}) {
    const MountStep step = plan(make_mount(type, "/srv", {"bind"})).value();
    EXPECT_EQ(step.kind, MountStep::Kind::bind) << type;
    EXPECT_FALSE(step.recursive);
  }
  EXPECT_TRUE(plan(make_mount("", "/srv", {"rbind"})).value().recursive);
  EXPECT_EQ(plan(make_mount("bind", "/srv", {})).value().kind, MountStep::Kind::bind);
  EXPECT_TRUE(plan(make_mount("rbind", "/srv", {})).value().recursive);
}

// config.md, Mounts, source: "Path values for bind mounts are either absolute or relative to the bundle."
TEST(PlanMounts, ARelativeSourceStartsAtTheBundle) {
  EXPECT_EQ(plan(make_mount("", "files/../etc", {"bind"})).value().source, "/bundle/etc");
  EXPECT_EQ(plan(make_mount("", "/srv/./data/", {"bind"})).value().source, "/srv/data");
}

// config.md, Mounts, destination: a relative one "MUST be interpreted as relative to /".
TEST(PlanMounts, ARelativeDestinationStartsAtTheRoot) {
  spec::Mount mount = make_mount("tmpfs", "tmpfs", {});
  mount.destination = "tmp//x/../y/";
  EXPECT_EQ(plan(mount).value().destination, "/tmp/y");
}

TEST(PlanMounts, ATypeIsNeededWithoutBind) {
  const Result<MountStep> step = plan(make_mount("none", "/srv", {"ro"}));
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().text, ".type: missing");
}

TEST(PlanMounts, RemountAndPropagationAloneChangeWhatIsThere) {
  EXPECT_EQ(filesystem("tmpfs", {"remount", "ro"}).kind, MountStep::Kind::remount);
  EXPECT_EQ(filesystem("none", {"rslave"}).kind, MountStep::Kind::remount);
}

TEST(PlanMounts, CgroupIsWhateverTheHostHas) {
  EXPECT_EQ(filesystem("cgroup", {"ro"}).kind, MountStep::Kind::cgroup);
  EXPECT_EQ(filesystem("cgroup2", {}).kind, MountStep::Kind::filesystem);
}

// ---- options ----

TEST(PlanMounts, KnownOptionsAreSortedAndContainWhatEnginesLookFor) {
  const auto known = known_mount_options();
  EXPECT_TRUE(std::ranges::is_sorted(known));
  for (const std::string_view name :
       {"async", "atime",       "bind",        "defaults",  "dirsync", "iversion",     "lazytime",
        "loud",  "mand",        "nosymfollow", "ratime",    "rexec",   "rnosymfollow", "rro",
        "rrw",   "runbindable", "silent",      "tmpcopyup", "idmap",   "ridmap"}) {
    EXPECT_TRUE(std::ranges::binary_search(known, name)) << name;
  }
}

TEST(PlanMounts, AttributesOfANewFilesystemAreSet) {
  const MountStep step = filesystem("tmpfs", {"nosuid", "noexec", "nodev", "strictatime", "mode=755", "size=64k"});
  EXPECT_EQ(step.attributes.set,
            std::uint64_t{MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV | MOUNT_ATTR_STRICTATIME});
  EXPECT_EQ(step.attributes.clear, 0U);
  const std::vector<std::pair<std::string, std::string>> options = {{"mode", "755"}, {"size", "64k"}};
  EXPECT_EQ(step.options, options);
}

TEST(PlanMounts, TheLastOfTwoOppositesCounts) {
  EXPECT_EQ(filesystem("ext4", {"ro", "rw"}).attributes.set, 0U);
  EXPECT_EQ(filesystem("ext4", {"ro", "rw"}).superblock_flags, 0U);
  EXPECT_EQ(filesystem("ext4", {"rw", "ro"}).attributes.set, std::uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_EQ(filesystem("ext4", {"sync", "async"}).superblock_flags, 0U);
  EXPECT_EQ(filesystem("tmpfs", {"noatime", "strictatime"}).attributes.set, std::uint64_t{MOUNT_ATTR_STRICTATIME});
  EXPECT_EQ(filesystem("tmpfs", {"strictatime", "norelatime"}).attributes.set, std::uint64_t{MOUNT_ATTR_STRICTATIME});
  EXPECT_EQ(filesystem("tmpfs", {"noatime", "atime"}).attributes.set, 0U);
}

TEST(PlanMounts, SuperblockFlagsAreApartFromAttributes) {
  const MountStep step = filesystem("ext4", {"sync", "dirsync", "mand", "lazytime", "iversion", "silent"});
  EXPECT_EQ(step.superblock_flags,
            std::uint64_t{MS_SYNCHRONOUS | MS_DIRSYNC | MS_MANDLOCK | MS_LAZYTIME | MS_I_VERSION | MS_SILENT});
  EXPECT_EQ(step.attributes.set, 0U);
}

TEST(PlanMounts, ReadOnlyReachesTheSuperblockWhereItIsTheContainersOwn) {
  EXPECT_EQ(filesystem("overlay", {"ro"}).superblock_flags, std::uint64_t{MS_RDONLY});
  for (const char *type : {"proc", "sysfs", "tmpfs", "mqueue", "devpts", "cgroup", "cgroup2"}) {
    const MountStep step = filesystem(type, {"ro"});
    EXPECT_EQ(step.superblock_flags, 0U) << type;
    EXPECT_EQ(step.attributes.set, std::uint64_t{MOUNT_ATTR_RDONLY}) << type;
  }
}

TEST(PlanMounts, ATmpfsTurnsReadOnlyLast) {
  EXPECT_TRUE(filesystem("tmpfs", {"ro"}).readonly_last);
  EXPECT_FALSE(filesystem("tmpfs", {}).readonly_last);
  EXPECT_FALSE(filesystem("sysfs", {"ro"}).readonly_last);
  spec::Mount dev = make_mount("devtmpfs", "devtmpfs", {"ro"});
  dev.destination = "/dev/";
  EXPECT_TRUE(plan(dev).value().readonly_last);
}

// config.md, Linux mount options: unknown options are filesystem-specific.
TEST(PlanMounts, UnknownOptionsBelongToTheFilesystem) {
  const MountStep step = filesystem("overlay", {"lowerdir=/a:/b", "index=off", "userxattr", "defaults", ""});
  const std::vector<std::pair<std::string, std::string>> options = {
      {"lowerdir", "/a:/b"}, {"index", "off"}, {"userxattr", ""}};
  EXPECT_EQ(step.options, options);
}

TEST(PlanMounts, OneStringMayHoldSeveralOptions) {
  const MountStep step =
      filesystem("tmpfs", {R"(nosuid,mode=755,context="u:r:t:s0:c1,c2",size=1k)", R"(lowerdir=/a\,b,x)"});
  EXPECT_EQ(step.attributes.set, std::uint64_t{MOUNT_ATTR_NOSUID});
  const std::vector<std::pair<std::string, std::string>> options = {
      {"mode", "755"}, {"context", "u:r:t:s0:c1,c2"}, {"size", "1k"}, {"lowerdir", R"(/a\,b)"}, {"x", ""}};
  EXPECT_EQ(step.options, options);
}

TEST(PlanMounts, PropagationKeepsTheOrderWritten) {
  const MountStep step = bind({"rslave", "shared"});
  const std::vector<std::uint64_t> expected = {MS_SLAVE | MS_REC, MS_SHARED};
  EXPECT_EQ(step.propagation, expected);
}

TEST(PlanMounts, OrdersToTheRuntimeAreNotHandedToTheFilesystem) {
  const MountStep step = bind({"copy-symlink", "src-nofollow", "dest-nofollow"});
  EXPECT_TRUE(step.copy_symlink);
  EXPECT_TRUE(step.source_nofollow);
  EXPECT_TRUE(step.destination_nofollow);
  EXPECT_TRUE(filesystem("tmpfs", {"tmpcopyup"}).copy_up);
  EXPECT_TRUE(filesystem("tmpfs", {"tmpcopyup"}).options.empty());
}

TEST(PlanMounts, TheMountLabelIsForFilesystemsThatTakeOne) {
  spec::Linux linux_;
  linux_.mount_label = "u:r:t:s0";
  EXPECT_EQ(plan(make_mount("tmpfs", "tmpfs", {}), linux_).value().data_label, "u:r:t:s0");
  EXPECT_EQ(plan(make_mount("proc", "proc", {}), linux_).value().data_label, "");
  EXPECT_EQ(plan(make_mount("", "/srv", {"bind"}), linux_).value().data_label, "");
}

// ---- bind mounts ----

TEST(PlanMounts, ABindMountWithoutAttributesKeepsThoseOfItsSource) {
  const MountStep step = bind({"rprivate"});
  EXPECT_EQ(step.attributes.set, 0U);
  EXPECT_EQ(step.attributes.clear, 0U);
  EXPECT_EQ(step.clear_unless_locked, 0U);
}

TEST(PlanMounts, ABindMountWithAttributesHasExactlyThose) {
  const MountStep step = bind({"ro", "exec"});
  EXPECT_EQ(step.attributes.set, std::uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_EQ(step.attributes.clear, std::uint64_t{MOUNT_ATTR_NOEXEC} | nosymfollow);
  EXPECT_EQ(step.clear_unless_locked, std::uint64_t{MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV});
  EXPECT_EQ(step.superblock_flags, 0U);
}

TEST(PlanMounts, ABindMountKeepsTheAccessTimeUnlessAModeIsSet) {
  for (const char *option : {"atime", "diratime", "norelatime", "nostrictatime"}) {
    EXPECT_EQ(bind({option}).attributes.clear, nosymfollow) << option;
  }
  const MountStep strict = bind({"strictatime"});
  EXPECT_EQ(strict.attributes.set, std::uint64_t{MOUNT_ATTR_STRICTATIME});
  EXPECT_EQ(strict.attributes.clear, std::uint64_t{MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME} | nosymfollow);
  const MountStep directories = bind({"nodiratime"});
  EXPECT_EQ(directories.attributes.set, std::uint64_t{MOUNT_ATTR_NODIRATIME});
  EXPECT_EQ(directories.attributes.clear, std::uint64_t{MOUNT_ATTR__ATIME} | nosymfollow);
}

TEST(PlanMounts, RecursiveAttributesAreTheirOwnSet) {
  const MountStep step = bind({"rro", "rnosuid", "rdev", "rnosymfollow"});
  EXPECT_EQ(step.recursive_attributes.set, std::uint64_t{MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID} | nosymfollow);
  EXPECT_EQ(step.recursive_attributes.clear, std::uint64_t{MOUNT_ATTR_NODEV});
  EXPECT_EQ(step.attributes.set, 0U);
  EXPECT_EQ(step.clear_unless_locked, 0U);
}

// mount_setattr(2): the access time's field is cleared as a whole.
TEST(PlanMounts, ARecursiveAccessTimeClearsTheWholeField) {
  const MountStep step = bind({"rstrictatime", "rnoatime"});
  EXPECT_EQ(step.recursive_attributes.set, std::uint64_t{MOUNT_ATTR_NOATIME});
  EXPECT_EQ(step.recursive_attributes.clear, std::uint64_t{MOUNT_ATTR__ATIME});
  EXPECT_EQ(bind({"rrelatime"}).recursive_attributes.clear, std::uint64_t{MOUNT_ATTR__ATIME});
  EXPECT_EQ(bind({"rnodiratime"}).recursive_attributes.set, std::uint64_t{MOUNT_ATTR_NODIRATIME});
}

// ---- id mappings ----

// config.md, Linux mount options, idmap: without any mapping "an error MUST be returned".
TEST(PlanMounts, IdmapWithoutAMappingIsAnError) {
  const Result<MountStep> step = plan(make_mount("", "/srv", {"bind", "idmap"}));
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().text, ".options: idmap has no mapping to apply");
}

TEST(PlanMounts, IdmapTakesTheMountsMappingsBeforeTheContainers) {
  const spec::Linux linux_ = with_user_namespace();
  spec::Mount mount = make_mount("", "/srv", {"bind", "ridmap"});
  MountStep step = plan(mount, linux_).value();
  EXPECT_TRUE(step.id_map_of_container);
  EXPECT_TRUE(step.id_map_recursive);
  mount.uid_mappings = {{.container_id = 0, .host_id = 1000, .size = 1}};
  mount.gid_mappings = {{.container_id = 0, .host_id = 1001, .size = 1}};
  step = plan(mount, linux_).value();
  EXPECT_FALSE(step.id_map_of_container);
  ASSERT_TRUE(step.id_maps);
  EXPECT_EQ(step.id_maps->gids.front().host_id, 1001U);
}

TEST(PlanMounts, MappingsCountWithoutTheOption) {
  spec::Mount mount = make_mount("", "/srv", {"bind"});
  mount.uid_mappings = {{.container_id = 0, .host_id = 1000, .size = 1}};
  EXPECT_FALSE(plan(mount));
  mount.gid_mappings = mount.uid_mappings;
  EXPECT_TRUE(plan(mount).value().id_maps);
}

TEST(PlanMounts, IdmapMayBringItsRangesAlong) {
  const MountStep step = bind({"idmap=uids=0-1-10#10-11-10;gids=0-100-10"});
  ASSERT_TRUE(step.id_maps);
  ASSERT_EQ(step.id_maps->uids.size(), 2U);
  EXPECT_EQ(step.id_maps->uids[1].container_id, 10U);
  EXPECT_EQ(step.id_maps->uids[1].host_id, 11U);
  EXPECT_EQ(step.id_maps->gids[0].size, 10U);
  EXPECT_TRUE(step.options.empty());
}

TEST(PlanMounts, ARangeWithAnAtSignIsRelativeToTheContainersMapping) {
  const Result<MountStep> step =
      plan(make_mount("", "/srv", {"bind", "idmap=uids=@0-5-1;gids=@0-6-1"}), with_user_namespace());
  ASSERT_TRUE(step) << step.error().message();
  EXPECT_EQ(step->id_maps->uids[0].host_id, 100005U);
  EXPECT_EQ(step->id_maps->gids[0].host_id, 200006U);
  EXPECT_FALSE(plan(make_mount("", "/srv", {"bind", "idmap=uids=@0-5-1;gids=0-6-1"})));
}

TEST(PlanMounts, ARangeThatIsNoneIsAnError) {
  for (const char *option :
       {"idmap=uids=0-1;gids=0-1-1", "idmap=uids=0-1-1", "idmap=uids=0-1-1;gids=a-1-1", "idmap=uids=0-1-0;gids=0-1-1",
        "idmap=what=0-1-1", "idmap=uids=0-1-1x;gids=0-1-1", "idmap=uids=4294967296-0-1;gids=0-1-1"}) {
    EXPECT_FALSE(plan(make_mount("", "/srv", {"bind", option}))) << option;
  }
}

}  // namespace
}  // namespace skiff
