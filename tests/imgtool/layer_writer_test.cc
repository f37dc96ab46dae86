#include "imgtool/layer_writer.h"

#include "tests/imgtool/layer_stage.h"

namespace skiff::image {
namespace {

class LayerWriterTest : public LayerTest {
 protected:
  WrittenLayer write(const Layout &layout, spec::Compression compression) {
    LayerWriter writer = std::move(*LayerWriter::open(layout, compression));
    TarEntry entry;
    entry.name = "big";
    entry.mode = 0644;
    entry.size = data_.size();
    EXPECT_TRUE(writer.add(entry, bytes_of(data_)));
    entry.name = "small";
    entry.size = 2;
    EXPECT_TRUE(writer.add(entry, bytes_of("ab")));
    return *writer.finish();
  }
  std::string data_ = std::string(2'000'000, 'a') + std::string(1'000'001, 'b');
};

// config.md, "Layer DiffID"; media-types.md
TEST_F(LayerWriterTest, EveryCompressionGivesTheSameTreeAndDiffId) {
  const Layout layout = *Layout::open(directory_.path() + "/layout", LayoutAccess::write);
  Digest diff_id;
  for (const auto compression : {spec::Compression::none, spec::Compression::gzip, spec::Compression::zstd}) {
    const WrittenLayer layer = write(layout, compression);
    EXPECT_EQ(spec::compression_of(layer.descriptor.media_type), compression);
    EXPECT_EQ(layer.entries, 2U);
    EXPECT_TRUE(!diff_id.valid() || layer.diff_id == diff_id);
    diff_id = layer.diff_id;
    const Result<kernel::Fd> blob = layout.open_blob(*Digest::parse(layer.descriptor.digest), layer.descriptor.size);
    ASSERT_TRUE(blob) << blob.error().message();
    EXPECT_EQ(apply(*kernel::read_all(*blob, 64U << 20U)), "");
    EXPECT_EQ(applied_.diff_id, diff_id);
    EXPECT_EQ(text("big"), data_);
    EXPECT_EQ(write(layout, compression).descriptor.digest, layer.descriptor.digest);
  }
}

TEST_F(LayerWriterTest, OneThatIsDroppedLeavesNoBlob) {
  const Layout layout = *Layout::open(directory_.path() + "/layout", LayoutAccess::write);
  {
    LayerWriter writer = std::move(*LayerWriter::open(layout, spec::Compression::gzip));
    TarEntry entry;
    entry.name = "x";
    EXPECT_TRUE(writer.add(entry));
  }
  EXPECT_TRUE(layout.list_blobs()->empty());
}

}  // namespace
}  // namespace skiff::image
