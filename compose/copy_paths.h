// What `cp` makes of its two words, by docker's rules: as text and kinds of files, without looking at any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "spec/error.h"

namespace skiff::compose {

// One of the two words.
struct CopyWord {
  std::string container;  // or a service; empty: the host's
  std::string path;       // "-": a tar stream

  [[nodiscard]] bool is_stream() const { return container.empty() && path == "-"; }
};
// "NAME:PATH". A path of the host that has a ':' begins with '/' or '.'.
[[nodiscard]] CopyWord parse_copy_word(std::string_view word);

// A path, and what its end says of it.
struct CopyPath {
  std::string path;        // absolute, clean
  bool directory = false;  // it ends in '/' or "/."
  bool contents = false;   // "/.": what is in the directory, without itself

  [[nodiscard]] std::string name() const;  // the last component; "." of "/"
};
// Relative paths start at `folder`.
[[nodiscard]] CopyPath parse_copy_path(std::string_view text, std::string_view folder);

enum class FileKind : std::uint8_t { missing, file, directory };

// How the archive's names are meant.
struct CopyShape {
  enum class Place : std::uint8_t { in_directory, beside };  // below the target, or below the directory that it is in
  Place place = Place::in_directory;
  std::string as;  // what the source is called there; ".": what is in it
};
// ENOENT, ENOTDIR or EISDIR, with the word that is wrong.
[[nodiscard]] Result<CopyShape> make_copy_shape(const CopyPath &from, FileKind from_kind, const CopyPath &to,
                                                FileKind to_kind);

}  // namespace skiff::compose
