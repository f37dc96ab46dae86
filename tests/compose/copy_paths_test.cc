#include "compose/copy_paths.h"

#include <gtest/gtest.h>

#include <array>

namespace skiff::compose {
namespace {

TEST(CopyWord, AColonPartsAContainersNameFromItsPath) {
  EXPECT_EQ(parse_copy_word("c:/etc/hosts").container, "c");
  EXPECT_EQ(parse_copy_word("c:etc:x").path, "etc:x");
  EXPECT_EQ(parse_copy_word("./file:name.txt").container, "");
  EXPECT_EQ(parse_copy_word("/path/to/file:name.txt").container, "");
  EXPECT_EQ(parse_copy_word(":x").container, "");
  EXPECT_TRUE(parse_copy_word("-").is_stream());
  EXPECT_FALSE(parse_copy_word("c:-").is_stream());
}

TEST(CopyPath, ItsEndSaysWhatIsMeant) {
  const CopyPath plain = parse_copy_path("a/../b", "/x");
  EXPECT_EQ(plain.path, "/x/b");
  EXPECT_FALSE(plain.directory);
  EXPECT_TRUE(parse_copy_path("b/", "/x").directory);
  EXPECT_FALSE(parse_copy_path("b/", "/x").contents);
  EXPECT_TRUE(parse_copy_path("b/.", "/x").contents);
  EXPECT_TRUE(parse_copy_path(".", "/x").contents);
  EXPECT_EQ(parse_copy_path("/", "/x").name(), ".");
  EXPECT_EQ(parse_copy_path("/a/b/.", "/x").name(), "b");
}

using Place = CopyShape::Place;
constexpr FileKind none = FileKind::missing;
constexpr FileKind file = FileKind::file;
constexpr FileKind folder = FileKind::directory;

struct Row {
  const char *from;
  FileKind from_kind;
  const char *to;
  FileKind to_kind;
  int error;  // or 0
  Place place = Place::in_directory;
  const char *as = "";
};

// docker container cp, "Description": each line of its rules.
constexpr auto rows = std::to_array<Row>({
    // SRC_PATH specifies a file
    {"/s/f", file, "/d/new", none, 0, Place::beside, "new"},
    {"/s/f", file, "/d/new/", none, ENOENT},
    {"/s/f", file, "/d/new/.", none, ENOENT},
    {"/s/f", file, "/d/old", file, 0, Place::beside, "old"},
    {"/s/f", file, "/d/old/", file, ENOTDIR},
    {"/s/f", file, "/d", folder, 0, Place::in_directory, "f"},
    {"/s/f", file, "/d/", folder, 0, Place::in_directory, "f"},
    {"/s/f/", file, "/d", folder, ENOTDIR},
    {"/s/f/.", file, "/d", folder, ENOTDIR},
    // SRC_PATH specifies a directory
    {"/s/d", folder, "/d/new", none, 0, Place::beside, "new"},
    {"/s/d", folder, "/d/new/", none, 0, Place::beside, "new"},
    {"/s/d/.", folder, "/d/new", none, 0, Place::beside, "new"},
    {"/s/d", folder, "/d/old", file, ENOTDIR},
    {"/s/d/.", folder, "/d/old", file, ENOTDIR},
    {"/s/d", folder, "/d", folder, 0, Place::in_directory, "d"},
    {"/s/d/", folder, "/d", folder, 0, Place::in_directory, "d"},
    {"/s/d/.", folder, "/d", folder, 0, Place::in_directory, "."},
    {"/", folder, "/d", folder, 0, Place::in_directory, "."},
    // SRC_PATH must exist
    {"/s/gone", none, "/d", folder, ENOENT},
});

TEST(CopyShape, FollowsDockersTable) {
  for (const Row &row : rows) {
    SCOPED_TRACE(testing::Message() << row.from << " -> " << row.to);
    const auto shape =
        make_copy_shape(parse_copy_path(row.from, "/"), row.from_kind, parse_copy_path(row.to, "/"), row.to_kind);
    if (row.error != 0) {
      ASSERT_FALSE(shape);
      EXPECT_EQ(shape.error().number, row.error);
      continue;
    }
    ASSERT_TRUE(shape) << shape.error().message();
    EXPECT_EQ(shape->place, row.place);
    EXPECT_EQ(shape->as, row.as);
  }
}

}  // namespace
}  // namespace skiff::compose
