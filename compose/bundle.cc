#include "compose/bundle.h"

#include <fmt/format.h>

#include <algorithm>

#include "compose/archive_source.h"
#include "compose/bundle_record.h"
#include "compose/contains.h"
#include "compose/interpolate.h"
#include "compose/project_images.h"
#include "compose/secrets.h"
#include "compose/value_text.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

using kernel::Fd;

// Written with this mode: ours may be masked.
Status write_file(const std::string &path, std::string_view text, mode_t mode) {
  TRY(kernel::make_parents(path, 0755));
  const Fd file = TRY(kernel::open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  TRY(in(path, kernel::write_all(file, text)));
  return kernel::fchmod(file, mode);
}

bool names_seccomp(const Value &option) {
  return option.text.starts_with("seccomp=") || option.text.starts_with("seccomp:");
}

class Bundler {
 public:
  Bundler(const Engine &engine, const Project &project, const BundleRequest &request, std::string stage)
      : engine_(engine), project_(project), request_(request), stage_(std::move(stage)) {}

  Result<MadeBundle> make() {
    made_.record.project = project_.name;
    Value canonical = project_.canonical;
    TRY(add_images(canonical));
    TRY(add_sources(canonical, "secrets"));
    TRY(add_sources(canonical, "configs"));
    TRY(add_binds(canonical));
    TRY(add_seccomp(canonical));
    escape_dollars(canonical);
    TRY(write_file(inside("compose.yaml"), print_yaml(canonical), 0644));
    TRY(finish());
    return std::move(made_);
  }

 private:
  [[nodiscard]] std::string inside(const std::string &path) const {
    return fmt::format("{}/{}/{}", stage_, bundled_project, path);
  }

  Status add_images(Value &canonical);
  Result<std::string> image_source(const Service &service, std::string &name);
  Status add_image(const std::string &source, const std::string &name);
  Status add_sources(Value &canonical, const char *kind);
  Status add_source(Value &entry, const FileSource &source, const char *kind);
  Result<std::string> content_of(const FileSource &source) const;
  Status add_binds(Value &canonical);
  Status add_bind(Value &mount, const std::string &service);
  Status add_seccomp(Value &canonical);
  Status copy_in(const std::string &source, const std::string &relative);
  Status finish();

  const Engine &engine_;
  const Project &project_;
  const BundleRequest &request_;
  std::string stage_;
  MadeBundle made_;
};

// Where skiff-image finds it, and what it is called from now on.
Result<std::string> Bundler::image_source(const Service &service, std::string &name) {
  name = image_name(project_, service);
  if (name.empty()) {
    return fail(fmt::format("service {}: a root filesystem without an image cannot be bundled", service.name),
                fmt::format("make an image of it: skiff-image import file:{} NAME", service.rootfs));
  }
  if (is_archive_source(name)) {
    name = TRY(store_archive(engine_, name));
    return name;
  }
  if (!has_transport(name)) return name;
  std::string source = std::move(name);
  name = fmt::format("localhost/skiff-bundle/{}-{}:latest", project_.name, service.name);
  return source;
}

Status Bundler::add_image(const std::string &source, const std::string &name) {
  if (contains(made_.record.images, name, &BundledImage::name)) return {};
  BundledImage image{.name = name, .tag = fmt::format("image-{}", made_.record.images.size()), .digest = {}};
  image.digest = TRY(call_program(
      engine_.run_image({"--progress", "none", "copy", source, fmt::format("oci:{}:{}", stage_, image.tag)})));
  while (image.digest.ends_with('\n')) image.digest.pop_back();
  made_.record.images.push_back(std::move(image));
  return {};
}

Status Bundler::add_images(Value &canonical) {
  std::vector<const Service *> services;
  for (const Service &service : project_.services) services.push_back(&service);
  std::ranges::sort(services, {}, [](const Service *service) { return service->name; });
  ImageRequest wanted;
  wanted.quiet = request_.quiet;
  (void)TRY(make_images(engine_, project_, services, wanted));
  Value *all = canonical.find("services");
  for (const Service *service : services) {
    std::string name;
    const std::string source = TRY(image_source(*service, name));
    TRY(in(fmt::format("service {}", service->name), add_image(source, name)));
    Value *written = all == nullptr ? nullptr : all->find(service->name);
    if (written == nullptr) continue;
    written->get("image") = Value::of_string(name);
    // Nothing is built, pulled or watched where it comes to.
    for (const char *key : {"build", "pull_policy", "develop"}) written->remove(key);
  }
  return {};
}

Result<std::string> Bundler::content_of(const FileSource &source) const {
  if (!source.environment.empty()) return variable_of(project_, source);
  const Fd file = TRY(kernel::open(source.file, O_RDONLY));
  if (!S_ISREG(TRY(kernel::fstat(file)).st_mode)) return fail(EINVAL, source.file, "only a file can be bundled");
  return in(source.file, kernel::read_all(file, std::size_t{64} << 20U));
}

Status Bundler::add_source(Value &entry, const FileSource &source, const char *kind) {
  const bool secret = std::string_view(kind) == "secrets";
  if (source.external || source.content) return {};
  const std::string path = fmt::format("{}/{}", kind, source.key);
  if (secret && !request_.with_secrets) {
    made_.record.missing.push_back(path);
  } else {
    TRY(write_file(inside(path), TRY(content_of(source)), secret ? 0600 : 0644));
  }
  entry.remove("environment");
  entry.get("file") = Value::of_string("./" + path);
  return {};
}

Status Bundler::add_sources(Value &canonical, const char *kind) {
  Value *all = canonical.find(kind);
  if (all == nullptr) return {};
  const bool secret = std::string_view(kind) == "secrets";
  for (const FileSource &source : secret ? project_.secrets : project_.configs) {
    Value *entry = all->find(source.key);
    if (entry != nullptr) TRY(in(fmt::format("{}.{}", kind, source.key), add_source(*entry, source, kind)));
  }
  return {};
}

// A tree of ours, over the same pipe as cp's.
Status Bundler::copy_in(const std::string &source, const std::string &relative) {
  const std::string target = inside(relative);
  TRY(kernel::make_parents(target, 0755));
  const std::size_t slash = source.rfind('/');
  const Fd from = TRY(kernel::open(source.substr(0, slash + 1), O_RDONLY | O_DIRECTORY));
  const Fd to = TRY(kernel::open(target.substr(0, target.rfind('/')), O_RDONLY | O_DIRECTORY));
  kernel::Pipe pipe = TRY(kernel::pipe2());
  const std::string name = source.substr(slash + 1);
  kernel::Child reader = TRY(start_program(engine_.run_image({"tree-send", "--", name}),
                                           {.in = from, .out = pipe.write, .err = kernel::FdView(2)}));
  kernel::Child writer =
      TRY(start_program(engine_.run_image({"tree-receive"}), {.in = pipe.read, .out = to, .err = kernel::FdView(2)}));
  pipe = {};
  const int written = TRY(writer.wait()).shell_code();
  const int read = TRY(reader.wait()).shell_code();
  return written == 0 && read == 0 ? Status() : fail(source + " could not be copied");
}

// Files, and directories that containers only read, where they lie below the project's folder. What containers write is
// no part of it.
Status Bundler::add_bind(Value &mount, const std::string &service) {
  const Value *type = mount.find("type");
  Value *source = mount.find("source");
  if (type == nullptr || type->text != "bind" || source == nullptr) return {};
  const std::string path = source->text;
  const std::string folder = project_.directory + "/";
  if (!path.starts_with(folder)) {
    made_.notes.push_back(fmt::format("service {}: {} is this host's and not in the bundle", service, path));
    return {};
  }
  const std::string relative = path.substr(folder.size());
  source->text = "./" + relative;
  const Result<struct stat> about = kernel::fstatat(kernel::cwd, path);
  if (!about) return {};
  const Value *read_only = mount.find("read_only");
  const bool reads = read_only != nullptr && read_only->text == "true";
  if (!S_ISREG(about->st_mode) && !(S_ISDIR(about->st_mode) && reads)) {
    made_.notes.push_back(fmt::format("service {}: {} stays empty: containers write into it", service, path));
    return {};
  }
  if (kernel::faccessat(kernel::cwd, inside(relative), F_OK, AT_SYMLINK_NOFOLLOW)) return {};
  return copy_in(path, relative);
}

Status Bundler::add_binds(Value &canonical) {
  Value *services = canonical.find("services");
  if (services == nullptr) return {};
  for (Member &service : services->members) {
    Value *mounts = service.value.find("volumes");
    if (mounts == nullptr) continue;
    for (Value &mount : mounts->items) TRY(add_bind(mount, service.key));
  }
  return {};
}

// A profile of seccomp that is a file, wherever it lies: `security_opt` or x-skiff names the copy.
Status Bundler::add_seccomp(Value &canonical) {
  Value *services = canonical.find("services");
  for (const Service &service : project_.services) {
    if (!service.seccomp.starts_with('/')) continue;
    Value *written = services == nullptr ? nullptr : services->find(service.name);
    if (written == nullptr) continue;
    const std::string path = fmt::format("seccomp/{}.json", service.name);
    const Fd file = TRY(in(fmt::format("service {}", service.name), kernel::open(service.seccomp, O_RDONLY)));
    TRY(write_file(inside(path), TRY(in(service.seccomp, kernel::read_all(file, std::size_t{16} << 20U))), 0644));
    Value *options = written->find("security_opt");
    if (options != nullptr) std::erase_if(options->items, names_seccomp);
    written->get("x-skiff").get("seccomp") = Value::of_string("./" + path);
  }
  return {};
}

Status Bundler::finish() {
  // skiff-image's own, of no meaning to others.
  const Fd from = TRY(kernel::open(stage_, O_RDONLY | O_DIRECTORY));
  for (const char *name : {"lock", "index.lock", "blobs/partial"}) TRY(kernel::remove_tree_at(from, name));
  const Fd project = TRY(kernel::open(fmt::format("{}/{}", stage_, bundled_project), O_RDONLY | O_DIRECTORY));
  for (auto &[path, digest] : TRY(digest_files(project))) made_.record.files.push_back({path, digest});
  std::ranges::sort(made_.record.missing);
  TRY(write_file(fmt::format("{}/{}", stage_, bundle_record_name), print_bundle_record(made_.record), 0644));
  const std::string fresh = stage_ + ".tar";
  const Fd to = TRY(kernel::open(fresh, O_WRONLY | O_CREAT | O_EXCL, request_.with_secrets ? 0600 : 0644));
  const auto write = [&]() -> Status {
    kernel::Child sender = TRY(start_program(engine_.run_image({"tree-send", "--reproducible", "--", "."}),
                                             {.in = from, .out = to, .err = kernel::FdView(2)}));
    if (TRY(sender.wait()).shell_code() != 0) return fail(request_.output + " could not be written");
    TRY(in(request_.output, kernel::fsync(to)));
    made_.digest = TRY(digest_file(kernel::cwd, fresh));
    return kernel::renameat2(kernel::cwd, fresh, kernel::cwd, request_.output);
  };
  Status written = write();
  if (!written) (void)kernel::unlinkat(kernel::cwd, fresh);
  return written;
}

}  // namespace

Result<MadeBundle> make_bundle(const Engine &engine, const Project &project, const BundleRequest &request) {
  const StageDirectory stage = TRY(StageDirectory::make_beside(request.output));
  return Bundler(engine, project, request, stage.path()).make();
}

}  // namespace skiff::compose
