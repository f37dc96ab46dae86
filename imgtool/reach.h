// What an image of a layout leads to: for what may be pruned, and what has to be there.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "imgtool/layout.h"

namespace skiff::image {

// Collected over any number of images; each digest is followed once.
struct Reached {
  std::set<std::string> digests;                          // of all that is referred to, whether it is there or not
  std::set<std::string> chains;                           // hex digits of the chain ids of every layer
  std::map<std::string, std::set<std::string>> diff_ids;  // by the layer's digest: what configurations say of it
  std::map<std::string, std::int64_t> sizes;              // of what is there
  // Documents that are there and cannot be read: what they refer to is not known.
  std::vector<Error> unreadable;
  // What is not there, or of another size. An index may lack the images of other platforms.
  std::vector<Error> missing;
};

// Follows manifests, indexes in indexes, configurations, layers and subjects, from `root` on. An error is one of the
// layout itself; what is wrong with the image is in `out`.
[[nodiscard]] Status reach(const Layout &layout, const spec::Descriptor &root, Reached &out);

}  // namespace skiff::image
