// The flags against hostile images, and the limits that they give.
#pragma once

#include "imgtool/cmd/command.h"
#include "imgtool/layer.h"

namespace skiff::image {

inline constexpr cli::FlagSpec max_layer_size_flag = {.name = "max-layer-size",
                                                      .kind = cli::Kind::Size,
                                                      .value = "BYTES",
                                                      .text = "of one layer, uncompressed",
                                                      .initial = "64g"};
inline constexpr cli::FlagSpec max_entries_flag = {.name = "max-entries",
                                                   .kind = cli::Kind::Unsigned,
                                                   .value = "N",
                                                   .text = "files of one layer",
                                                   .initial = "4000000"};
inline constexpr cli::FlagSpec max_path_flag = {.name = "max-path",
                                                .kind = cli::Kind::Uint32,
                                                .value = "BYTES",
                                                .text = "of a file's name in a layer",
                                                .initial = "4096"};
inline constexpr cli::FlagSpec max_ratio_flag = {
    .name = "max-ratio",
    .kind = cli::Kind::Uint32,
    .value = "N",
    .text = "how many times larger than its compressed form a layer may be",
    .initial = "2000"};

[[nodiscard]] inline LayerLimits layer_limits(const cli::Flags &flags) {
  LayerLimits limits;
  const std::int64_t size = *flags.size("max-layer-size");
  limits.bytes = size < 0 ? ~std::uint64_t{0} : static_cast<std::uint64_t>(size);
  limits.entries = *flags.unsigned64("max-entries");
  limits.path_length = *flags.uint32("max-path");
  limits.ratio = *flags.uint32("max-ratio");
  return limits;
}

}  // namespace skiff::image
