#include "imgtool/minimal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "imgtool/image_user.h"
#include "imgtool/library_search.h"
#include "runtime/kernel/path.h"
#include "spec/names.h"

namespace skiff::image {
namespace {

constexpr std::string_view usual_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::string_view certificate_file = "/etc/ssl/certs/ca-certificates.crt";
constexpr std::size_t longest_first_line = 256;
constexpr int most_interpreters = 5;

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t length = std::min(text.find(separator), text.size());
    if (length > 0) parts.emplace_back(text.substr(0, length));
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return parts;
}

// The line of passwd or group that has this name or, as a number, this id.
std::string find_account_line(std::string_view text, std::string_view wanted) {
  const bool number = wanted.find_first_not_of("0123456789") == std::string_view::npos;
  for (const std::string &line : split(text, '\n')) {
    const std::size_t name = line.find(':');
    const std::size_t id = line.find(':', std::min(name, line.size()) + 1);
    if (id == std::string::npos) continue;
    const bool same_id = number && line.substr(id + 1, line.find(':', id + 1) - id - 1) == wanted;
    if (line.substr(0, name) == wanted || same_id) return line + "\n";
  }
  return "";
}

// "SOURCE:DESTINATION", where the second begins with '/'.
struct Mapping {
  std::string source;
  std::string destination;  // empty: the same
};
Mapping parse_mapping(const std::string &text) {
  const std::size_t colon = text.rfind(":/");
  if (colon == std::string::npos || colon == 0) return {text, {}};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

class Chooser {
 public:
  Chooser(kernel::FdView root, const MinimalRequest &request)
      : root_(root),
        request_(&request),
        tree_{.files = FileSet(root), .programs = {}, .warnings = {}, .architecture = {}} {}

  Result<MinimalTree> run() {
    for (const std::string &program : request_->programs) TRY(add_program(program));
    for (const std::string &include : request_->includes) TRY(in("--include", add_include(include)));
    TRY(say_missing());
    TRY(add_loader_cache());
    TRY(add_certificates());
    TRY(add_accounts());
    tree_.files.add_directory("/tmp", 01777, "programs expect it");
    return std::move(tree_);
  }

 private:
  [[nodiscard]] std::string_view variable(std::string_view name, std::string_view otherwise) const {
    std::string_view value = otherwise;
    for (const std::string_view one : request_->env) {
      if (one.starts_with(name) && one.substr(name.size()).starts_with('=')) value = one.substr(name.size() + 1);
    }
    return value;
  }

  Result<std::string> find_program(const std::string &name) const {
    if (name.starts_with('/')) return name;
    if (name.find('/') != std::string::npos) return fmt::format("{}/{}", TRY(kernel::getcwd()), name);
    for (const std::string &directory : split(variable("PATH", usual_path), ':')) {
      std::string path = fmt::format("{}/{}", directory, name);
      const Result<kernel::Fd> file = find_regular_file(root_, path);
      if (file && file->valid() && (TRY(kernel::fstat(*file)).st_mode & 0111U) != 0) return path;
    }
    return fail(ENOENT, name, "give its path, or --env PATH=...");
  }

  Status add_program(const std::string &text) {
    const Mapping mapping = parse_mapping(text);
    const std::string path = TRY(find_program(mapping.source));
    tree_.programs.push_back(mapping.destination.empty() ? path : mapping.destination);
    return add_executable(path, mapping.destination, "program", 0);
  }

  Status add_executable(const std::string &path, const std::string &destination, const std::string &why, int depth) {
    const kernel::Fd file = TRY(find_regular_file(root_, path));
    if (!file.valid()) return fail(ENOENT, path);
    std::string first(longest_first_line, '\0');
    first.resize(TRY(kernel::pread_some(file, first, 0)));
    if (destination.empty()) {
      (void)TRY(tree_.files.add(path, why));
    } else {
      TRY(tree_.files.add_as(path, destination, why));
    }
    if (first.starts_with("#!")) return add_interpreter(path, first.substr(2, first.find('\n') - 2), depth);
    const LibraryOptions options{.library_path = split(variable("LD_LIBRARY_PATH", ""), ':'),
                                 .opened = names_to_open(true)};
    return add_libraries(path, options);
  }

  // execve(2): "#!INTERPRETER [ARGUMENT]"; env(1) looks for its argument.
  Status add_interpreter(const std::string &script, const std::string &line, int depth) {
    if (depth >= most_interpreters) return fail(ELOOP, script + ": its interpreter is a script of a script");
    const std::vector<std::string> words = split(line, ' ');
    if (words.empty()) return fail(ENOEXEC, script, "its first line names no interpreter");
    const std::string why = "interpreter of " + script;
    TRY(add_executable(words[0], {}, why, depth + 1));
    if (words[0].substr(words[0].rfind('/') + 1) != "env") return {};
    const auto name = std::find_if(words.begin() + 1, words.end(), [](const std::string &word) {
      return !word.starts_with('-') && word.find('=') == std::string::npos;
    });
    if (name == words.end()) return {};
    return add_executable(TRY(find_program(*name)), {}, why, depth + 1);
  }

  [[nodiscard]] std::vector<std::string> names_to_open(bool program) const {
    std::vector<std::string> names;
    if (program)
      std::ranges::copy_if(request_->opened, std::back_inserter(names), [](auto &n) { return n != "found"; });
    return names;
  }

  Status add_libraries(const std::string &path, LibraryOptions options) {
    LibraryClosure closure = TRY(find_libraries(root_, path, options));
    if (tree_.architecture.empty()) tree_.architecture = image_architecture(closure.files[0].elf.machine);
    TRY(open_what_is_named(path, options, closure));
    for (std::size_t index = 1; index < closure.files.size(); ++index) {
      const LoadedFile &file = closure.files[index];
      (void)TRY(
          tree_.files.add(file.path, fmt::format("{} of {}: {}", file.name, closure.files[file.by].path, file.why)));
      note_tls(file);
    }
    if (!closure.files[0].elf.interpreter.empty()) interpreter_ = closure.files[0].elf.interpreter;
    for (const std::string &setting : closure.settings) (void)TRY(tree_.files.add(setting, "the loader's search path"));
    for (LoaderCacheEntry &entry : closure.cached) cached_.push_back(std::move(entry));
    big_endian_ = closure.files[0].elf.machine.big_endian;
    std::ranges::move(closure.missing, std::back_inserter(missing_));
    return {};
  }

  // Names in the files' bytes that dlopen(3) would find. glibc opens libgcc_s itself: without it a thread that is
  // cancelled ends the program.
  Status open_what_is_named(const std::string &path, LibraryOptions &options, LibraryClosure &closure) {
    const bool all = std::ranges::find(request_->opened, "found") != request_->opened.end();
    std::set<std::string> more;
    for (const LoadedFile &file : closure.files) {
      const bool libc = file.elf.soname.starts_with("libc.so.");
      const kernel::Fd bytes = TRY(find_regular_file(root_, file.path));
      for (const std::string &name : TRY(in(file.path, find_library_names(bytes)))) {
        const bool wanted = libc ? name.starts_with("libgcc_s.so.") : all;
        if (wanted) more.insert(name);
        if (!libc && !all) hints_.emplace(name, file.path);
      }
    }
    const std::vector<std::string> asked = options.opened;
    options.opened.insert(options.opened.end(), more.begin(), more.end());
    LibraryClosure with_more = TRY(find_libraries(root_, path, options));
    // What nobody asked for may be missing.
    std::erase_if(with_more.missing, [&](const MissingLibrary &one) {
      return more.contains(one.name) && std::ranges::find(asked, one.name) == asked.end();
    });
    for (LoadedFile &file : with_more.files) {
      if (more.contains(file.name)) file.why = "its name stands in the file: dlopen(3)";
    }
    TRY(warn_of_hints(path, options, with_more));
    closure = std::move(with_more);
    return {};
  }

  Status warn_of_hints(const std::string &path, LibraryOptions options, const LibraryClosure &closure) {
    std::erase_if(hints_, [&](const auto &hint) {
      return std::ranges::any_of(closure.files, [&](const LoadedFile &file) {
        return file.name == hint.first || file.elf.soname == hint.first;
      });
    });
    if (hints_.empty()) return {};
    for (const auto &[name, file] : hints_) options.opened.push_back(name);
    const LibraryClosure there = TRY(find_libraries(root_, path, options));
    for (const LoadedFile &found : there.files) {
      const auto hint = hints_.find(found.name);
      if (hint == hints_.end() || !warned_.insert(found.name).second) continue;
      tree_.warnings.push_back(
          fmt::format("{} names {} and may open it: --dlopen {} takes it along", hint->second, found.name, found.name));
    }
    hints_.clear();
    return {};
  }

  void note_tls(const LoadedFile &file) {
    for (const std::string_view name : {"libssl.", "libgnutls.", "libcurl", "libnss3.", "libmbedtls.", "libwolfssl."}) {
      if (file.name.starts_with(name) && tls_.empty()) tls_ = file.name;
    }
  }

  Status add_include(const std::string &text) {
    const Mapping mapping = parse_mapping(text);
    std::string source = mapping.source;
    if (!source.starts_with('/')) source = fmt::format("{}/{}", TRY(kernel::getcwd()), source);
    if (!mapping.destination.empty()) return tree_.files.add_as(source, mapping.destination, "--include");
    for (const std::string &path : TRY(tree_.files.add_tree(source, "--include"))) {
      const kernel::Fd file = TRY(find_regular_file(root_, path));
      const Result<std::optional<Elf>> elf = read_elf(file);
      // An object file is no library.
      if (!elf || !*elf || !(*elf)->dynamic) continue;
      const LibraryOptions options{.library_path = split(variable("LD_LIBRARY_PATH", ""), ':'),
                                   .interpreter = interpreter_};
      TRY(add_libraries(path, options));
    }
    return {};
  }

  [[nodiscard]] Status say_missing() const {
    std::set<std::string> lines;
    for (const MissingLibrary &one : missing_) lines.insert(fmt::format("{} (needed by {})", one.name, one.by));
    if (lines.empty()) return {};
    return fail(ENOENT, fmt::format("not found: {}", fmt::join(lines, ", ")),
                "install what has it, or name its directory by --env LD_LIBRARY_PATH=");
  }

  // Of our own: the tree's names everything that is not in the image.
  Status add_loader_cache() {
    if (cached_.empty()) return {};
    std::ranges::sort(cached_, {}, &LoaderCacheEntry::path);
    const auto same = std::ranges::unique(cached_);
    cached_.erase(same.begin(), same.end());
    tree_.files.add_text("/etc/ld.so.cache", print_loader_cache(cached_, big_endian_),
                         "libraries outside the loader's default directories");
    return {};
  }

  Status add_certificates() {
    if (!request_->certificates.value_or(!tls_.empty())) return {};
    const std::string path(certificate_file);
    const kernel::Fd file = TRY(find_regular_file(root_, path));
    if (!file.valid() && !request_->certificates) {
      tree_.warnings.push_back(fmt::format("{} speaks TLS and there is no {}: servers cannot be verified", tls_, path));
      return {};
    }
    if (!file.valid()) return fail(ENOENT, "--certs: " + path, "install ca-certificates");
    (void)TRY(tree_.files.add(path, tls_.empty() ? "--certs" : fmt::format("{} verifies servers by them", tls_)));
    return {};
  }

  Status add_accounts() {
    std::string passwd = "root:x:0:0:root:/root:/sbin/nologin\n";
    std::string group = "root:x:0:\n";
    const std::string name = request_->user.substr(0, request_->user.find(':'));
    const std::string group_name =
        request_->user.find(':') == std::string::npos ? "" : request_->user.substr(request_->user.find(':') + 1);
    if (!name.empty() && name != "root" && name != "0") {
      const spec::Account account = TRY(in("--user", find_image_user(root_, request_->user, tree_.warnings)));
      passwd += find_account_line(TRY(text_of("/etc/passwd")), name);
      group +=
          find_account_line(TRY(text_of("/etc/group")), group_name.empty() ? std::to_string(account.gid) : group_name);
    }
    tree_.files.add_text("/etc/passwd", std::move(passwd), "accounts");
    tree_.files.add_text("/etc/group", std::move(group), "accounts");
    tree_.files.add_directory("/root", 0700, "home of root");
    return {};
  }

  [[nodiscard]] Result<std::string> text_of(const std::string &path) const {
    const kernel::Fd file = TRY(find_regular_file(root_, path));
    if (!file.valid()) return "";
    return kernel::read_all(file, 16U << 20U);
  }

  kernel::FdView root_;
  const MinimalRequest *request_;
  MinimalTree tree_;
  std::vector<MissingLibrary> missing_;
  std::vector<LoaderCacheEntry> cached_;
  std::map<std::string, std::string> hints_;
  std::set<std::string> warned_;
  std::string interpreter_;
  std::string tls_;  // a library that speaks it
  bool big_endian_ = false;
};

}  // namespace

Result<MinimalTree> choose_files(kernel::FdView root, const MinimalRequest &request) {
  return Chooser(root, request).run();
}

}  // namespace skiff::image
