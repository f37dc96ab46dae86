// Trees that are deeper than a process may have open files, or a path may be long.
#include <sys/resource.h>

#include "imgtool/tree.h"
#include "imgtool/tree_removal.h"
#include "runtime/kernel/path.h"
#include "tests/imgtool/layer_stage.h"

namespace skiff::image {
namespace {

constexpr int deep = 5000;
constexpr int nameable = 2000;  // "d/d/..." is 3,999 bytes then

class DeepTree : public LayerTest {
 protected:
  DeepTree() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit few{.rlim_cur = 256, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &few);
    root_ = kernel::open(top_, O_RDONLY | O_DIRECTORY).value();
  }
  ~DeepTree() override { ::setrlimit(RLIMIT_NOFILE, &before_); }
  DeepTree(const DeepTree &) = delete;
  DeepTree &operator=(const DeepTree &) = delete;

  // In the tree: top/d/d/..., with a file in the last.
  void make(const std::string &top, int levels) const {
    ASSERT_TRUE(kernel::mkdirat(root_, top, 0755));
    kernel::Fd at = kernel::openat(root_, top, O_RDONLY | O_DIRECTORY).value();
    for (int level = 0; level < levels; ++level) {
      ASSERT_TRUE(kernel::mkdirat(at, "d", 0755));
      at = kernel::openat(at, "d", O_RDONLY | O_DIRECTORY).value();
    }
    ASSERT_TRUE(kernel::mknodat(at, "file", S_IFREG | 0644, 0));
  }
  [[nodiscard]] std::vector<std::string> names() const { return kernel::list_directory(root_).value(); }
  static Header deep_file() {
    std::string name;
    for (int level = 0; level < nameable; ++level) name += "d/";
    return {.name = "long", .data = "deep", .pax = {{"path", name + "file"}}};
  }

  rlimit before_{};
  kernel::Fd root_;
};

TEST_F(DeepTree, IsUnpackedRecordedAndPackedAgain) {
  ASSERT_EQ(apply({deep_file()}), "");
  const Result<TreeRecord> record = record_tree(root_);
  ASSERT_TRUE(record) << record.error().message();
  EXPECT_EQ(record->directories.size(), nameable + 1U);
  const Result<std::vector<LayerChange>> all = list_tree(root_);
  ASSERT_TRUE(all) << all.error().message();
  std::size_t written = 0;
  const Status packed = write_changes(root_, *all, {}, [&](const TarEntry &, const ReadBytes &) {
    ++written;
    return Status();
  });
  EXPECT_TRUE(packed) << packed.error().message();
  EXPECT_EQ(written, nameable + 2U);
  EXPECT_TRUE(list_changes(root_, *record)->empty());
}

TEST_F(DeepTree, WhiteoutsTakeItAway) {
  make("gone", deep);
  make("emptied", deep);
  ASSERT_EQ(apply({file(".wh.gone"), directory("emptied"), file("emptied/.wh..wh..opq")}), "");
  EXPECT_EQ(names(), std::vector<std::string>{"emptied"});
  EXPECT_TRUE(kernel::list_directory(kernel::openat(root_, "emptied", O_RDONLY).value())->empty());
}

TEST_F(DeepTree, SomethingElseTakesItsPlace) {
  make("replaced", deep);
  ASSERT_EQ(apply({file("replaced", "x")}), "");
  EXPECT_EQ(text("replaced"), "x");
}

TEST_F(DeepTree, AnOpaqueDirectorysWhiteoutsAreFoundInIt) {
  if (::geteuid() != 0) GTEST_SKIP() << "trusted.overlay needs root";
  options_.whiteouts = WhiteoutStyle::overlay;
  Header whiteout = deep_file();
  std::string &name = whiteout.pax.front().second;
  name.insert(name.rfind('/') + 1, ".wh.");
  ASSERT_EQ(apply({deep_file(), directory("d"), whiteout, file("d/.wh..wh..opq")}), "");
}

TEST_F(DeepTree, IsRemovedToo) {
  make("tree", deep);
  EXPECT_TRUE(remove_tree(root_, "tree"));
  EXPECT_TRUE(names().empty());
}

TEST_F(DeepTree, APathThatNoLayerCanNameIsAnErrorWithTheLimit) {
  make("tree", deep);
  const std::string wanted = "\"tree/d/d/";
  for (const std::string &text : {list_tree(root_).error().message(), record_tree(root_).error().message()}) {
    EXPECT_NE(text.find(wanted), std::string::npos) << text;
    EXPECT_NE(text.find("a path of 4096 bytes, and 4095 is the most"), std::string::npos) << text;
    EXPECT_LT(text.size(), 400U);
  }
}

}  // namespace
}  // namespace skiff::image
