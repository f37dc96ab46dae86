#include "compose/file_mounts.h"

#include <fmt/format.h>

#include <algorithm>

#include "compose/granted_ids.h"
#include "compose/secrets.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

using kernel::Fd;

constexpr std::size_t longest_file = std::size_t{1} << 20U;
constexpr mode_t default_mode = 0444;  // compose-spec, "secrets", long syntax

std::string project_folder(const Places &places, const std::string &project) {
  return fmt::format("{}/projects/{}", places.run, project);
}

Result<std::string> value_of(const Project &project, const FileSource &source) {
  if (source.content) return *source.content;
  if (!source.environment.empty()) return variable_of(project, source);
  if (source.file.empty()) return fail("it is external, and no engine of this host keeps any", "give it a file");
  return kernel::read_all(TRY(kernel::open(source.file, O_RDONLY)), longest_file);
}

Status write_file(const std::string &path, const FileMount &mount, std::string_view text) {
  const Fd file = TRY(kernel::open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  // A container that reads it meanwhile sees it whole, where it is the same.
  if (TRY(kernel::read_all(file, longest_file)) != text) {
    TRY(kernel::ftruncate(file, 0));
    TRY(kernel::pwrite_all(file, text, 0));
  }
  const uid_t uid = mount.uid.value_or(0);
  const gid_t gid = mount.gid.value_or(0);
  if (mount.uid || mount.gid) TRY(kernel::fchownat(kernel::cwd, path, uid, gid));
  return kernel::fchmodat(kernel::cwd, path, mount.mode.value_or(default_mode));
}

class MountMaker {
 public:
  MountMaker(const Project &project, std::string folder) : project_(project), folder_(std::move(folder)) {}

  Status add(const std::vector<FileMount> &mounts, const std::vector<FileSource> &sources, std::string_view kind) {
    for (const FileMount &mount : mounts) TRY(in(fmt::format("{} {}", kind, mount.source), add_one(mount, sources)));
    return {};
  }
  [[nodiscard]] std::vector<SourcePath> take() { return std::move(paths_); }

 private:
  Status add_one(const FileMount &mount, const std::vector<FileSource> &sources) {
    const auto source = std::ranges::find(sources, mount.source, &FileSource::key);
    if (source == sources.end()) return fail(ENOENT, "the project has none of that name");
    const std::string path = fmt::format("{}/{}", folder_, paths_.size());
    const std::string text = TRY(value_of(project_, *source));
    // A file that nobody may write to is written to again by whoever has its owner.
    TRY(work_as_owner([&] { return write_file(path, mount, text); }));
    paths_.push_back({.target = mount.target, .path = path, .read_only = true});
    return {};
  }

  const Project &project_;
  std::string folder_;
  std::vector<SourcePath> paths_;
};

}  // namespace

Result<std::vector<SourcePath>> make_file_mounts(const Places &places, const Project &project, const Service &service) {
  if (service.secrets.empty() && service.configs.empty()) return std::vector<SourcePath>();
  const std::string folder = fmt::format("{}/{}", project_folder(places, project.name), service.name);
  TRY(kernel::make_parents(folder + "/", 0700));
  MountMaker maker(project, folder);
  TRY(maker.add(service.secrets, project.secrets, "secret"));
  TRY(maker.add(service.configs, project.configs, "config"));
  return maker.take();
}

Status remove_file_mounts(const Places &places, const std::string &project) {
  return remove_container_tree(kernel::cwd, project_folder(places, project));
}

}  // namespace skiff::compose
