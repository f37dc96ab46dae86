#include <fmt/format.h>
#include <unistd.h>

#include "imgtool/bundle_arriving.h"
#include "imgtool/cmd/command.h"
#include "imgtool/cmd/limits.h"
#include "imgtool/store.h"
#include "imgtool/stored_image.h"
#include "runtime/cli/value.h"

namespace skiff::image {
namespace {

constexpr std::array<cli::FlagSpec, 23> flags = {{
    platform_flag,
    {.name = "pull",
     .value = "WHEN",
     .text = "whether to ask the registry: where the store lacks the image, always, or never",
     .choices = "missing|always|never",
     .initial = "missing"},
    {.name = "overlay",
     .kind = cli::Kind::Bool,
     .text = "unpack each layer once into the store and mount them at BUNDLE/rootfs; changes go to BUNDLE/diff"},
    {.name = "rootfs-only", .kind = cli::Kind::Bool, .text = "BUNDLE becomes the root filesystem, without config.json"},
    {.name = "rootless",
     .kind = cli::Kind::Bool,
     .text = "everything belongs to the caller, who becomes the container's root; what users without privileges get"},
    {.name = "uid-map",
     .kind = cli::Kind::Strings,
     .value = "CONTAINER:HOST[:SIZE]",
     .text = "shift user ids, and map them in a user namespace"},
    {.name = "gid-map",
     .kind = cli::Kind::Strings,
     .value = "CONTAINER:HOST[:SIZE]",
     .text = "the same for group ids; as --uid-map where it is left out"},
    {.name = "entrypoint", .value = "PROGRAM", .text = "in place of the image's entrypoint and command"},
    {.name = "env",
     .letter = 'e',
     .kind = cli::Kind::Strings,
     .value = "NAME=VALUE",
     .text = "an environment variable, over the image's"},
    {.name = "user", .letter = 'u', .value = "USER[:GROUP]", .text = "in place of the image's user"},
    {.name = "workdir", .letter = 'w', .value = "DIR", .text = "in place of the image's working directory"},
    {.name = "hostname", .value = "NAME", .text = "the container's host name"},
    {.name = "tty", .letter = 't', .kind = cli::Kind::Bool, .text = "give the container a terminal"},
    {.name = "read-only", .kind = cli::Kind::Bool, .text = "the container cannot write to its root filesystem"},
    {.name = "network",
     .value = "MODE",
     .text = "a network namespace of its own without a way out, or the host's network",
     .choices = "none|host",
     .initial = "none"},
    {.name = "volumes",
     .value = "STYLE",
     .text = "the image's volumes: empty at every start, directories of the bundle, or no volumes",
     .choices = "tmpfs|bind|none",
     .initial = "tmpfs"},
    {.name = "new-privileges",
     .kind = cli::Kind::Bool,
     .text = "let set-user-id programs work in the container (noNewPrivileges off)"},
    {.name = "keep-dirlinks", .kind = cli::Kind::Bool, .text = "accepted for umoci's callers", .hidden = true},
    {.name = "image", .value = "DIR:TAG", .text = "umoci's way to name the image", .hidden = true},
    max_layer_size_flag,
    max_entries_flag,
    max_path_flag,
    max_ratio_flag,
}};

Result<spec::IdMapping> parse_mapping(const std::string &flag, std::string_view text) {
  std::array<std::uint32_t, 3> numbers = {0, 0, 1};
  std::size_t count = 0;
  bool good = true;
  std::string_view rest = text;
  for (bool more = true; more && good; ++count) {
    const std::string_view part = rest.substr(0, rest.find(':'));
    more = part.size() < rest.size();
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const auto number = cli::parse_number<std::uint32_t>(part);
    good = number && count < numbers.size();
    if (good) numbers.at(count) = *number;
  }
  if (!good || count < 2 || numbers[2] == 0) {
    return fail(fmt::format("--{}: \"{}\" is no mapping", flag, text), "write CONTAINER:HOST:SIZE, as 0:100000:65536");
  }
  return spec::IdMapping{.container_id = numbers[0], .host_id = numbers[1], .size = numbers[2]};
}

Result<std::vector<spec::IdMapping>> parse_mappings(const Context &context, const std::string &flag) {
  std::vector<spec::IdMapping> mappings;
  for (const std::string_view text : context.flags().strings(flag)) {
    mappings.push_back(TRY(parse_mapping(flag, text)));
  }
  return mappings;
}

RuntimeOptions runtime_options(const Context &context, std::size_t first_argument) {
  RuntimeOptions options;
  const cli::Flags &given = context.flags();
  if (given.given("entrypoint")) options.entrypoint = {context.flag("entrypoint")};
  for (std::size_t i = first_argument; i < context.invocation.positionals.size(); ++i) {
    options.args.push_back(context.argument(i));
  }
  for (const std::string_view variable : given.strings("env")) options.env.emplace_back(variable);
  options.user = context.flag("user");
  options.working_dir = context.flag("workdir");
  options.hostname = context.flag("hostname");
  options.terminal = given.boolean("tty");
  options.readonly_root = given.boolean("read-only");
  options.host_network = context.flag("network") == "host";
  options.new_privileges = given.boolean("new-privileges");
  const std::string volumes = context.flag("volumes");
  options.volumes = volumes == "bind" ? VolumeStyle::bind : volumes == "none" ? VolumeStyle::none : VolumeStyle::tmpfs;
  return options;
}

Result<BundleRequest> make_request(const Context &context, const std::string &bundle, std::size_t first_argument) {
  BundleRequest request;
  const cli::Flags &given = context.flags();
  request.path = bundle;
  request.overlay = given.boolean("overlay");
  request.rootfs_only = given.boolean("rootfs-only");
  request.apply.limits = layer_limits(given);
  request.apply.uid_mappings = TRY(parse_mappings(context, "uid-map"));
  request.apply.gid_mappings = TRY(parse_mappings(context, "gid-map"));
  if (request.apply.gid_mappings.empty()) request.apply.gid_mappings = request.apply.uid_mappings;
  if (request.apply.uid_mappings.empty()) request.apply.uid_mappings = request.apply.gid_mappings;
  request.apply.rootless = given.given("rootless") ? given.boolean("rootless") : ::geteuid() != 0;
  if (request.overlay && request.rootfs_only) return fail("--overlay and --rootfs-only contradict each other");
  if (request.apply.rootless && !request.apply.uid_mappings.empty()) {
    return fail("--rootless and --uid-map contradict each other", "only root can give files away");
  }
  if (request.overlay && request.apply.rootless) {
    return fail(EPERM, "--overlay: mounting needs root, or a user namespace", "unpack without --overlay does not");
  }
  request.runtime = runtime_options(context, first_argument);
  request.runtime.uid_mappings = request.apply.uid_mappings;
  request.runtime.gid_mappings = request.apply.gid_mappings;
  request.runtime.shifted_rootfs = !request.apply.uid_mappings.empty();
  request.runtime.rootless = request.apply.rootless;
  return request;
}

Status unpack(const Context &context, const BundleRequest &request, const BundleSource &source, const Layout &store,
              Progress &progress) {
  for (const std::string &warning : TRY(make_bundle(request, source, store, progress, context.interrupts))) {
    cli::warning(context.log, warning);
  }
  return {};
}

// What a layout has already.
Status unpack_there(const Context &context, const BundleRequest &request, const Layout &blobs, const Imported &found,
                    const Layout &store, Progress &progress) {
  const kernel::Fd lock = TRY(blobs.lock_shared());
  const LoadedImage image = TRY(load_image(blobs, TRY(select_manifest(blobs, found.root, TRY(context.platform())))));
  const BundleSource source{.name = found.names.empty() ? "" : found.names.front(),
                            .blobs = blobs,
                            .image = image,
                            .open = layers_of(blobs, image)};
  return unpack(context, request, source, store, progress);
}

Status unpack_arriving(const Context &context, const BundleRequest &request, const ImageName &name, const Layout &store,
                       Progress &progress) {
  Registry registry = TRY(Registry::open(name, context.registry, progress));
  const ArrivingImage image{.registry = registry, .name = name, .platform = TRY(context.platform())};
  for (const std::string &warning : TRY(make_arriving_bundle(request, image, store, progress, context.interrupts))) {
    cli::warning(context.log, warning);
  }
  return {};
}

Status unpack_named(const Context &context, const BundleRequest &request, const Reference &reference,
                    Progress &progress) {
  const Layout store = TRY(open_store(context.store, LayoutAccess::write));
  const std::string when = context.flag("pull");
  const bool registry_meant = reference.transport == Transport::docker;
  if (when != "always") {
    const Result<StoredImage> stored = find_stored(store, reference.name->familiar());
    if (stored) {
      return unpack_there(context, request, store, {.root = stored->root, .names = {stored->name}}, store, progress);
    }
    if (stored.error().number != ENOENT || (when == "never" && !registry_meant)) {
      return std::unexpected(stored.error());
    }
  }
  return unpack_arriving(context, request, *reference.name, store, progress);
}

Result<int> run(const Context &context) {
  // umoci unpack --image DIR:TAG BUNDLE
  const std::string umoci = context.flag("image");
  const std::string image = umoci.empty() ? context.argument(0) : "oci:" + umoci;
  const std::size_t at = umoci.empty() ? 1 : 0;
  if (context.argument(at).empty()) return fail("unpack: requires a BUNDLE", "name the directory to make");
  const BundleRequest request = TRY(make_request(context, context.argument(at), at + 1));
  const Reference reference = TRY(parse_reference(image, Transport::store));
  Progress progress(context.progress);
  if (reference.name && (reference.transport == Transport::store || reference.transport == Transport::docker)) {
    TRY(unpack_named(context, request, reference, progress));
    return 0;
  }
  const Workplace place = context.workplace(progress);
  if (reference.transport == Transport::oci) {
    const Located located = TRY(locate(place, reference, {}));
    // An overlay's layers are the store's, wherever the image is.
    std::optional<Layout> store;
    if (request.overlay) store = TRY(open_store(context.store, LayoutAccess::write));
    TRY(unpack_there(context, request, located.layout(), located.image, store ? *store : located.layout(), progress));
    return 0;
  }
  // Its blobs stay in the store: repack needs those below its new layer.
  const Layout store = TRY(open_store(context.store, LayoutAccess::write));
  const kernel::Fd lock = TRY(store.lock_shared());
  const Selection selection{.all = false, .platform = TRY(context.platform())};
  TRY(unpack_there(context, request, store, TRY(bring(place, reference, store, selection)), store, progress));
  return 0;
}

}  // namespace

const CommandEntry unpack_command = {
    .command = {.name = "unpack",
                .usage = "IMAGE BUNDLE [ARGS...]",
                .summary = "make a bundle of an image: its root filesystem and a config.json to run it",
                .description =
                    "The layers are unpacked while they are downloaded, if the store does not have the image. ARGS "
                    "take the place of the image's command. A BUNDLE that is there already, and not empty, is refused; "
                    "after a failure there is none.",
                .flags = flags,
                .min_positionals = 1,
                .max_positionals = cli::kUnlimited},
    .run = run};

}  // namespace skiff::image
