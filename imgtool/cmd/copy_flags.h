// What pull, push, copy and save have in common: which of an index's images is meant, and where its digest is told.
#pragma once

#include "imgtool/cmd/command.h"

namespace skiff::image {

inline constexpr cli::FlagSpec all_flag = {
    .name = "all", .letter = 'a', .kind = cli::Kind::Bool, .text = "the images of every platform, and their index"};
inline constexpr cli::FlagSpec multi_arch_flag = {
    .name = "multi-arch", .value = "WHAT", .text = "skopeo's --all", .choices = "system|all", .hidden = true};
inline constexpr cli::FlagSpec digest_file_flag = {
    .name = "digestfile", .value = "FILE", .text = "write the digest of what is at the destination to this file"};

[[nodiscard]] Result<Selection> selection_of(const Context &context);
// To stdout with -q, and to --digestfile; 0.
[[nodiscard]] Result<int> report_digest(const Context &context, const spec::Descriptor &image);

}  // namespace skiff::image
