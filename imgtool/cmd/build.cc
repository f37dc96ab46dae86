#include "imgtool/build.h"

#include <fmt/format.h>

#include "imgtool/build_plan.h"
#include "imgtool/cmd/command.h"
#include "imgtool/output.h"
#include "imgtool/store.h"
#include "imgtool/stored_image.h"
#include "runtime/kernel/path.h"
#include "spec/media_types.h"
#include "spec/names.h"

namespace skiff::image {
namespace {

constexpr std::size_t largest_file = 16U << 20U;

constexpr std::array<cli::FlagSpec, 15> flags = {{
    {.name = "tag",
     .letter = 't',
     .kind = cli::Kind::Strings,
     .value = "NAME",
     .text = "name the image in the store; may be repeated"},
    {.name = "file", .letter = 'f', .value = "FILE", .text = "the Dockerfile; - is stdin (default CONTEXT/Dockerfile)"},
    {.name = "build-arg",
     .kind = cli::Kind::Strings,
     .value = "NAME[=VALUE]",
     .text = "the value of an ARG; without one, of the environment"},
    {.name = "target", .value = "STAGE", .text = "build this stage and what it needs"},
    {.name = "label", .kind = cli::Kind::Strings, .value = "NAME=VALUE", .text = "a label of the image"},
    platform_flag,
    {.name = "no-cache", .kind = cli::Kind::Bool, .text = "carry out every instruction"},
    {.name = "pull",
     .value = "WHEN",
     .text = "whether to ask the registry for the images of FROM: missing, where the store lacks them; always; never",
     .initial = "missing",
     .alone = "always"},
    {.name = "network", .value = "MODE", .text = "of RUN", .choices = "host|none|default", .initial = "host"},
    {.name = "compression", .value = "FORMAT", .text = "of new layers", .choices = "gzip|zstd|none", .initial = "gzip"},
    {.name = "runtime",
     .value = "PROGRAM",
     .text = "the OCI runtime of RUN (default skiff, beside this program or on $PATH)"},
    {.name = "iidfile", .value = "FILE", .text = "write the image's id, the digest of its configuration"},
    {.name = "force-rm", .kind = cli::Kind::Bool, .text = "Docker's; nothing is ever left", .hidden = true},
    {.name = "rm", .kind = cli::Kind::Bool, .text = "Docker's; nothing is ever left", .hidden = true},
    {.name = "layers", .kind = cli::Kind::Bool, .text = "Buildah's; a layer an instruction", .hidden = true},
}};

Result<std::string> read_text(const kernel::Fd &file, const std::string &place) {
  if (!S_ISREG(TRY(kernel::fstat(file)).st_mode)) return fail(EINVAL, place, "it is no regular file");
  return in(place, kernel::read_all(file, largest_file));
}

struct Written {
  std::string place;  // for errors
  std::string text;
};

// A Dockerfile named by a flag is of the host; the one of the context is inside it, as all that is copied.
Result<Written> read_dockerfile(const std::string &flag, const std::string &context, kernel::FdView directory) {
  if (flag == "-") return Written{"stdin", TRY(kernel::read_all(kernel::FdView(0), largest_file))};
  if (!flag.empty()) {
    const kernel::Fd file = TRY(kernel::open(flag, O_RDONLY | O_NONBLOCK));
    return Written{flag, TRY(read_text(file, flag))};
  }
  for (const char *name : {"Dockerfile", "Containerfile"}) {
    const kernel::Fd file = TRY(kernel::find_in_root(directory, name, O_RDONLY | O_NONBLOCK));
    const std::string place = fmt::format("{}/{}", context, name);
    if (file.valid()) return Written{place, TRY(read_text(file, place))};
  }
  return fail(ENOENT, context + "/Dockerfile", "name it by --file");
}

// FILE.dockerignore beside the Dockerfile counts before the context's own.
Result<spec::IgnoreFile> read_ignore(const std::string &flag, const std::string &context, kernel::FdView directory) {
  if (!flag.empty() && flag != "-") {
    const std::string beside = flag + ".dockerignore";
    const kernel::Fd file = TRY(kernel::find_at(kernel::cwd, beside, O_RDONLY | O_NONBLOCK));
    if (file.valid()) return in(beside, spec::IgnoreFile::parse(TRY(read_text(file, beside))));
  }
  for (const char *name : {"Dockerfile.dockerignore", ".dockerignore", ".containerignore"}) {
    if (!flag.empty() && std::string_view(name).starts_with("Dockerfile")) continue;
    const kernel::Fd file = TRY(kernel::find_in_root(directory, name, O_RDONLY | O_NONBLOCK));
    const std::string place = fmt::format("{}/{}", context, name);
    if (file.valid()) return in(place, spec::IgnoreFile::parse(TRY(read_text(file, place))));
  }
  return spec::IgnoreFile();
}

void add_platform(Arguments &arguments, std::string_view prefix, const spec::Platform &platform) {
  const auto set = [&](std::string_view name, const std::string &value) {
    arguments[fmt::format("{}{}", prefix, name)] = value;
  };
  set("PLATFORM", platform_text(platform));
  set("OS", platform.os);
  set("ARCH", platform.architecture);
  set("VARIANT", platform.variant);
}

BuildRequest make_request(const Context &context, const PlatformRequest &platform) {
  BuildRequest request;
  for (const std::string_view text : context.flags().strings("build-arg")) {
    const std::string name(text.substr(0, text.find('=')));
    const char *value = std::getenv(name.c_str());
    if (text.find('=') != std::string_view::npos) {
      request.arguments[name] = text.substr(text.find('=') + 1);
    } else if (value != nullptr) {
      request.arguments[name] = value;
    }
  }
  request.target = context.flag("target");
  add_platform(request.predefined, "TARGET", platform.accepted.front());
  add_platform(request.predefined, "BUILD", build_platform().accepted.front());
  return request;
}

Result<BuildPlan> plan_of(const std::string &text, const BuildRequest &request) {
  return make_build_plan(TRY(parse_dockerfile(text)), request);
}

// "FILE:3: ..." of "line 3: ...", as compilers say it.
template <class T>
Result<T> at_file(const std::string &file, Result<T> result) {
  constexpr std::string_view prefix = "line ";
  if (result) return result;
  std::string &text = result.error().text;
  text = text.starts_with(prefix) ? fmt::format("{}:{}", file, text.substr(prefix.size()))
                                  : fmt::format("{}: {}", file, text);
  return result;
}

Result<std::vector<ImageName>> parse_tags(const Context &context) {
  std::vector<ImageName> names;
  for (const std::string_view text : context.flags().strings("tag")) {
    names.push_back(TRY(in("--tag", parse_image_name(text))));
    if (names.back().digest.valid()) return fail(fmt::format("--tag {}: a digest is no name to give", text));
  }
  return names;
}

// Docker's flag is a bool, Podman's has these words.
Result<PullPolicy> parse_pull(std::string_view when) {
  if (when == "missing" || when == "false") return PullPolicy::missing;
  if (when == "always" || when == "true") return PullPolicy::always;
  if (when == "never") return PullPolicy::never;
  return fail(fmt::format("build: --pull={}", when), "missing, always or never");
}

Status write_id(const std::string &path, const std::string &id) {
  if (path.empty()) return {};
  const kernel::Fd file = TRY(kernel::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  return in("--iidfile", kernel::write_all(file, id));
}

Result<int> run(const Context &context) {
  const std::string directory = context.argument(0);
  const std::vector<ImageName> names = TRY(parse_tags(context));
  const kernel::Fd opened = TRY(kernel::open(directory, O_RDONLY | O_DIRECTORY));
  const Written written = TRY(read_dockerfile(context.flag("file"), directory, opened));
  BuildOptions options{.file = written.place, .context = opened};
  options.ignore = TRY(read_ignore(context.flag("file"), directory, opened));
  options.runtime = context.flag("runtime");
  for (const std::string_view label : context.flags().strings("label")) options.labels.emplace_back(label);
  options.compression = spec::compression_of_name(context.flags().string("compression"));
  options.cache = !context.flags().boolean("no-cache");
  options.pull = TRY(parse_pull(context.flag("pull")));
  options.host_network = context.flags().string("network") != "none";
  options.quiet = context.quiet();
  if (context.flags().given("platform")) options.platform = TRY(context.platform());
  const BuildRequest request = make_request(context, options.platform.value_or(build_platform()));
  const BuildPlan plan = TRY(at_file(written.place, plan_of(written.text, request)));
  for (const std::string &warning : plan.warnings)
    cli::warning(context.log, fmt::format("{}: {}", written.place, warning));
  const Layout store = TRY(open_store(context.store, LayoutAccess::write));
  Progress progress(context.progress);
  const Workplace place = context.workplace(progress);
  const spec::Descriptor manifest = TRY(build_image(place, store, plan, options));
  const LoadedImage image = TRY(load_image(store, manifest));
  if (names.empty()) TRY(store.set_name("", manifest));
  for (const ImageName &name : names) TRY(store.set_name(name.text(), manifest));
  TRY(write_id(context.flag("iidfile"), image.manifest.config.digest));
  return print(fmt::format("{}\n", context.quiet() ? image.manifest.config.digest : manifest.digest));
}

}  // namespace

const CommandEntry build_command = {
    .command = {.name = "build",
                .usage = "CONTEXT",
                .summary = "build an image from a Dockerfile",
                .description =
                    "CONTEXT is the directory that COPY and ADD read from; nothing outside of it is read, whatever "
                    "links are in it. .dockerignore leaves files out. RUN is carried out by an OCI runtime, as root, "
                    "in the network of the host.\n\n"
                    "What an instruction came to is kept and taken again where all that it depends on is the same: "
                    "the layers before it, its words and variables, the files that it copies. With SOURCE_DATE_EPOCH "
                    "set the same files give the same image, byte for byte.\n\n"
                    "Not supported: RUN --mount, ADD of addresses, ONBUILD (ignored with a warning).",
                .flags = flags,
                .min_positionals = 1,
                .max_positionals = 1},
    .run = run};

}  // namespace skiff::image
