#include "imgtool/tree.h"

#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include <algorithm>

#include "tests/imgtool/layer_stage.h"

namespace skiff::image {
namespace {

class TreeTest : public LayerTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(apply({directory("d"), file("d/a", "a"), file("d/b", "b"), directory("d/sub"), file("d/sub/c", "c"),
                     file("f", "f"), hard_link("g", "f"), symlink("l", "d")}),
              "");
  }

  [[nodiscard]] kernel::Fd root() const {
    Result<kernel::Fd> opened = kernel::open(top_, O_RDONLY | O_DIRECTORY);
    EXPECT_TRUE(opened);
    return std::move(*opened);
  }
  TreeRecord record() {
    Result<TreeRecord> taken = record_tree(root());
    EXPECT_TRUE(taken);
    // What is compared has been on a disk.
    const std::string text = print_record(*taken);
    Result<TreeRecord> again = parse_record(text);
    EXPECT_TRUE(again) << (again ? "" : again.error().message());
    EXPECT_EQ(print_record(*again), text);
    return std::move(*again);
  }
  // "d/", "d/a=a", "-d/b", "g->f"
  std::vector<std::string> written(const Result<std::vector<LayerChange>> &changes) {
    EXPECT_TRUE(changes) << (changes ? "" : changes.error().message());
    if (!changes) return {};
    std::vector<std::string> out;
    entries_.clear();
    const Status done =
        write_changes(root(), *changes, options_of_tree_, [&](const TarEntry &entry, const ReadBytes &data) {
          std::string text = entry.name;
          if (entry.type == EntryType::directory) text += "/";
          if (!entry.link.empty()) text += "->" + entry.link;
          if (data) {
            std::string content(entry.size + 1, '\0');
            const Result<std::size_t> count = data(content);
            EXPECT_TRUE(count);
            EXPECT_EQ(*count, entry.size);
            content.resize(entry.size);
            text += "=" + content;
          }
          out.push_back(text);
          entries_.push_back(entry);
          return Status();
        });
    EXPECT_TRUE(done) << (done ? "" : done.error().message());
    return out;
  }
  using Written = std::vector<std::string>;

  TreeOptions options_of_tree_;
  std::vector<TarEntry> entries_;
};

TEST_F(TreeTest, AllOfItIsSortedWithDirectoriesFirst) {
  EXPECT_EQ(written(list_tree(root())),
            (Written{"./", "d/", "d/a=a", "d/b=b", "d/sub/", "d/sub/c=c", "f=f", "g->f", "l->d"}));
  EXPECT_EQ(entries_[2].mtime.tv_sec, 1'000'000'000);
  EXPECT_EQ(entries_[7].type, EntryType::hard_link);
}

TEST_F(TreeTest, NothingHasChanged) { EXPECT_EQ(written(list_changes(root(), record())), Written{}); }

TEST_F(TreeTest, AChangeComesWithItsDirectoriesAndWhiteoutsInFront) {
  const TreeRecord before = record();
  std::ofstream(path("d/sub/c"), std::ios::app) << "more";
  std::ofstream(path("d/sub/new")) << "n";
  std::filesystem::remove(path("d/a"));
  std::filesystem::remove(path("l"));
  std::filesystem::create_directory(path("l"));
  EXPECT_EQ(written(list_changes(root(), before)),
            (Written{"./", "d/", "d/.wh.a", "d/sub/", "d/sub/c=cmore", "d/sub/new=n", "l/"}));
}

TEST_F(TreeTest, OfATreeThatIsGoneTheTopIsEnough) {
  const TreeRecord before = record();
  std::filesystem::remove_all(path("d"));
  EXPECT_EQ(written(list_changes(root(), before)), (Written{"./", ".wh.d"}));
}

TEST_F(TreeTest, AChangeThatHidesItsTimeIsSeen) {
  const TreeRecord before = record();
  const struct stat old = status("d/a");
  std::ofstream(path("d/a")) << "x";
  const timespec times[2] = {old.st_atim, old.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, path("d/a").c_str(), times, 0), 0);
  EXPECT_EQ(written(list_changes(root(), before)), (Written{"d/", "d/a=x"}));
}

TEST_F(TreeTest, OfACopyOnlyWhatDiffersCounts) {
  const TreeRecord before = record();
  const std::string copy = directory_.path() + "/copy";
  ASSERT_EQ(::system(("cp -a " + top_ + " " + copy).c_str()), 0);
  top_ = copy;
  EXPECT_EQ(written(list_changes(root(), before)), Written{});
  std::ofstream(path("d/b"), std::ios::app) << "more";
  EXPECT_EQ(written(list_changes(root(), before)), (Written{"d/", "d/b=bmore"}));
}

TEST_F(TreeTest, TimesAreClampedAndSocketsLeftOut) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  ASSERT_LT(path("s").size(), sizeof(address.sun_path));
  path("s").copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr *>(&address), sizeof(address)), 0);
  ::close(socket);
  options_of_tree_.newest = 5;
  const Written all = written(list_tree(root()));
  EXPECT_TRUE(std::ranges::none_of(all, [](const std::string &name) { return name.starts_with("s"); }));
  for (const TarEntry &entry : entries_) EXPECT_EQ(entry.mtime.tv_sec, 5);
}

