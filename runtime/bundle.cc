#include "runtime/bundle.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdlib>
#include <memory>

#include "runtime/kernel/fd.h"

namespace skiff {
namespace {

Result<std::string> absolute_path(const std::string &path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  if (!real) return fail(errno, fmt::format("--bundle: realpath(\"{}\")", path), "give a directory with --bundle");
  return std::string(real.get());
}

Result<std::string> read_config(const std::string &bundle) {
  const std::string path = bundle + "/config.json";
  const kernel::Fd file = TRY(remedy("write one there with `skiff spec`", kernel::open(path, O_RDONLY | O_NONBLOCK)));
  const struct stat stat = TRY(kernel::fstat(file));
  if (!S_ISREG(stat.st_mode)) return fail(fmt::format("{}: it is no regular file", path));
  if (static_cast<std::size_t>(stat.st_size) > max_config_bytes) {
    return fail(EFBIG, fmt::format("{}: {} bytes, the most is {}", path, stat.st_size, max_config_bytes),
                "no container needs a configuration of this size: look at what wrote it");
  }
  return kernel::read_all(file, max_config_bytes);
}

}  // namespace

Result<Bundle> load_bundle(std::string_view path) {
  Bundle bundle;
  bundle.path = TRY(absolute_path(path.empty() ? "." : std::string(path)));
  bundle.json = TRY(read_config(bundle.path));
  spec::Parsed parsed = spec::parse_config(bundle.json);
  const std::vector<spec::Finding> findings = spec::check(parsed);
  if (!findings.empty()) return std::unexpected(spec::findings_error("config.json", findings));
  bundle.config = std::move(parsed.config);
  return bundle;
}

std::string rootfs_path(const Bundle &bundle) {
  if (!bundle.config.root) return {};
  const std::string &path = bundle.config.root->path;
  return path.starts_with('/') ? path : bundle.path + "/" + path;
}

Status write_config(std::string_view bundle, const spec::Config &config) {
  const std::string path = bundle.empty() ? "config.json" : fmt::format("{}/config.json", bundle);
  const Result<kernel::Fd> file = kernel::open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (!file && file.error().number == EEXIST) {
    return fail(fmt::format("{}: it exists already", path), "remove it, or name another bundle with --bundle");
  }
  if (!file) return std::unexpected(file.error());
  return kernel::write_all(*file, spec::print_config(config, true));
}

Result<std::string> read_document(const std::string &path) {
  if (path == "-") return kernel::read_all(kernel::FdView(0), max_config_bytes);
  return kernel::read_all(TRY(kernel::open(path, O_RDONLY)), max_config_bytes);
}

}  // namespace skiff
