#include "imgtool/decompress.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include "tests/imgtool/layer_stage.h"

namespace skiff::image {
namespace {

std::string gzip(const std::string &text, int level = 6) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef *>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(const std::string &text, int window_log = 0) {
  ZSTD_CCtx *const context = ZSTD_createCCtx();
  if (window_log != 0) {
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  }
  std::string out(ZSTD_compressBound(text.size()) + 64, '\0');
  ZSTD_inBuffer in{.src = text.data(), .size = text.size(), .pos = 0};
  ZSTD_outBuffer into{.dst = out.data(), .size = out.size(), .pos = 0};
  // In two calls, so that the window is the one of the parameter and not the text's size.
  if (window_log != 0) ZSTD_compressStream2(context, &into, &in, ZSTD_e_flush);
  EXPECT_EQ(ZSTD_compressStream2(context, &into, &in, ZSTD_e_end), 0U);
  ZSTD_freeCCtx(context);
  out.resize(into.pos);
  return out;
}

std::string sample() {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i * 7919 % 65537) + (i % 13 == 0 ? "\n" : " ");
  return text;
}

// What comes out, or the error's text.
std::string decompressed(const std::string &bytes, std::size_t piece = 1 << 16, std::size_t input = 1 << 20) {
  std::size_t at = 0;
  Decompressor decompressor(
      [&](std::span<char> into) -> Result<std::size_t> {
        const std::size_t count = std::min({into.size(), bytes.size() - at, input});
        std::memcpy(into.data(), bytes.data() + at, count);
        at += count;
        return count;
      },
      27);
  std::string out;
  std::vector<char> buffer(piece);
  for (;;) {
    const Result<std::size_t> count = decompressor.read(buffer);
    if (!count) return count.error().message();
    if (*count == 0) break;
    out.append(buffer.data(), *count);
  }
  EXPECT_EQ(at, bytes.size()) << "all of the input is read";
  EXPECT_EQ(decompressor.compressed(), bytes.size());
  EXPECT_EQ(decompressor.uncompressed(), out.size());
  return out;
}

TEST(Decompress, ByTheFirstBytes) {
  const std::string text = sample();
  for (const std::string &bytes : {text, gzip(text), gzip(text, 1), gzip(text, 0), zstd(text)}) {
    EXPECT_TRUE(decompressed(bytes) == text);
    EXPECT_TRUE(decompressed(bytes, 1 << 16, 1) == text) << "byte by byte";
    EXPECT_TRUE(decompressed(bytes, 1000, 777) == text);
  }
  EXPECT_EQ(decompressed(""), "");
  EXPECT_EQ(decompressed("\x1f"), "\x1f");
}

TEST(Decompress, SeveralMembersAndFramesAreOneStream) {
  const std::string text = sample();
  for (const std::size_t input : {std::size_t{1}, std::size_t{4096}, std::size_t{1} << 20U}) {
    EXPECT_TRUE(decompressed(gzip(text) + gzip("") + gzip("tail"), 1 << 16, input) == text + "tail");
    EXPECT_TRUE(decompressed(zstd(text) + std::string("\x50\x2a\x4d\x18\x03\0\0\0xyz", 11) + zstd("tail"), 1 << 16,
                             input) == text + "tail");
  }
}

// umoci 0.4.7
TEST(Decompress, NulsBehindTheEndAreReadAndLeftOut) {
  EXPECT_EQ(decompressed(gzip("text") + std::string(600'000, '\0')), "text");
  EXPECT_EQ(decompressed(zstd("text") + std::string(600'000, '\0')), "text");
}

TEST(Decompress, SomethingElseBehindTheEndIsAnError) {
  EXPECT_NE(decompressed(gzip("text") + "garbage"), "text");
  EXPECT_NE(decompressed(gzip("text") + std::string(10, '\0') + "x").find("something follows"), std::string::npos);
  EXPECT_NE(decompressed(zstd("text") + "garbage"), "text");
}

TEST(Decompress, DamageIsAnError) {
  const std::string text = sample();
  for (std::string bytes : {gzip(text), zstd(text)}) {
    const std::string whole = bytes;
    for (const std::size_t cut : {std::size_t{11}, whole.size() / 2, whole.size() - 1}) {
      EXPECT_NE(decompressed(whole.substr(0, cut)).find("it ends in the middle"), std::string::npos) << cut;
    }
  }
  std::string bytes = gzip(text);
  bytes[bytes.size() - 8] = static_cast<char>(bytes[bytes.size() - 8] ^ 1);
  EXPECT_NE(decompressed(bytes).find("the checksum is wrong"), std::string::npos);
  bytes = gzip(text);
  bytes[bytes.size() - 1] = static_cast<char>(bytes[bytes.size() - 1] ^ 1);
  EXPECT_NE(decompressed(bytes).find("the checksum is wrong"), std::string::npos) << "the size in the trailer";
}

TEST(Decompress, AWindowBeyondTheLimitIsRefusedBeforeItsMemoryIsTaken) {
  // A frame header that asks for a window of 2^31 bytes (RFC 8878, "Window Descriptor"), and an empty last block.
  const std::string bomb("\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00", 9);
  EXPECT_NE(
      decompressed(bomb).find("a window of more than 2^27 bytes: file too large; compress it with a smaller window"),
      std::string::npos)
      << decompressed(bomb);
  EXPECT_TRUE(decompressed(zstd(sample(), 27)) == sample());
}

class BombTest : public LayerTest {};

TEST_F(BombTest, AGzipBombEndsAtTheRatio) {
  options_.limits.ratio = 100;
  const std::string zeros = archive({file("zeros", std::string(80 << 20, '\0'))});
  EXPECT_NE(apply(gzip(zeros, 9)).find("--max-ratio"), std::string::npos);
  options_.limits.ratio = 2000;
  EXPECT_EQ(apply(gzip(zeros, 9)), "");
}

TEST_F(BombTest, ADamagedLayerNamesTheEntry) {
  std::string bytes = gzip(archive({file("a", "x"), file("b", sample())}));
  bytes.resize(bytes.size() / 2);
  const std::string error = apply(bytes);
  EXPECT_NE(error.find("\"b\" (entry 2)"), std::string::npos) << error;
  EXPECT_NE(error.find("it ends in the middle"), std::string::npos) << error;
}

}  // namespace
}  // namespace skiff::image
