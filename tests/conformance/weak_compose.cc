// A program with docker's commands that copies and mounts as the published attacks need it: it looks what a path is,
// and then goes by the path. It shows that the attacks of `skiff-conformance attacks` on skiff-compose can succeed, and
// is good for nothing else. It runs nothing.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "conformance/tree.h"

namespace skiff::conformance {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

std::string text_of_file(const std::string &path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}
void write_text(const std::string &path, const std::string &text) { std::ofstream(path) << text; }

bool is_real_directory(const fs::path &path) {
  std::error_code ignored;
  return fs::is_directory(fs::symlink_status(path, ignored));
}

// The check is done of each directory, and its files are then copied by their paths.
void copy_tree(const fs::path &from, const fs::path &to) {
  std::error_code ignored;
  fs::create_directories(to, ignored);
  if (!is_real_directory(from) || !is_real_directory(to)) return;
  for (const fs::directory_entry &entry : fs::directory_iterator(from, ignored)) {
    const fs::path target = to / entry.path().filename();
    if (entry.is_directory(ignored)) {
      copy_tree(entry.path(), target);
    } else {
      write_text(target, text_of_file(entry.path()));
    }
  }
}

std::string value_of(const Words &words, std::string_view flag) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == flag) return words[i + 1];
  }
  return {};
}

// "v:/data": the volume is filled with what the image has there; the image is the bundle of the attack.
void fill_volume(const std::string &state, const std::string &volume) {
  const std::size_t colon = volume.find(':');
  copy_tree(state + "/../bundle/rootfs" + volume.substr(colon + 1),
            state + "/volumes/" + volume.substr(0, colon) + "/_data");
}

// What the program would see of the parts that are mounted: each is looked at, and then gone to.
void show_parts(const std::string &state, const Words &words) {
  Tree seen = R"({"probes": []})"_json;
  for (const std::string &word : words) {
    if (!word.starts_with("type=volume")) continue;
    const std::string part = state + "/volumes/v/_data/" + word.substr(word.rfind('=') + 1);
    Tree probe = "{}"_json;
    const bool found = is_real_directory(part) && !text_of_file(part + "/file").empty();
    probe.set("/errno", found ? 0 : 2);
    seen.set("/probes/-", std::move(probe));
  }
  const std::string json = seen.dump() + "\n";
  (void)!::write(1, json.data(), json.size());
}

int run(const std::string &state, const Words &words) {
  const std::string volume = value_of(words, "-v");
  if (value_of(words, "--name") == "c") {
    write_text(state + "/c", volume.substr(0, volume.find(':')));
  } else if (!volume.empty()) {
    fill_volume(state, volume);
  } else {
    show_parts(state, words);
  }
  return 0;
}

// "c:/work/...": a place in the container's volume.
std::string on_host(const std::string &state, const std::string &place) {
  constexpr std::string_view inside = "c:/work";
  return place.starts_with(inside) ? text_of_file(state + "/c") + place.substr(inside.size()) : place;
}

int obey(const std::string &state, const Words &words) {
  fs::create_directories(state);
  if (words[0] == "run") return run(state, words);
  if (words[0] == "volume") fs::create_directories(state + "/volumes/" + words.at(2) + "/_data");
  if (words[0] == "cp") copy_tree(on_host(state, words.at(1)), on_host(state, words.at(2)));
  return 0;
}

}  // namespace
}  // namespace skiff::conformance

// --state DIR --store DIR COMMAND WORDS...
int main(int argc, char **argv) {
  if (argc < 6) return 2;
  return skiff::conformance::obey(argv[2], {argv + 5, argv + argc});
}
