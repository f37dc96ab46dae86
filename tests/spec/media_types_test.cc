#include "spec/media_types.h"

#include <gtest/gtest.h>

namespace skiff::spec {
namespace {

TEST(MediaTypes, ParametersAreNoPartOfTheType) {
  EXPECT_TRUE(is_index_type("application/vnd.oci.image.index.v1+json; charset=utf-8"));
  EXPECT_TRUE(is_manifest_type("application/vnd.docker.distribution.manifest.v2+json ;x"));
  EXPECT_TRUE(is_layer_type("application/vnd.oci.image.layer.v1.tar+zstd;a=b"));
}

TEST(MediaTypes, AnIndexIsNoManifest) {
  EXPECT_FALSE(is_manifest_type(oci_index_type));
  EXPECT_FALSE(is_index_type(docker_manifest_type));
}

// layer.md, "Non-Distributable Layers"; Docker's foreign ones
TEST(MediaTypes, LayersAreThoseThatHoldATree) {
  EXPECT_TRUE(is_layer_type("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"));
  EXPECT_TRUE(is_layer_type("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"));
  EXPECT_FALSE(is_layer_type("application/vnd.in-toto+json"));
  EXPECT_FALSE(is_layer_type(oci_config_type));
}

TEST(MediaTypes, TheSuffixTellsTheCompression) {
  EXPECT_EQ(compression_of(oci_layer_type), Compression::none);
  EXPECT_EQ(compression_of(oci_layer_zstd_type), Compression::zstd);
  EXPECT_EQ(compression_of("application/vnd.docker.image.rootfs.diff.tar.gzip; q=1"), Compression::gzip);
}

}  // namespace
}  // namespace skiff::spec
