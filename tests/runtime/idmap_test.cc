#include "runtime/idmap.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/runtime/rootfs_stage.h"

namespace skiff::testing {
namespace {

using kernel::testing::write_whole;

IdMaps shifted() {
  return {.uids = {{.container_id = 0, .host_id = 1000, .size = 100}},
          .gids = {{.container_id = 0, .host_id = 2000, .size = 100}}};
}

TEST(IdMap, LinesAreThoseOfUidMap) {
  EXPECT_EQ(
      format_id_map({{.container_id = 0, .host_id = 1000, .size = 1}, {.container_id = 5, .host_id = 6, .size = 7}}),
      "0 1000 1\n5 6 7\n");
}

MountStep mapped_bind(const std::string &source) {
  MountStep step;
  step.kind = MountStep::Kind::bind;
  step.source = source;
  step.destination = "/data";
  step.id_maps = shifted();
  return step;
}

bool belongs_to(const std::string &path, uid_t uid, gid_t gid) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && status.st_uid == uid && status.st_gid == gid;
}

// config.md, "Mounts": uidMappings, gidMappings
TEST(IdMap, ABindShowsItsFilesWithMappedOwnersAlsoFromAPidNamespace) {
  if (::geteuid() != 0) GTEST_SKIP() << "id-mapped mounts take root";
  EXPECT_STAGED(on_stage(CLONE_NEWPID, [](Stage &stage) -> Verdict {
    write_whole(stage.host("/file"), "");
    NEED(::chown(stage.host("/file").c_str(), 7, 8) == 0);
    const auto done = stage.apply(mapped_bind(stage.host("")));
    if (!done && done.error().number == EINVAL) return "skip: this kernel's tmpfs cannot be id-mapped (Linux 6.3)";
    NEED_OK(done);
    NEED(belongs_to(stage.rootfs_path("/data/file"), 1007, 2008));
    NEED(belongs_to(stage.host("/file"), 7, 8));
    return {};
  }));
}

TEST(IdMap, AFilesystemThatCannotBeMappedIsAnErrorWithARemedy) {
  if (::geteuid() != 0) GTEST_SKIP() << "id-mapped mounts take root";
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    const auto done = stage.apply(mapped_bind("/sys"));
    NEED(!done && done.error().number == EINVAL && !done.error().remedy.empty());
    NEED(!is_mounted(stage.rootfs_path("/data")));
    return {};
  }));
}

TEST(IdMap, TheMapsOfTheContainerTakeAUserNamespace) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    MountStep step = mapped_bind(stage.host(""));
    step.id_maps.reset();
    step.id_map_of_container = true;
    const auto done = stage.apply(step);
    NEED(!done && done.error().number == 0 && !done.error().remedy.empty());
    return {};
  }));
}

TEST(IdMap, ForAContainerWithAUserNamespaceTheParentMapsTheMount) {
  if (::geteuid() != 0) GTEST_SKIP() << "id-mapped mounts take root";
  EXPECT_STAGED(before_attach(0, [](Stage &stage) -> Verdict {
    write_whole(stage.host("/file"), "");
    MountStep step = mapped_bind(stage.host(""));
    step.id_maps.reset();
    step.id_map_of_container = true;
    stage.plan.launch.new_namespaces = CLONE_NEWUSER | CLONE_NEWNS;
    stage.plan.launch.id_maps = IdMaps{.uids = {{.container_id = 0, .host_id = 0, .size = 1}},
                                       .gids = {{.container_id = 0, .host_id = 0, .size = 1}}};
    stage.plan.steps = {{"mounts[0] (/data)", step}};
    auto sources = open_sources(stage.plan);
    if (!sources && sources.error().number == EINVAL) return "skip: this kernel's tmpfs cannot be id-mapped";
    NEED_OK(sources);
    return run_isolated(CLONE_NEWUSER | CLONE_NEWNS, [&]() -> Verdict {
      if (Verdict attached = stage.attach_rootfs(); !attached.empty()) return attached;
      stage.rootfs->sources = std::move(*sources);
      NEED_OK(stage.apply(step));
      NEED(belongs_to(stage.rootfs_path("/data/file"), 0, 0));
      return {};
    });
  }));
}

}  // namespace
}  // namespace skiff::testing
