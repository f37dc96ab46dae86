#include "imgtool/layer_store.h"

#include <fmt/format.h>
#include <sys/file.h>
#include <time.h>

#include <algorithm>

#include "imgtool/tree_removal.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/replace.h"
#include "spec/json.h"
#include "spec/reader.h"
#include "spec/writer.h"

namespace skiff::image {

void fields(auto &v, spec::Like<LayerRecord> auto &record) {
  v.required("chainId", record.chain_id);
  v.required("diffId", record.diff_id);
  v.required("bytes", record.bytes);
  v.required("entries", record.entries);
  v.required("boot", record.boot);
  v.required("settled", record.settled);
}

namespace {

using kernel::Fd;

constexpr const char *layers = "layers";
constexpr const char *record_file = "record.json";
constexpr const char *record_temporary = "record.json.new";
constexpr std::size_t longest_record = 65536;
// The kernel writes what is dirty back after 30 s (vm.dirty_expire_centisecs): by now there is little to wait for.
constexpr std::int64_t settling_seconds = 60;

std::string path_in(std::string_view name, std::string_view rest) { return fmt::format("{}/{}{}", layers, name, rest); }
std::string tree_path(const Layout &store, std::string_view name) {
  return fmt::format("{}/{}/{}/diff", store.path(), layers, name);
}

Result<std::string> this_boot() {
  std::string text = TRY(kernel::read_all(TRY(kernel::open("/proc/sys/kernel/random/boot_id", O_RDONLY)), 64));
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

// A crash may have left any bytes in it: what cannot be read is no record.
std::optional<LayerRecord> parse_record(std::string_view json) {
  std::vector<spec::Finding> findings;
  LayerRecord record;
  const auto document = spec::json::Document::parse(json);
  if (!document || !spec::Reader(findings).document(document->root(), record) || !findings.empty()) return std::nullopt;
  return record;
}

Status write_record(const Fd &directory, const LayerRecord &record) {
  return kernel::replace_file(directory,
                              {.name = record_file, .temporary = record_temporary, .mode = 0600, .synced = false},
                              spec::Writer("").document(record));
}

// A record that has become old enough is made one that outlives a crash. What fails leaves it as it is.
void settle(const Fd &directory, const Fd &file, LayerRecord &record) {
  const Result<struct stat> status = kernel::fstat(file);
  if (!status || ::time(nullptr) - status->st_mtime < settling_seconds) return;
  if (!kernel::syncfs(directory)) return;
  record.settled = true;
  (void)write_record(directory, record);
}

Result<std::optional<LayerRecord>> load_record(const Fd &directory) {
  const Fd file = TRY(kernel::find_at(directory, record_file, O_RDONLY | O_NOFOLLOW));
  if (!file.valid()) return std::nullopt;
  std::optional<LayerRecord> record = parse_record(TRY(kernel::read_all(file, longest_record)));
  if (!record || record->settled) return record;
  if (record->boot != TRY(this_boot())) return std::nullopt;
  settle(directory, file, *record);
  return record;
}

// Set-user-id programs are in there: 0700 whatever the umask says (CVE-2024-25621).
Result<Fd> open_layers(const Layout &store) {
  TRY(kernel::make_directory(store.directory(), layers, 0700));
  Fd directory = TRY(kernel::openat(store.directory(), layers, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if ((TRY(kernel::fstat(directory)).st_mode & 077U) != 0) TRY(kernel::fchmod(directory, 0700));
  return directory;
}

Result<bool> is_at(const Fd &layers_directory, const std::string &name, const Fd &file) {
  const Fd there = TRY(kernel::find_at(layers_directory, name, O_PATH | O_NOFOLLOW));
  if (!there.valid()) return false;
  return TRY(kernel::fstat(there)).st_ino == TRY(kernel::fstat(file)).st_ino;
}

// Prune takes the files of locks away with their layers: the name has to lead to what is locked.
Result<Fd> lock_layer(const Fd &layers_directory, const std::string &name) {
  while (true) {
    Fd lock = TRY(kernel::openat(layers_directory, name + ".lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
    TRY(kernel::flock(lock, LOCK_EX));
    if (TRY(is_at(layers_directory, name + ".lock", lock))) return lock;
  }
}

Result<LayerWork> make_work(const Fd &layers_directory, const std::string &name, Fd lock) {
  TRY(remove_tree(layers_directory, name));
  TRY(remove_tree(layers_directory, name + ".new"));
  TRY(kernel::mkdirat(layers_directory, name + ".new", 0700));
  const Fd directory = TRY(kernel::openat(layers_directory, name + ".new", O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  TRY(kernel::mkdirat(directory, "diff", 0755));
  LayerWork work{.name = name, .lock = std::move(lock), .root = {}};
  work.root = TRY(kernel::openat(directory, "diff", O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  TRY(kernel::fchmod(work.root, 0755));
  return work;
}

std::string mapping_text(const std::vector<spec::IdMapping> &mappings) {
  std::string text;
  for (const spec::IdMapping &each : mappings) {
    text += fmt::format("{}:{}:{},", each.container_id, each.host_id, each.size);
  }
  return text;
}

}  // namespace

Result<std::vector<Digest>> chain_ids(const std::vector<std::string> &diff_ids) {
  std::vector<Digest> chain;
  for (const std::string &text : diff_ids) {
    const Digest diff_id = TRY(in("diff id", Digest::parse(text)));
    chain.push_back(chain.empty()
                        ? diff_id
                        : digest_of(fmt::format("{} {}", chain.back().text(), diff_id.text()), diff_id.algorithm()));
  }
  return chain;
}

std::string layer_name(const Digest &chain_id, const ApplyOptions &options) {
  std::string kind;
  if (options.whiteouts != WhiteoutStyle::overlay) kind += "applied,";
  if (options.rootless) kind += "rootless,";
  if (options.user_xattr) kind += "user-xattr,";
  kind += mapping_text(options.uid_mappings) + (options.gid_mappings.empty() ? "" : "/");
  kind += mapping_text(options.gid_mappings);
  if (kind.empty()) return std::string(chain_id.hex());
  return fmt::format("{}.{}", chain_id.hex(), digest_of(kind).short_hex());
}

Result<std::optional<StoredLayer>> find_layer(const Layout &store, const std::string &name) {
  const Fd directory = TRY(kernel::find_at(store.directory(), path_in(name, ""), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (!directory.valid()) return std::nullopt;
  std::optional<LayerRecord> record = TRY(load_record(directory));
  if (!record) return std::nullopt;
  return StoredLayer{.name = name, .path = tree_path(store, name), .record = std::move(*record)};
}

Result<std::optional<LayerWork>> begin_layer(const Layout &store, const std::string &name) {
  const auto begin = [&]() -> Result<std::optional<LayerWork>> {
    const Fd directory = TRY(open_layers(store));
    Fd lock = TRY(lock_layer(directory, name));
    if (TRY(find_layer(store, name))) return std::nullopt;
    return TRY(make_work(directory, name, std::move(lock)));
  };
  return in(fmt::format("{}: layer {}", store.path(), name), begin());
}

Result<StoredLayer> commit_layer(const Layout &store, LayerWork work, const Digest &chain_id,
                                 const AppliedLayer &applied) {
  const auto commit = [&]() -> Result<StoredLayer> {
    const Fd directory = TRY(open_layers(store));
    const Fd own = TRY(kernel::openat(directory, work.name + ".new", O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    LayerRecord record{.chain_id = chain_id.text(),
                       .diff_id = applied.diff_id.text(),
                       .bytes = applied.bytes,
                       .entries = applied.entries,
                       .boot = TRY(this_boot()),
                       .settled = false};
    TRY(write_record(own, record));
    TRY(kernel::renameat2(directory, work.name + ".new", directory, work.name));
    return StoredLayer{.name = work.name, .path = tree_path(store, work.name), .record = std::move(record)};
  };
  return in(fmt::format("{}: layer {}", store.path(), work.name), commit());
}

Result<std::vector<StoredLayer>> list_layers(const Layout &store) {
  std::vector<StoredLayer> found;
  const Fd directory = TRY(kernel::find_at(store.directory(), layers, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (!directory.valid()) return found;
  for (const std::string &name : TRY(kernel::list_directory(directory))) {
    if (name.ends_with(".lock") || name.ends_with(".new")) continue;
    const Fd own = TRY(kernel::find_at(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if (!own.valid()) continue;
    // One without a record that counts is listed too: prune may take it.
    found.push_back(
        {.name = name, .path = tree_path(store, name), .record = TRY(load_record(own)).value_or(LayerRecord{})});
  }
  std::ranges::sort(found, {}, &StoredLayer::name);
  return found;
}

Status remove_layer(const Layout &store, const std::string &name) {
  const auto remove = [&]() -> Status {
    const Fd directory = TRY(open_layers(store));
    const Fd lock = TRY(lock_layer(directory, name));
    // Out of its name first: a kill in between must not leave a part that looks whole.
    TRY(remove_tree(directory, name + ".new"));
    const Status renamed = kernel::renameat2(directory, name, directory, name + ".new");
    if (!renamed && renamed.error().number != ENOENT) return renamed;
    TRY(remove_tree(directory, name + ".new"));
    return kernel::unlinkat(directory, name + ".lock");
  };
  return in(fmt::format("{}: layer {}", store.path(), name), remove());
}

}  // namespace skiff::image
