// Hostile images: layers of any entries, in a layout that says of them what is wanted; and the programs that unpack
// them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conformance/attacks/attack.h"

namespace skiff::conformance {

// An entry of a tar archive, with whatever name.
struct Entry {
  char type = '0';
  std::string name;
  std::string data = {};
  std::string link = {};
  unsigned mode = 0644;
  unsigned owner = 0;
};
[[nodiscard]] Entry file_entry(std::string name, std::string data = "of the image\n");
[[nodiscard]] Entry directory_entry(std::string name, unsigned mode = 0755);
[[nodiscard]] Entry link_entry(std::string name, std::string target);       // symbolic
[[nodiscard]] Entry hard_link_entry(std::string name, std::string target);  // type 1
[[nodiscard]] std::string tar_of(const std::vector<Entry> &entries);

struct Layer {
  std::string tar;
  std::string digest = {};  // what the manifest says; none: its own
  std::string stored = {};  // what lies under that digest; none: the tar
};
struct Image {
  std::vector<Layer> layers;
  Tree config = "{}"_json;  // the part that a container starts with
};
[[nodiscard]] Image image_of(const std::vector<std::vector<Entry>> &layers);

struct Unpacked {
  std::string rootfs;  // there or not
  std::string config;  // the path of a config.json; none: the program makes no bundles
  bool succeeded = false;
};
// The program of the stage unpacks the image by its own commands, in that working directory. The stage notes what it
// said.
[[nodiscard]] Result<Unpacked> unpack(Stage &stage, const Image &image, const std::string &directory = "/");
// Of a RUNTIME's name.
[[nodiscard]] bool is_unpacker(std::string_view name);

}  // namespace skiff::conformance