TEST_F(TreeTest, OwnersAndCapabilitiesAreTurnedBack) {
  if (::geteuid() != 0) GTEST_SKIP() << "chown(2) needs root";
  const std::string capability("\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  options_.uid_mappings = {{.container_id = 0, .host_id = 100000, .size = 65536}};
  options_.gid_mappings = options_.uid_mappings;
  Header owned = file("ping");
  owned.uid = 7;
  owned.pax = {{"SCHILY.xattr.security.capability", capability}};
  ASSERT_EQ(apply({owned}), "");
  ASSERT_EQ(status("ping").st_uid, 100007U);
  options_of_tree_ = tree_options(options_, std::nullopt);
  (void)written(std::vector<LayerChange>{{.path = "ping"}});
  ASSERT_EQ(entries_.size(), 1U);
  EXPECT_EQ(entries_[0].uid, 7U);
  EXPECT_EQ(entries_[0].gid, 0U);
  ASSERT_EQ(entries_[0].xattrs.size(), 1U);
  EXPECT_EQ(entries_[0].xattrs[0].value, capability);
}

TEST_F(TreeTest, OwnersOfARootlessTreeComeFromTheAttribute) {
  options_.rootless = true;
  Header owned = file("owned");
  owned.uid = 1000;
  owned.gid = 50;
  ASSERT_EQ(apply({owned}), "");
  if (::lgetxattr(path("owned").c_str(), "user.rootlesscontainers", nullptr, 0) < 0)
    GTEST_SKIP() << "no attributes here";
  options_of_tree_ = tree_options(options_, std::nullopt);
  (void)written(std::vector<LayerChange>{{.path = "owned"}});
  ASSERT_EQ(entries_.size(), 1U);
  EXPECT_EQ(entries_[0].uid, 1000U);
  EXPECT_EQ(entries_[0].gid, 50U);
  EXPECT_TRUE(entries_[0].xattrs.empty());
}

TEST_F(TreeTest, AnUpperDirectoryOfOverlayfsBecomesWhiteouts) {
  if (::geteuid() != 0) GTEST_SKIP() << "mknod(2) needs root";
  top_ = directory_.path() + "/upper";
  std::filesystem::create_directories(path("d/new"));
  std::filesystem::create_directories(path("o"));
  std::ofstream(path("d/a")) << "x";
  ASSERT_EQ(::mknod(path("d/z").c_str(), S_IFCHR, makedev(0, 0)), 0);
  options_of_tree_.xattrs = {.overlay = true, .user_xattr = true};
  if (::setxattr(path("o").c_str(), "user.overlay.opaque", "y", 1, 0) != 0) GTEST_SKIP() << "no user attributes here";
  ::setxattr(path("d").c_str(), "user.overlay.impure", "y", 1, 0);
  EXPECT_EQ(written(list_upper(root(), options_of_tree_)),
            (Written{"./", "d/", "d/.wh.z", "d/a=x", "d/new/", "o/", "o/.wh..wh..opq"}));
  for (const TarEntry &entry : entries_) EXPECT_TRUE(entry.xattrs.empty()) << entry.name;
  ::setxattr(path("d/new").c_str(), "user.overlay.redirect", "/x", 2, 0);
  const auto refused = list_upper(root(), options_of_tree_);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("redirect_dir=off"), std::string::npos);
}

TEST_F(TreeTest, ARecordThatIsDamagedIsAnError) {
  const std::string text = print_record(record());
  EXPECT_FALSE(parse_record(""));
  EXPECT_FALSE(parse_record(text.substr(0, text.size() - 3)));
  EXPECT_FALSE(parse_record("skiff-image tree 1\n"));
  EXPECT_FALSE(parse_record(text + "/x\n y 1 2 3\n"));
  EXPECT_FALSE(parse_record(text + "x\n"));
}

// A layer is unpacked without those below it, and its implicit directories covered theirs.
TEST_F(TreeTest, ImplicitDirectoriesOfAnOverlayAreAsTheLayerBelowHasThem) {
  const std::string lower = top_;
  ASSERT_EQ(apply({directory("d", 0711), {.type = '5', .name = "d/sub", .mode = 0700, .mtime = 5}}), "");
  const kernel::Fd below = root();
  top_ = directory_.path() + "/second";
  std::filesystem::create_directory(top_);
  options_.whiteouts = WhiteoutStyle::overlay;
  options_.user_xattr = true;
  ASSERT_EQ(apply({file("d/sub/new"), file("only/here"), file("l/through")}), "");
  ASSERT_EQ(applied_.implicit_directories, (Written{"d", "d/sub", "l", "only"}));
  ASSERT_TRUE(inherit_directories(root(), {"d", "d/sub", "only"}, {below}, options_));
  EXPECT_EQ(status("d").st_mode & 0777U, 0711U);
  EXPECT_EQ(status("d/sub").st_mode & 0777U, 0700U);
  EXPECT_EQ(status("d/sub").st_mtim.tv_sec, 5);
  EXPECT_EQ(status("only").st_mode & 0777U, 0755U);
  EXPECT_FALSE(inherit_directories(root(), {"l"}, {below}, options_)) << "it hides the symlink";
}

}  // namespace
}  // namespace skiff::image
