// Content on its way into a layout, from wherever it can be read.
#pragma once

#include "imgtool/bytes.h"
#include "imgtool/layout.h"
#include "imgtool/progress.h"

namespace skiff::image {

// The bytes from `offset` on, `size` of them, by pread(2): the descriptor must outlive the reader. A file that ends
// before is an error (EIO).
[[nodiscard]] ReadBytes read_range(kernel::FdView file, std::uint64_t offset, std::uint64_t size);
// To the end of what the descriptor reads, a pipe too.
[[nodiscard]] ReadBytes read_stream(kernel::FdView file);
// Bytes in memory, which must outlive the reader.
[[nodiscard]] ReadBytes read_text(std::string_view text);

// All of the bytes, as a blob under the digest that they must have; nothing is read where it is there already. A
// descriptor without a digest takes what comes, up to its size where that is above 0. Returns the descriptor with
// digest and size.
[[nodiscard]] Result<spec::Descriptor> take_in(const Layout &into, const ReadBytes &bytes, spec::Descriptor descriptor,
                                               ProgressItem *progress = nullptr);
// The same for what is not even to be opened where the blob is there.
using OpenBytes = std::function<Result<ReadBytes>()>;
[[nodiscard]] Result<spec::Descriptor> take_in(const Layout &into, const OpenBytes &open, spec::Descriptor descriptor,
                                               ProgressItem *progress = nullptr);

}  // namespace skiff::image
