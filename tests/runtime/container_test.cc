#include "runtime/container.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "runtime/kernel/process.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff {
namespace {

TEST(ContainerId, TakesTheCharactersOfRuncAndNoOthers) {
  for (const char *good : {"a", "A-b_c+d.e", "0", "...", "-x"}) EXPECT_TRUE(check_container_id(good)) << good;
  for (const char *bad : {"", ".", "..", "a/b", "../x", "a b", "ü", "a\n"}) {
    const Status checked = check_container_id(bad);
    ASSERT_FALSE(checked) << bad;
    EXPECT_TRUE(checked.error().text.starts_with("invalid container ID")) << checked.error().text;
  }
  EXPECT_TRUE(check_container_id(std::string(255, 'x')));
  EXPECT_FALSE(check_container_id(std::string(2000, 'x')));
}

class ContainerRoot : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  std::string root_ = directory_.path() + "/a/b";
};

TEST_F(ContainerRoot, IsMadeWithTheFirstContainerForItsOwnerAloneAndStays) {
  const Result<Container> container = Container::create(root_, "one");
  ASSERT_TRUE(container) << container.error().message();
  const Result<struct stat> stat = kernel::fstatat(kernel::cwd, root_);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->st_mode & 07777U, 01700U);
}

TEST_F(ContainerRoot, RefusesAnIdThatExists) {
  const Result<Container> first = Container::create(root_, "one");
  ASSERT_TRUE(first);
  const Result<Container> second = Container::create(root_, "one");
  ASSERT_FALSE(second);
  EXPECT_TRUE(second.error().text.starts_with("container with given ID already exists")) << second.error().text;
}

// containerd takes these words for success of a delete.
TEST_F(ContainerRoot, SaysThatAnUnknownContainerDoesNotExist) {
  const Result<Container> container = Container::load(root_, "nobody");
  ASSERT_FALSE(container);
  EXPECT_NE(container.error().message().find("does not exist"), std::string::npos);
}

TEST_F(ContainerRoot, ReadsBackTheRecordThatWasSaved) {
  Result<Container> made = Container::create(root_, "one");
  ASSERT_TRUE(made);
  made->record.bundle = "/bundle";
  made->record.pid = 42;
  made->record.cgroup_paths = {"/sys/fs/cgroup/x"};
  ASSERT_TRUE(made->write_next());
  ASSERT_TRUE(made->replace());
  const Result<Container> loaded = Container::load(root_, "one");
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(loaded->record.pid, 42);
  EXPECT_EQ(loaded->record.cgroup_paths, made->record.cgroup_paths);
}

TEST_F(ContainerRoot, LeavesOneThatWasCutShortToDeleteForce) {
  ASSERT_TRUE(Container::create(root_, "one"));
  const Result<Container> strict = Container::load(root_, "one");
  ASSERT_FALSE(strict);
  EXPECT_NE(strict.error().remedy.find("delete --force"), std::string::npos);
  Result<Container> any = Container::load_any(root_, "one");
  ASSERT_TRUE(any);
  ASSERT_TRUE(any->remove());
  EXPECT_FALSE(Container::load_any(root_, "one"));
}

TEST_F(ContainerRoot, IsCreatingWhileItsCreatorHoldsTheLockAndStoppedAfterwards) {
  const kernel::Procfs proc = kernel::Procfs::open_host().value();
  {
    Result<Container> made = Container::create(root_, "one");
    ASSERT_TRUE(made);
    made->record.bundle = "/bundle";
    ASSERT_TRUE(made->write_next());
    ASSERT_TRUE(made->replace());
    const Result<Container> seen = Container::load(root_, "one");
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->status(proc).value(), spec::ContainerStatus::creating);
  }
  const Result<Container> seen = Container::load(root_, "one");
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->status(proc).value(), spec::ContainerStatus::stopped);
}

TEST_F(ContainerRoot, TellsAReusedPidByTheStartTimeOfItsProcess) {
  const kernel::Procfs proc = kernel::Procfs::open_host().value();
  Result<Container> made = Container::create(root_, "one");
  ASSERT_TRUE(made);
  made->record.ready = true;
  made->record.pid = kernel::getpid();
  made->record.start_time = proc.read_start_time(kernel::getpid()).value();
  EXPECT_EQ(made->status(proc).value(), spec::ContainerStatus::running);
  ++made->record.start_time;
  EXPECT_EQ(made->status(proc).value(), spec::ContainerStatus::stopped);
  EXPECT_FALSE(made->open_init(proc));
}

TEST_F(ContainerRoot, ListsContainersInOrderAndNothingElse) {
  ASSERT_TRUE(Container::create(root_, "b"));
  ASSERT_TRUE(Container::create(root_, "a"));
  ASSERT_TRUE(kernel::mkdirat(kernel::cwd, root_ + "/@seccomp", 0700));
  EXPECT_EQ(Container::list(root_).value(), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(Container::list("/nonexistent/skiff").value().empty());
}

}  // namespace
}  // namespace skiff
