#include "compose/archive_source.h"

#include <fmt/format.h>

#include <array>

#include "compose/contains.h"
#include "runtime/kernel/environment.h"
#include "runtime/kernel/path.h"
#include "spec/sha256.h"

namespace skiff::compose {
namespace {

constexpr std::string_view tar_scheme = "tar://";
constexpr std::string_view https_scheme = "https://";
constexpr std::string_view digest_mark = "@sha256:";

struct Source {
  std::string place;   // a path, or the URL
  std::string digest;  // hexadecimal digits, or empty
  bool remote = false;
};

Source parse_source(std::string_view text) {
  Source source;
  source.remote = text.starts_with(https_scheme);
  if (!source.remote) text.remove_prefix(tar_scheme.size());
  const std::size_t mark = text.rfind(digest_mark);
  source.place = text.substr(0, mark);
  if (mark != std::string_view::npos) source.digest = text.substr(mark + digest_mark.size());
  return source;
}

Status check_digest(const std::string &path, const std::string &wanted) {
  const kernel::Fd file = TRY(kernel::open(path, O_RDONLY));
  spec::Sha256 hash;
  std::string buffer(std::size_t{1} << 20U, '\0');
  while (const std::size_t count = TRY(in(path, kernel::read_some(file, buffer)))) {
    hash.update(std::string_view(buffer).substr(0, count));
  }
  const std::string have = hash.finish();
  if (have == wanted) return {};
  return fail(fmt::format("{}: its digest is sha256:{}, not sha256:{}", path, have, wanted),
              "it is another archive, or it is damaged");
}

Status download(const Source &source, const std::string &path) {
  const std::string curl = TRY(find_program("curl"));
  const std::string part = path + ".part";
  TRY(kernel::make_parents(path, 0755));
  TRY(call_program({curl, "--fail", "--silent", "--show-error", "--location", "--proto", "=https", "--proto-redir",
                    "=https", "--max-redirs", "5", "--output", part, "--", source.place}));
  TRY(in(source.place, check_digest(part, source.digest)));
  return kernel::renameat2(kernel::cwd, part, kernel::cwd, path);
}

// The file itself: of https the copy in the cache, which counts only with the right digest.
Result<std::string> find_file(const Source &source, const ArchiveOptions &options, bool offline) {
  if (!source.remote) {
    if (!source.digest.empty()) TRY(check_digest(source.place, source.digest));
    return source.place;
  }
  if (!spec::is_sha256_hex(source.digest)) {
    return fail(fmt::format("{}: an archive by https has no digest", source.place), "add @sha256:DIGEST");
  }
  const std::string folder = options.cache_directory.empty() ? archive_cache_directory() : options.cache_directory;
  std::string path = fmt::format("{}/{}", folder, source.digest);
  if (kernel::faccessat(kernel::cwd, path, R_OK) && check_digest(path, source.digest)) return path;
  if (offline) {
    return fail(EHOSTUNREACH, fmt::format("{} is not in {}, and --offline refuses to fetch it", source.place, folder));
  }
  TRY(download(source, path));
  return path;
}

// The same file again gets the same name, a changed one another.
Result<std::string> name_of(const Source &source, const std::string &path) {
  std::string identity = source.digest;
  if (identity.empty()) {
    const struct stat facts = TRY(kernel::fstatat(kernel::cwd, path));
    if (!S_ISREG(facts.st_mode)) return fail(fmt::format("{} is no file", path), "a folder is file://");
    identity = spec::sha256_hex(fmt::format("{} {} {} {}.{}", facts.st_dev, facts.st_ino, facts.st_size,
                                            facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec));
  }
  return fmt::format("localhost/skiff-archive:{}", identity);
}

std::string last_line(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

Status bring(const Engine &engine, const std::string &path, const std::string &name) {
  // An OCI archive first: docker save writes both kinds into one file since its version 25.
  constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kinds = {
      {{"oci-archive", "no member \"index.json\""}, {"docker-archive", "no member \"manifest.json\""}}};
  for (const auto &[kind, missing] : kinds) {
    const ProgramOutput output =
        TRY(run_program(engine.run_image({"--quiet", "pull", fmt::format("{}:{}", kind, path), name})));
    if (output.code == 0) return {};
    if (output.err.find(missing) == std::string::npos) return fail(last_line(output.err));
  }
  const ProgramOutput output = TRY(run_program(engine.run_image({"--quiet", "import", path, name})));
  return output.code == 0 ? Status() : fail(last_line(output.err));
}

}  // namespace

bool is_archive_source(std::string_view image) {
  return image.starts_with(tar_scheme) || image.starts_with(https_scheme);
}

Result<std::string> store_archive(const Engine &engine, const std::string &source_text, const ArchiveOptions &options) {
  const Source source = parse_source(source_text);
  const bool offline = options.offline || contains(engine.image, "--offline");
  const std::string path = TRY(in(fmt::format("image {}", source_text), find_file(source, options, offline)));
  std::string name = TRY(in(fmt::format("image {}", source_text), name_of(source, path)));
  const ProgramOutput there = TRY(run_program(engine.run_image({"--quiet", "inspect", name})));
  if (there.code != 0) TRY(in(fmt::format("image {}", source_text), bring(engine, path, name)));
  return name;
}

Result<std::string> name_of_archive(const std::string &source) {
  const Source parsed = parse_source(source);
  return in(fmt::format("image {}", source), name_of(parsed, parsed.place));
}

std::string archive_cache_directory() {
  const std::string cache = kernel::user_directory("XDG_CACHE_HOME", "/.cache");
  return fmt::format("{}/skiff/archives", cache.empty() ? "/.cache" : cache);
}

}  // namespace skiff::compose
