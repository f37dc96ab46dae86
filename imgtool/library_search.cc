#include "imgtool/library_search.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>

#include "imgtool/tree_path.h"
#include "runtime/kernel/path.h"
#include "spec/names.h"

namespace skiff::image {
namespace {

constexpr std::size_t most_files = 10'000;
constexpr std::size_t largest_cache = 64U << 20U;
constexpr std::size_t largest_setting = 1U << 20U;

struct Architecture {
  std::uint16_t machine;
  bool is_64;
  bool big_endian;
  std::string_view tuple;     // Debian's name of its directories
  std::string_view platform;  // AT_PLATFORM, what $PLATFORM stands for
};
constexpr std::array<Architecture, 13> architectures = {{
    {EM_X86_64, true, false, "x86_64-linux-gnu", "x86_64"},
    {EM_X86_64, false, false, "x86_64-linux-gnux32", "x86_64"},
    {EM_386, false, false, "i386-linux-gnu", "i686"},
    {EM_AARCH64, true, false, "aarch64-linux-gnu", "aarch64"},
    {EM_ARM, false, false, "arm-linux-gnueabihf", "v7l"},
    {EM_RISCV, true, false, "riscv64-linux-gnu", "riscv64"},
    {EM_PPC64, true, false, "powerpc64le-linux-gnu", "power8"},
    {EM_PPC64, true, true, "powerpc64-linux-gnu", "power4"},
    {EM_S390, true, true, "s390x-linux-gnu", "z900"},
    {EM_MIPS, true, false, "mips64el-linux-gnuabi64", "mips"},
    {EM_MIPS, false, false, "mipsel-linux-gnu", "mips"},
    {EM_LOONGARCH, true, false, "loongarch64-linux-gnu", "loongarch"},
    {EM_68K, false, true, "m68k-linux-gnu", "m68k"},
}};

Architecture architecture_of(const Elf &elf) {
  for (const Architecture &one : architectures) {
    if (ElfMachine{one.is_64, one.big_endian, one.machine} != elf.machine) continue;
    Architecture found = one;
    if (one.machine == EM_ARM && (elf.flags & EF_ARM_ABI_FLOAT_HARD) == 0) found.tuple = "arm-linux-gnueabi";
    return found;
  }
  return {elf.machine.number, elf.machine.is_64, elf.machine.big_endian, "", ""};
}

std::vector<std::string> split_path(std::string_view text, std::string_view separators) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string directory_of(const std::string &path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::string join(std::string_view directory, std::string_view name) {
  return fmt::format("{}{}{}", directory, directory.ends_with('/') ? "" : "/", name);
}

class Search {
 public:
  Search(kernel::FdView root, const LibraryOptions &options) : root_(root), options_(&options) {}

  Result<LibraryClosure> run(const std::string &program) {
    TRY(add_program(program));
    TRY(read_settings());
    const std::vector<std::string> opened = options_->opened;
    for (std::size_t index = 0; index < closure_.files.size(); ++index) {
      // A copy: what is found moves the vector.
      const std::vector<std::string> needed = closure_.files[index].elf.needed;
      for (const std::string &name : needed) TRY(need(name, index, "needed"));
      if (index == 0) {
        for (const std::string &name : opened) TRY(need(name, index, "--dlopen"));
      }
    }
    return std::move(closure_);
  }

 private:
  using Found = std::optional<LoadedFile>;

  Status add_program(const std::string &program) {
    const kernel::Fd file = TRY(find_regular_file(root_, program));
    if (!file.valid()) return fail(ENOENT, program);
    std::optional<Elf> elf = TRY(in(program, read_elf(file)));
    if (!elf) return fail(ENOEXEC, program, "it is no ELF file");
    architecture_ = architecture_of(*elf);
    machine_ = elf->machine;
    // The kernel tells the loader where the program really is.
    origin_ = directory_of(TRY(real_path(root_, program)));
    interpreter_ = elf->interpreter.empty() ? options_->interpreter : elf->interpreter;
    const bool has_loader = !elf->interpreter.empty();
    closure_.files.push_back({program, program, "named on the command line", 0, std::move(*elf)});
    if (has_loader) TRY(add_loader());
    return {};
  }

  Status add_loader() {
    Found loader = TRY(try_file(interpreter_));
    if (!loader) {
      closure_.missing.push_back({interpreter_, closure_.files.front().path});
      return {};
    }
    loader->name = interpreter_;
    loader->why = "loader (PT_INTERP)";
    closure_.files.push_back(std::move(*loader));
    return {};
  }

  [[nodiscard]] bool musl() const { return interpreter_.find("/ld-musl-") != std::string::npos; }

  Status read_settings() {
    if (musl()) return read_musl_path();
    const kernel::Fd file = TRY(find_regular_file(root_, "/etc/ld.so.cache"));
    if (file.valid()) {
      const std::string bytes = TRY(kernel::read_all(file, largest_cache));
      for (LoaderCacheEntry &entry : TRY(in("/etc/ld.so.cache", parse_loader_cache(bytes)))) {
        if (entry.hwcap == 0) cache_.emplace(entry.name, std::move(entry));
      }
    }
    // Debian's glibc looks into the directories of its architecture first, others' into lib64.
    if (!architecture_.tuple.empty()) {
      defaults_.push_back(fmt::format("/lib/{}", architecture_.tuple));
      defaults_.push_back(fmt::format("/usr/lib/{}", architecture_.tuple));
    }
    if (machine_.is_64) defaults_.insert(defaults_.end(), {"/lib64", "/usr/lib64"});
    defaults_.insert(defaults_.end(), {"/lib", "/usr/lib"});
    return {};
  }

  // musl finds it beside the directory of the loader: /lib/ld-musl-ARCH.so.1 and /etc/ld-musl-ARCH.path.
  Status read_musl_path() {
    const std::string name = interpreter_.substr(interpreter_.rfind('/') + 1);
    const std::string prefix = directory_of(directory_of(interpreter_));
    const std::string path = join(join(prefix, "etc"), name.substr(0, name.find(".so")) + ".path");
    const kernel::Fd file = TRY(find_regular_file(root_, path));
    if (!file.valid()) {
      defaults_ = {"/lib", "/usr/local/lib", "/usr/lib"};
      return {};
    }
    defaults_ = split_path(TRY(kernel::read_all(file, largest_setting)), ":\n");
    closure_.settings.push_back(path);
    return {};
  }

  Status need(const std::string &name, std::size_t by, std::string_view why) {
    if (is_loaded(name)) return {};
    if (closure_.files.size() >= most_files) return fail(fmt::format("more than {} libraries", most_files));
    Found found = TRY(find(name, by));
    if (!found) {
      closure_.missing.push_back({name, closure_.files[by].path});
      return {};
    }
    found->name = name;
    found->by = by;
    if (why != "needed") found->why = fmt::format("{}, {}", why, found->why);
    closure_.files.push_back(std::move(*found));
    return {};
  }

  // The loader takes what has that soname, or was asked for by that name, wherever it came from.
  [[nodiscard]] bool is_loaded(const std::string &name) const {
    if (musl() && is_musl_itself(name)) return true;
    return std::ranges::any_of(closure_.files,
                               [&](const LoadedFile &file) {
                                 return file.name == name || (!file.elf.soname.empty() && file.elf.soname == name);
                               }) ||
           std::ranges::any_of(closure_.missing, [&](const MissingLibrary &one) { return one.name == name; });
  }

  // musl's loader is its C library: these names are never looked for.
  static bool is_musl_itself(std::string_view name) {
    static constexpr std::array<std::string_view, 7> parts = {"c.", "pthread.", "rt.", "m.", "dl.", "util.", "xnet."};
    if (!name.starts_with("lib")) return false;
    return std::ranges::any_of(parts, [&](std::string_view part) { return name.substr(3).starts_with(part); });
  }

  Result<Found> find(const std::string &name, std::size_t by) {
    if (name.find('/') != std::string::npos) {
      const std::vector<std::string> path = expand(name, by);
      if (path.empty()) return std::nullopt;
      return with_reason(TRY(try_file(path.front())), "its path");
    }
    if (musl()) {
      if (Found found = TRY(in_directories(options_->library_path, name, "LD_LIBRARY_PATH"))) return found;
      if (Found found = TRY(up_the_chain(name, by))) return found;
      return in_directories(defaults_, name, "default directory");
    }
    const Elf &elf = closure_.files[by].elf;
    if (!elf.runpath) {
      if (Found found = TRY(up_the_chain(name, by))) return found;
    }
    if (Found found = TRY(in_directories(options_->library_path, name, "LD_LIBRARY_PATH"))) return found;
    if (const std::optional<std::string> runpath = closure_.files[by].elf.runpath) {
      const std::string reason = fmt::format("RUNPATH of {}", closure_.files[by].path);
      if (Found found = TRY(in_path(*runpath, by, name, reason))) return found;
    }
    if (closure_.files[by].elf.no_default_paths) return std::nullopt;
    if (Found found = TRY(in_cache(name))) return found;
    return in_directories(defaults_, name, "default directory");
  }

  // DT_RPATH counts for what is loaded below, too; musl takes both kinds so.
  Result<Found> up_the_chain(const std::string &name, std::size_t by) {
    for (std::size_t at = by;; at = closure_.files[at].by) {
      const LoadedFile &file = closure_.files[at];
      const std::optional<std::string> &path = musl() && file.elf.runpath ? file.elf.runpath
                                               : file.elf.runpath         ? no_path_
                                                                          : file.elf.rpath;
      if (path) {
        const std::string reason = fmt::format("{} of {}", file.elf.runpath ? "RUNPATH" : "RPATH", file.path);
        const std::string copy = *path;
        if (Found found = TRY(in_path(copy, at, name, reason))) return found;
      }
      if (closure_.files[at].by == at || at == 0) return std::nullopt;
    }
  }

  // A list of directories as a file's section has it; relative ones depend on where the program is started.
  Result<Found> in_path(std::string_view list, std::size_t of, const std::string &name, std::string_view reason) {
    for (const std::string &part : split_path(list, ":")) {
      if (Found found = TRY(in_directories(expand(part, of), name, reason))) return found;
    }
    return std::nullopt;
  }

  Result<Found> in_directories(const std::vector<std::string> &directories, const std::string &name,
                               std::string_view reason) {
    for (const std::string &directory : directories) {
      if (!directory.starts_with('/')) continue;
      if (Found found = TRY(try_file(join(directory, name)))) return with_reason(std::move(found), reason);
    }
    return std::nullopt;
  }

  Result<Found> in_cache(const std::string &name) {
    const auto [begin, end] = cache_.equal_range(name);
    for (auto entry = begin; entry != end; ++entry) {
      Found found = TRY(try_file(entry->second.path));
      if (!found) continue;
      const bool by_default = std::ranges::find(defaults_, directory_of(found->path)) != defaults_.end();
      if (!by_default) closure_.cached.push_back(entry->second);
      return with_reason(std::move(found), "the loader's cache");
    }
    return std::nullopt;
  }

  static Found with_reason(Found found, std::string_view reason) {
    if (found) found->why = reason;
    return found;
  }

  // $ORIGIN, $LIB and $PLATFORM, with and without braces. Empty where the path cannot be known; two where $LIB is one
  // of two.
  [[nodiscard]] std::vector<std::string> expand(std::string_view text, std::size_t of) const {
    const std::string origin = of == 0 ? origin_ : directory_of(closure_.files[of].path);
    std::vector<std::string> lib_names;
    if (!architecture_.tuple.empty()) lib_names.push_back(fmt::format("lib/{}", architecture_.tuple));
    lib_names.emplace_back(machine_.is_64 ? "lib64" : "lib");
    if (text.find("LIB") == std::string_view::npos) lib_names.resize(1);
    std::vector<std::string> all;
    for (const std::string &lib : lib_names) {
      std::string path(text);
      substitute(path, "ORIGIN", origin);
      substitute(path, "LIB", lib);
      substitute(path, "PLATFORM", architecture_.platform);
      if (path.starts_with('/')) all.push_back(std::move(path));
    }
    return all;
  }

  static void substitute(std::string &path, std::string_view token, std::string_view value) {
    for (const std::string &written : {fmt::format("${{{}}}", token), fmt::format("${}", token)}) {
      for (std::size_t at = path.find(written); at != std::string::npos; at = path.find(written, at + value.size())) {
        path.replace(at, written.size(), value);
      }
    }
  }

  // Another machine's file, or what is no ELF file at all, is passed over.
  Result<Found> try_file(const std::string &path) {
    const Result<kernel::Fd> file = find_regular_file(root_, path);
    if (!file || !file->valid()) return std::nullopt;
    Result<std::optional<Elf>> elf = read_elf(*file);
    if (!elf || !*elf || (*elf)->machine != machine_) return std::nullopt;
    return LoadedFile{.name = {}, .path = path, .why = {}, .by = 0, .elf = std::move(**elf)};
  }

  kernel::FdView root_;
  const LibraryOptions *options_;
  LibraryClosure closure_;
  Architecture architecture_{};
  ElfMachine machine_;
  std::string origin_;
  std::string interpreter_;
  std::vector<std::string> defaults_;
  std::multimap<std::string, LoaderCacheEntry, std::less<>> cache_;
  const std::optional<std::string> no_path_;
};

}  // namespace

Result<LibraryClosure> find_libraries(kernel::FdView root, const std::string &program, const LibraryOptions &options) {
  return Search(root, options).run(program);
}

Result<kernel::Fd> find_regular_file(kernel::FdView root, const std::string &path) {
  // Without waiting for the other end of a FIFO.
  kernel::Fd file = TRY(kernel::find_in_root(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  if (!file.valid()) return file;
  if (!S_ISREG(TRY(kernel::fstat(file)).st_mode)) return fail(EINVAL, path, "it is no regular file");
  return file;
}

}  // namespace skiff::image
