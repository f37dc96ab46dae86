#include "tests/cli/inside.h"

#include <filesystem>
#include <sstream>

namespace skiff::rig {

namespace fs = std::filesystem;

void bring_raw_call(const Rig &rig) { fs::copy_file(SKIFF_RAW_CALL, rig.rootfs() + "/bin/raw_call"); }

void add_mount(Rig &rig, const std::string &destination, const std::string &type, const std::string &source,
               const std::vector<std::string> &options) {
  rig.config["mounts"].push_back(
      {{"destination", destination}, {"type", type}, {"source", source}, {"options", options}});
}

void add_user_namespace(Rig &rig) {
  namespace_entry(rig, "user");
  const Json map = {{{"containerID", 0}, {"hostID", first_mapped_id}, {"size", 65536}}};
  rig.config["linux"]["uidMappings"] = map;
  rig.config["linux"]["gidMappings"] = map;
  fs::permissions(rig.rootfs() + "/tmp", fs::perms::all);
}

Json &namespace_entry(Rig &rig, const std::string &type) {
  Json &all = rig.config["linux"]["namespaces"];
  for (Json &entry : all) {
    if (entry["type"] == type) return entry;
  }
  all.push_back({{"type", type}});
  return all.back();
}

std::string namespace_link(const std::string &pid, const std::string &name) {
  return fs::read_symlink("/proc/" + pid + "/ns/" + name);
}

std::vector<std::string> lines_of(const std::string &text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace skiff::rig
