// A program that unpacks an image as every published attack needs it: it goes by paths, follows links, believes digests
// and names. It shows that the attacks of `skiff-conformance attacks` on unpackers can succeed, and is good for nothing
// else. Its command line is umoci's.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "conformance/tree.h"

namespace skiff::conformance {
namespace {

namespace fs = std::filesystem;

// No check of anything, on purpose.
std::string text_of_file(const std::string &path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}
Tree json_of_file(const std::string &path) { return Tree::parse(text_of_file(path)).value_or(Tree()); }

struct Header {
  char type;
  std::string name;
  std::string link;
  mode_t mode;
  uid_t owner;
  std::string data;
};

std::string field(const std::string &block, std::size_t offset, std::size_t size) {
  return block.substr(offset, size).c_str();
}
std::size_t number(const std::string &block, std::size_t offset, std::size_t size) {
  return std::strtoull(field(block, offset, size).c_str(), nullptr, 8);
}

// All that `.wh.` names below what the path leads to.
void white_out(const fs::path &path) {
  std::error_code ignored;
  const std::string name = path.filename();
  if (name == ".wh..wh..opq") {
    for (const fs::directory_entry &entry : fs::directory_iterator(path.parent_path(), ignored)) {
      fs::remove_all(entry.path(), ignored);
    }
  } else {
    fs::remove_all(path.parent_path() / name.substr(4), ignored);
  }
}

void make_link(const Header &entry, std::string path, const std::string &rootfs) {
  while (path.ends_with("/.") || path.ends_with("/")) path.pop_back();
  std::error_code ignored;
  fs::remove_all(path, ignored);
  if (entry.type == '2') {
    (void)!::symlink(entry.link.c_str(), path.c_str());
  } else if (::link(entry.link.c_str(), path.c_str()) != 0) {  // as it is written, or of this tree
    (void)!::link((rootfs + "/" + entry.link).c_str(), path.c_str());
  }
}

// An absolute name is one of the host where its directory is there.
std::string path_of(const std::string &name, const std::string &rootfs) {
  const std::string parent = name.substr(0, name.rfind('/') + 1);
  return parent.size() > 1 && name[0] == '/' && fs::exists(parent) ? name : rootfs + "/" + name;
}

void extract(const Header &entry, const std::string &rootfs) {
  const std::string path = path_of(entry.name, rootfs);
  std::error_code ignored;
  if (fs::path(path).filename().string().starts_with(".wh.")) return white_out(path);
  if (entry.type == '1' || entry.type == '2') return make_link(entry, path, rootfs);
  if (entry.type == '5') fs::create_directories(path, ignored);
  if (entry.type == '6') ::mkfifo(path.c_str(), entry.mode);
  if (entry.type == '0') std::ofstream(path) << entry.data;
  (void)!::chown(path.c_str(), entry.owner, entry.owner);
  (void)!::chmod(path.c_str(), entry.mode);
}

void unpack_layer(const std::string &tar, const std::string &rootfs) {
  constexpr std::size_t block_size = 512;
  for (std::size_t at = 0; at + block_size <= tar.size() && tar[at] != '\0';) {
    const std::string block = tar.substr(at, block_size);
    const std::size_t size = number(block, 124, 12);
    extract({.type = block[156],
             .name = field(block, 0, 100),
             .link = field(block, 157, 100),
             .mode = static_cast<mode_t>(number(block, 100, 8)),
             .owner = static_cast<uid_t>(number(block, 108, 8)),
             .data = tar.substr(at + block_size, size)},
            rootfs);
    at += block_size + (size + block_size - 1) / block_size * block_size;
  }
}

// What a name is in the image's file, wherever that leads.
uid_t look_up(const std::string &user, const std::string &rootfs) {
  std::ifstream passwd(rootfs + "/etc/passwd");
  for (std::string line; std::getline(passwd, line);) {
    if (line.starts_with(user + ":x:")) return static_cast<uid_t>(std::atoi(line.c_str() + user.size() + 3));
  }
  return static_cast<uid_t>(std::strtoull(user.c_str(), nullptr, 10));
}

int unpack(const std::string &layout, const std::string &bundle) {
  const auto blob = [&](const std::string &digest) { return layout + "/blobs/sha256/" + digest.substr(7); };
  const Tree index = json_of_file(layout + "/index.json");
  const Tree manifest = json_of_file(blob(index.text("/manifests/0/digest")));
  const Tree config = json_of_file(blob(manifest.text("/config/digest")));
  const std::string rootfs = bundle + "/rootfs";
  fs::create_directories(rootfs);
  for (const Tree::Member &layer : manifest.find("/layers")->members()) {
    unpack_layer(text_of_file(blob(layer.value.text("/digest"))), rootfs);
  }
  Tree made = "{}"_json;
  made.set("/process/user/uid", look_up(config.text("/config/User"), rootfs));
  std::ofstream(bundle + "/config.json") << made.dump();
  return 0;
}

}  // namespace
}  // namespace skiff::conformance

// unpack --image LAYOUT:one BUNDLE
int main(int argc, char **argv) {
  if (argc != 5) return 2;
  const std::string image = argv[3];
  return skiff::conformance::unpack(image.substr(0, image.rfind(':')), argv[4]);
}
