#include <fmt/format.h>

#include "imgtool/cmd/command.h"
#include "imgtool/fetch.h"
#include "imgtool/output.h"
#include "imgtool/stored_image.h"
#include "spec/fields_image.h"
#include "spec/media_types.h"
#include "spec/writer.h"

namespace skiff::image {
namespace {

constexpr std::array<cli::FlagSpec, 5> flags = {{
    platform_flag,
    {.name = "config", .kind = cli::Kind::Bool, .text = "the image's configuration"},
    {.name = "raw",
     .kind = cli::Kind::Bool,
     .text = "the manifest or index, with --config the configuration, as it is"},
    {.name = "no-tags", .letter = 'n', .kind = cli::Kind::Bool, .text = "do not ask the registry for its tags"},
    {.name = "format",
     .letter = 'f',
     .value = "WHAT",
     .text = "one of them alone",
     .choices = "digest|json",
     .initial = "json"},
}};

struct LayerData {
  std::string media_type;
  std::string digest;
  std::int64_t size = 0;
  spec::StringMap annotations;
};

void fields(spec::Writer &v, const LayerData &layer) {
  v.always("MIMEType", layer.media_type);
  v.always("Digest", layer.digest);
  v.always("Size", layer.size);
  v.optional("Annotations", layer.annotations);
}

// skopeo's members, so that what reads its answer reads ours, and then what a container starts with.
struct Summary {
  std::string name;
  std::string digest;
  std::vector<std::string> tags;
  const LoadedImage *image = nullptr;
};

void fields(spec::Writer &v, const Summary &summary) {
  const spec::ImageConfig &config = summary.image->config;
  std::vector<std::string> layers;
  std::vector<LayerData> data;
  for (const spec::Descriptor &layer : summary.image->manifest.layers) {
    layers.push_back(layer.digest);
    data.push_back(
        {.media_type = layer.media_type, .digest = layer.digest, .size = layer.size, .annotations = layer.annotations});
  }
  v.optional("Name", summary.name);
  v.always("Digest", summary.digest);
  v.always("RepoTags", summary.tags);
  v.always("Created", config.created);
  v.always("Labels", config.config.labels);
  v.always("Architecture", config.architecture);
  v.optional("Variant", config.variant);
  v.always("Os", config.os);
  v.always("Layers", layers);
  v.always("LayersData", data);
  v.always("Env", config.config.env);
  v.optional("Entrypoint", config.config.entrypoint.value_or(std::vector<std::string>{}));
  v.optional("Cmd", config.config.cmd.value_or(std::vector<std::string>{}));
  v.optional("User", config.config.user);
  v.optional("WorkingDir", config.config.working_dir);
  v.optional("StopSignal", config.config.stop_signal);
}

// The documents and the configuration, and where they are.
struct Looked {
  std::unique_ptr<Staging> staging;
  std::optional<Located> located;
  spec::Descriptor root;
  std::string name;
  std::vector<std::string> tags;

  [[nodiscard]] const Layout &layout() const { return staging ? staging->layout : located->layout(); }
};

// From a registry no layer comes.
Result<Looked> look_at_registry(const Context &context, const ImageName &name, Progress &progress) {
  Looked looked;
  Registry registry = TRY(Registry::open(name, context.registry, progress));
  const bool raw = context.flags().boolean("raw") && !context.flags().boolean("config");
  if (raw || context.flag("format") == "digest") {
    std::optional<FetchedManifest> manifest = TRY(registry.get_manifest(name.selector()));
    if (!manifest) return fail(ENOENT, name.familiar() + ": no such image", "the tag or the name is wrong");
    TRY(print(raw ? manifest->bytes : manifest->digest.text() + "\n"));
    return looked;
  }
  looked.staging = TRY(make_staging(context.interrupts));
  const Selection selection{.all = false, .platform = TRY(context.platform())};
  const RemoteImage remote = TRY(look_up(registry, name, selection));
  Fetch configs = TRY(Fetch::begin(looked.staging->layout, remote.configs, progress));
  TRY(configs.run(registry));
  TRY(keep_documents(remote, looked.staging->layout));
  looked.root = remote.root;
  looked.name = name.registry + "/" + name.repository;
  if (!context.flags().boolean("no-tags")) looked.tags = TRY(registry.list_tags());
  return looked;
}

Result<int> run(const Context &context) {
  const Reference reference = TRY(parse_reference(context.argument(0), Transport::store));
  Progress progress(ProgressMode::quiet);
  Looked looked;
  if (reference.transport == Transport::docker) {
    looked = TRY(look_at_registry(context, *reference.name, progress));
    if (!looked.staging) return 0;
  } else {
    const Selection selection{.all = true};
    looked.located = TRY(locate(context.workplace(progress), reference, selection));
    looked.root = looked.located->image.root;
    if (reference.name) looked.name = reference.name->registry + "/" + reference.name->repository;
    looked.tags = looked.located->image.names;
  }
  const bool config = context.flags().boolean("config");
  const bool raw = context.flags().boolean("raw");
  if (context.flag("format") == "digest") return print(looked.root.digest + "\n");
  if (raw && !config) return print(TRY(load_document(looked.layout(), looked.root)).bytes);
  const spec::Descriptor manifest = TRY(select_manifest(looked.layout(), looked.root, TRY(context.platform())));
  const LoadedImage image = TRY(load_image(looked.layout(), manifest));
  if (config && raw) return print(image.config_bytes);
  if (config) return print(spec::Writer("    ").document(image.config) + "\n");
  const Summary summary{.name = looked.name, .digest = looked.root.digest, .tags = looked.tags, .image = &image};
  return print(spec::Writer("    ").document(summary) + "\n");
}

}  // namespace

const CommandEntry inspect_command = {
    .command = {.name = "inspect",
                .usage = "IMAGE",
                .summary = "show what an image is; of a registry's no layer is fetched",
                .flags = flags,
                .min_positionals = 1,
                .max_positionals = 1},
    .run = run};

}  // namespace skiff::image
