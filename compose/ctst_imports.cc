#include "compose/ctst_imports.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "compose/ctst_lexer.h"
#include "compose/program.h"
#include "compose/state.h"
#include "runtime/kernel/path.h"
#include "spec/sha256.h"

namespace skiff::compose::ctst {
namespace {

constexpr std::size_t longest_file = std::size_t{1} << 20U;
// A chain that long is a mistake; the reader calls itself for each.
constexpr std::size_t deepest_import = 64;

struct Found {
  std::string identity;  // the same file by another path is the same
  std::string shown;
  std::string folder;
  std::string text;
};

std::string folder_of_path(const std::string &path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of_file(std::string_view path) {
  path = path.substr(0, path.find('#'));
  path = path.substr(path.rfind('/') + 1);
  if (path.ends_with(".ctst")) path.remove_suffix(5);
  return std::string(path);
}

class Loader {
 public:
  Loader(const CtstRequest &request, Findings &findings) : request_(request), findings_(findings) {}

  Library load() {
    std::string identity = "text:";
    if (const Result<struct stat> facts = kernel::fstatat(kernel::cwd, request_.path)) identity = identity_of(*facts);
    read({.identity = identity, .shown = request_.path, .folder = request_.directory, .text = request_.text});
    return std::move(library_);
  }

 private:
  struct Open {
    std::string identity;
    std::string shown;
  };

  static std::string identity_of(const struct stat &facts) { return fmt::format("{}:{}", facts.st_dev, facts.st_ino); }

  Document *read(Found found) {
    loaded_.push_back({found.identity, nullptr});
    const std::size_t index = loaded_.size() - 1;
    Document &document = library_.documents.emplace_back();
    loaded_[index].second = &document;
    document.folder = std::move(found.folder);
    document.source =
        std::make_shared<const Source>(Source{.path = found.shown, .text = without_mark(std::move(found.text))});
    document.tree = parse(*document.source, findings_);
    open_.push_back({std::move(found.identity), std::move(found.shown)});
    for (const Import &import : document.tree.imports) resolve(document, import);
    open_.pop_back();
    return &document;
  }

  void resolve(Document &document, const Import &import) {
    const Position at = import.path.at;
    if (!import.path.plain()) {
      findings_.error(at, "bad-import", "a path to import is written out: it has no ${}");
      return;
    }
    const std::string path = import.path.shown();
    Imported imported{.alias = import.alias.value_or(Name{name_of_file(path), at}), .at = at};
    if (!import.alias && !is_name(imported.alias.text)) {
      findings_.error(at, "bad-import", fmt::format("{} gives no name to the import", path), "add AS NAME");
      return;
    }
    const auto same = [&](const Imported &one) { return one.alias.text == imported.alias.text; };
    if (const auto first = std::ranges::find_if(document.imports, same); first != document.imports.end()) {
      findings_.error(imported.alias.at, "duplicate-import",
                      fmt::format("{} is the import of line {} already", imported.alias.text, first->alias.at.line),
                      "give it another name with AS");
      return;
    }
    if (const std::optional<Found> found = find(document, path, at)) imported.document = document_of(*found, at);
    document.imports.push_back(std::move(imported));
  }

  Document *document_of(const Found &found, Position at) {
    const auto around = std::ranges::find(open_, found.identity, &Open::identity);
    if (around != open_.end()) {
      std::string chain;
      for (auto one = around; one != open_.end(); ++one) chain += one->shown + " -> ";
      findings_.error(at, "import-cycle", fmt::format("a cycle of imports: {}{}", chain, around->shown));
      return nullptr;
    }
    for (const auto &[identity, document] : loaded_) {
      if (identity == found.identity) return document;
    }
    if (open_.size() >= deepest_import) {
      findings_.error(at, "import-depth", fmt::format("more than {} imports within one another", deepest_import));
      return nullptr;
    }
    return read(found);
  }

  std::optional<Found> find(const Document &document, const std::string &path, Position at) {
    if (path.starts_with("http://")) {
      findings_.error(at, "insecure-import", "http is not safe from change on its way",
                      "use https with #sha256=, or a file");
      return std::nullopt;
    }
    if (path.starts_with("https://")) return download(path, at);
    if (path.find("://") != std::string::npos) {
      findings_.error(at, "bad-import", fmt::format("{}: imports are files and https URLs", path));
      return std::nullopt;
    }
    if (path.empty()) {
      findings_.error(at, "bad-import", "an import without a path");
      return std::nullopt;
    }
    if (document.folder.empty()) {
      findings_.error(at, "bad-import", "a file that came by https can import nothing of this host",
                      "use https with #sha256=");
      return std::nullopt;
    }
    return find_file(document, path, at);
  }

  // CTST.md: the importing file's folder, the entry file's folder, --import-path.
  std::optional<Found> find_file(const Document &document, const std::string &path, Position at) {
    std::vector<std::string> places = {document.folder, request_.directory};
    places.insert(places.end(), request_.import_paths.begin(), request_.import_paths.end());
    if (path.starts_with('/')) places = {""};
    std::vector<std::string> looked;
    for (const std::string &place : places) {
      const std::string full = path.starts_with('/') ? path : fmt::format("{}/{}", place, path);
      const Result<kernel::Fd> file = kernel::open(full, O_RDONLY | O_NONBLOCK);
      if (file) return take_file(*file, full, at);
      if (file.error().number != ENOENT && file.error().number != ENOTDIR) {
        findings_.error(at, "missing-import", file.error().message());
        return std::nullopt;
      }
      if (std::ranges::find(looked, place) == looked.end()) looked.push_back(place);
    }
    findings_.error(at, "missing-import", fmt::format("there is no {}", path),
                    path.starts_with('/')
                        ? std::string()
                        : fmt::format("looked in {}; --import-path adds a folder", fmt::join(looked, ", ")));
    return std::nullopt;
  }

  std::optional<Found> take_file(const kernel::Fd &file, const std::string &path, Position at) {
    const auto refuse = [&](const Error &error) {
      findings_.error(at, "missing-import", error.message());
      return std::nullopt;
    };
    const Result<struct stat> facts = kernel::fstat(file);
    if (!facts) return refuse(facts.error());
    if (!S_ISREG(facts->st_mode)) return refuse(Error{.number = 0, .text = path + " is no file", .remedy = ""});
    Result<std::string> text = kernel::read_all(file, longest_file);
    if (!text) return refuse(text.error());
    return Found{
        .identity = identity_of(*facts), .shown = path, .folder = folder_of_path(path), .text = std::move(*text)};
  }

  std::optional<Found> download(const std::string &path, Position at) {
    constexpr std::string_view mark = "#sha256=";
    const std::size_t hash = path.find('#');
    const std::string url = path.substr(0, hash);
    const std::string pin = hash == std::string::npos ? std::string() : path.substr(hash);
    if (!pin.starts_with(mark) || !spec::is_sha256_hex(std::string_view(pin).substr(mark.size()))) {
      findings_.error(at, "unpinned-import", fmt::format("{} has no digest that it must have", url),
                      "add #sha256= and 64 hexadecimal digits");
      return std::nullopt;
    }
    const std::string digest = pin.substr(mark.size());
    Result<std::string> text = pinned(url, digest);
    if (!text) {
      findings_.error(at, text.error().number == EHOSTUNREACH ? "offline-import" : "missing-import", text.error().text,
                      text.error().remedy);
      return std::nullopt;
    }
    return Found{.identity = "sha256:" + digest, .shown = url, .folder = "", .text = std::move(*text)};
  }

  // What the cache holds counts as little as what comes from afar: the digest decides.
  Result<std::string> pinned(const std::string &url, const std::string &digest) {
    const std::string cached = request_.cache_directory + "/" + digest;
    if (Result<std::string> text = read_if_there(cached); text && !text->empty() && spec::sha256_hex(*text) == digest) {
      return text;
    }
    if (request_.offline) {
      return fail(EHOSTUNREACH,
                  fmt::format("{} is not in {}, and --offline refuses to fetch it", url, request_.cache_directory),
                  "load the project once with a network");
    }
    std::string text = TRY(request_.fetch ? request_.fetch(url) : fetch_import(url));
    if (const std::string have = spec::sha256_hex(text); have != digest) {
      return fail(fmt::format("{} has sha256 {}, not {}", url, have, digest),
                  "it has changed: read it, then change the pin");
    }
    TRY(kernel::make_parents(cached, 0755));
    TRY(replace_file(cached, text, 0644));
    return text;
  }

  const CtstRequest &request_;
  Findings &findings_;
  Library library_;
  std::vector<Open> open_;
  std::vector<std::pair<std::string, Document *>> loaded_;
};

}  // namespace

std::string Library::folder_of(const Position &at) const {
  const auto found =
      std::ranges::find_if(documents, [&](const Document &one) { return one.source.get() == at.source; });
  return found == documents.end() ? std::string() : found->folder;
}

Library load_library(const CtstRequest &request, Findings &findings) { return Loader(request, findings).load(); }

Result<std::string> fetch_import(const std::string &url) {
  const std::string curl = TRY(find_program("curl"));
  const ProgramOutput output = TRY(run_program({curl, "--fail", "--silent", "--show-error", "--location", "--proto",
                                                "=https", "--proto-redir", "=https", "--max-redirs", "5", "--max-time",
                                                "60", "--max-filesize", fmt::format("{}", longest_file), "--", url}));
  if (output.code != 0) {
    return fail(fmt::format("{}: {}", url, output.err.substr(0, output.err.find('\n'))));
  }
  if (output.out.size() > longest_file) return fail(EFBIG, url);
  return output.out;
}

}  // namespace skiff::compose::ctst
