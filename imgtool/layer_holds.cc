// Which bundles need which unpacked layers: holds/DIGEST OF THE BUNDLE'S PATH.
#include <fmt/format.h>

#include "imgtool/layer_store.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/replace.h"
#include "spec/json.h"
#include "spec/reader.h"
#include "spec/writer.h"

namespace skiff::image {
namespace {

using kernel::Fd;

constexpr const char *holds = "holds";
constexpr std::size_t longest_hold = std::size_t{1} << 20U;

struct Hold {
  std::string bundle;
  std::vector<std::string> layers;
};

void fields(auto &v, spec::Like<Hold> auto &hold) {
  v.required("bundle", hold.bundle);
  v.required("layers", hold.layers);
}

std::string path_of(const std::string &bundle) { return fmt::format("{}/{}", holds, digest_of(bundle).hex()); }

Result<Hold> load_hold(const Fd &directory, const std::string &name) {
  std::vector<spec::Finding> findings;
  Hold hold;
  const std::string text =
      TRY(kernel::read_all(TRY(kernel::openat(directory, name, O_RDONLY | O_NOFOLLOW)), longest_hold));
  const auto document = spec::json::Document::parse(text);
  if (!document) {
    findings.push_back(document.error());
  } else {
    spec::Reader(findings).document(document->root(), hold);
  }
  if (!findings.empty()) {
    return std::unexpected(spec::findings_error(fmt::format("{}/{}", holds, name), findings));
  }
  return hold;
}

bool is_gone(const std::string &bundle) {
  const Status there = kernel::faccessat(kernel::cwd, bundle, F_OK);
  return !there && (there.error().number == ENOENT || there.error().number == ENOTDIR);
}

}  // namespace

Status hold_layers(const Layout &store, const std::string &bundle, const std::vector<std::string> &names) {
  const auto hold = [&]() -> Status {
    TRY(kernel::make_directory(store.directory(), holds, 0700));
    const std::string path = path_of(bundle);
    const std::string fresh = path + ".new";
    return kernel::replace_file(store.directory(), {.name = path, .temporary = fresh},
                                spec::Writer("").document(Hold{.bundle = bundle, .layers = names}));
  };
  return in(fmt::format("{}: holding layers for {}", store.path(), bundle), hold());
}

Status release_layers(const Layout &store, const std::string &bundle) {
  const Status removed = kernel::unlinkat(store.directory(), path_of(bundle));
  if (!removed && removed.error().number == ENOENT) return {};
  return removed;
}

Result<std::vector<std::string>> held_layers(const Layout &store) {
  std::vector<std::string> names;
  const Fd directory = TRY(kernel::find_at(store.directory(), holds, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (!directory.valid()) return names;
  for (const std::string &name : TRY(kernel::list_directory(directory))) {
    if (name.ends_with(".new")) {
      // Of one that was killed: whoever writes one holds the store's lock, which the caller has alone.
      (void)kernel::unlinkat(directory, name);
      continue;
    }
    const Hold hold = TRY(in(store.path(), load_hold(directory, name)));
    if (is_gone(hold.bundle)) {
      // A store that cannot be written to has nothing to forget.
      (void)kernel::unlinkat(directory, name);
    } else {
      names.insert(names.end(), hold.layers.begin(), hold.layers.end());
    }
  }
  return names;
}

}  // namespace skiff::image
