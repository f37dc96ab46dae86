#include "compose/project_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "compose/dotenv.h"
#include "compose/resolve_paths.h"
#include "compose/scalars.h"
#include "runtime/kernel/fd.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

constexpr std::size_t longest_file = std::size_t{8} << 20U;

// In the order in which they are preferred, the first found alone.
constexpr std::array<std::string_view, 5> names = {"compose.yaml", "compose.yml", "docker-compose.yml",
                                                   "docker-compose.yaml", "compose.ctst"};

bool exists(const std::string &path) { return kernel::faccessat(kernel::cwd, path, F_OK).has_value(); }

std::string text_of(const std::map<std::string, std::string> &environment, const std::string &name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

std::vector<std::string> split(std::string_view text, std::string_view separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    const std::string_view part = text.substr(0, end);
    if (!part.empty()) parts.emplace_back(part);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + separator.size());
  }
  return parts;
}

class Finder {
 public:
  Finder(const LoadRequest &request, SourceFiles &sources, Findings &findings)
      : request_(request), sources_(sources), findings_(findings) {}

  Result<ProjectFiles> find() {
    result_.environment = request_.environment;
    const std::vector<std::string> &named = request_.files;
    const std::string begin = first_directory(named);
    TRY(read_environment(begin));
    result_.files = absolute(named.empty() ? named_by_environment() : named);
    if (result_.files.empty()) TRY(look_upward());
    result_.directory = directory();
    if (result_.directory != begin && !explicit_env_files()) TRY(read_environment(result_.directory));
    result_.profiles = request_.profiles;
    for (std::string &profile : split(text_of(result_.environment, "COMPOSE_PROFILES"), ",")) {
      result_.profiles.push_back(std::move(profile));
    }
    return std::move(result_);
  }

 private:
  [[nodiscard]] std::string absolute(const std::string &path) const {
    return path == "-" ? path : absolute_path(path, {request_.working_directory, {}});
  }

  [[nodiscard]] std::vector<std::string> absolute(const std::vector<std::string> &paths) const {
    std::vector<std::string> all;
    for (const std::string &path : paths) all.push_back(absolute(path));
    return all;
  }

  // Where .env is looked for before it is known which files make the project: it may say so itself.
  [[nodiscard]] std::string first_directory(const std::vector<std::string> &named) const {
    if (!request_.project_directory.empty()) return absolute(request_.project_directory);
    if (named.empty() || named[0] == "-") return request_.working_directory;
    return parent_path(absolute(named[0]));
  }

  [[nodiscard]] std::string directory() const {
    if (!request_.project_directory.empty()) return absolute(request_.project_directory);
    return result_.files[0] == "-" ? request_.working_directory : parent_path(result_.files[0]);
  }

  [[nodiscard]] bool explicit_env_files() const {
    return !request_.env_files.empty() || !text_of(request_.environment, "COMPOSE_ENV_FILES").empty();
  }

  Status read_environment(const std::string &directory) {
    std::vector<std::string> files = request_.env_files;
    if (files.empty()) files = split(text_of(request_.environment, "COMPOSE_ENV_FILES"), ",");
    if (!files.empty()) {
      // The later file wins, and read_env_file keeps what is there.
      for (auto file = files.rbegin(); file != files.rend(); ++file) {
        TRY(remedy("--env-file names a file that exists",
                   read_env_file(absolute(*file), sources_, result_.environment, findings_)));
      }
      return {};
    }
    const std::string file = directory + "/.env";
    const bool disabled = parse_boolean(text_of(request_.environment, "COMPOSE_DISABLE_ENV_FILE")).value_or(false);
    if (disabled || !exists(file)) return {};
    return read_env_file(file, sources_, result_.environment, findings_);
  }

  [[nodiscard]] std::vector<std::string> named_by_environment() const {
    const std::string separator = text_of(result_.environment, "COMPOSE_PATH_SEPARATOR");
    return split(text_of(result_.environment, "COMPOSE_FILE"), separator.empty() ? ":" : separator);
  }

  Status look_upward() {
    std::string folder = request_.project_directory.empty() ? request_.working_directory : directory_of_request();
    while (true) {
      if (take(folder)) return {};
      if (folder == "/") break;
      folder = parent_path(folder);
    }
    return fail(
        ENOENT,
        fmt::format("{}: no compose.yaml and no compose.ctst here or in a folder above", request_.working_directory),
        "name a file with -f");
  }

  [[nodiscard]] std::string directory_of_request() const { return absolute(request_.project_directory); }

  bool take(const std::string &folder) {
    std::vector<std::string> found;
    for (const std::string_view name : names) {
      if (const std::string path = fmt::format("{}/{}", folder == "/" ? "" : folder, name); exists(path)) {
        found.push_back(path);
      }
    }
    if (found.empty()) return false;
    if (found.size() > 1) {
      findings_.warn({}, "several-files", fmt::format("{} is taken, {} is not", found[0], found[1]),
                     "name the files with -f");
    }
    result_.files.push_back(found[0]);
    for (const std::string_view ending : {".yml", ".yaml"}) {
      const std::size_t dot = found[0].rfind('.');
      const std::string path = fmt::format("{}.override{}", found[0].substr(0, dot), ending);
      if (found[0].ends_with(".ctst") || !exists(path)) continue;
      result_.files.push_back(path);
      break;
    }
    return true;
  }

  const LoadRequest &request_;
  SourceFiles &sources_;
  Findings &findings_;
  ProjectFiles result_;
};

}  // namespace

Result<const Source *> SourceFiles::read(const std::string &path) {
  const std::string name = path == "-" ? "(standard input)" : path;
  // Standard input can be read once; of a file all see the same.
  for (const auto &source : sources_) {
    if (source->path == name) return source.get();
  }
  std::string text;
  if (path == "-") {
    text = TRY(in("standard input", kernel::read_all(kernel::FdView(STDIN_FILENO), longest_file)));
  } else {
    const kernel::Fd file = TRY(kernel::open(path, O_RDONLY));
    text = TRY(in(path, kernel::read_all(file, longest_file)));
  }
  sources_.push_back(std::make_shared<const Source>(Source{name, std::move(text)}));
  return sources_.back().get();
}

void SourceFiles::add(const std::vector<std::shared_ptr<const Source>> &more) {
  sources_.insert(sources_.end(), more.begin(), more.end());
}

Status read_env_file(const std::string &path, SourceFiles &sources, std::map<std::string, std::string> &environment,
                     Findings &findings) {
  const Source *source = TRY(sources.read(path));
  const Variables variables = [&](const std::string &name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional(found->second);
  };
  std::map<std::string, std::string> more;
  for (DotenvEntry &entry : parse_dotenv(*source, variables, findings)) {
    if (entry.value) more[entry.name] = std::move(*entry.value);
  }
  environment.merge(more);
  return {};
}

Result<ProjectFiles> find_project_files(const LoadRequest &request, SourceFiles &sources, Findings &findings) {
  return Finder(request, sources, findings).find();
}

}  // namespace skiff::compose
