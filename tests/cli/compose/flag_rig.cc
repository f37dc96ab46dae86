#include "tests/cli/compose/flag_rig.h"

#include <filesystem>

#include "compose/run_flag_table.h"
#include "compose/run_flags.h"
#include "runtime/kernel/fd.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

constexpr cli::Command run_command{.name = "run",
                                   .flags = compose::run_flags,
                                   .min_positionals = 1,
                                   .max_positionals = cli::kUnlimited,
                                   .stop_at_first_positional = true,
                                   .joined_values = true};
constexpr std::array<const cli::Command *, 1> commands = {&run_command};
constexpr cli::Program program_table{.name = "p", .commands = commands};

Result<compose::Service> service_of(const std::vector<std::string> &words) {
  std::vector<const char *> all = {"run"};
  for (const std::string &word : words) all.push_back(word.c_str());
  const cli::Invocation invocation = TRY(cli::parse(program_table, all));
  const std::vector<std::string_view> &rest = invocation.positionals;
  return compose::service_of_flags(invocation.flags, rest.front(), std::span(rest).subspan(1));
}

// As the engine does: a directory a volume.
void make_volumes(const Rig &rig, const compose::Service &service, compose::LowerContext &context) {
  for (const compose::Mount &mount : service.mounts) {
    if (mount.kind != compose::Mount::Kind::volume) continue;
    const std::string path = rig.path("volume-" + (mount.source.empty() ? "anonymous" : mount.source));
    fs::create_directories(path);
    context.volumes.push_back({.target = mount.target, .path = path, .read_only = false});
  }
}

Result<spec::Config> lower(const FlagRig &flag_rig, const Rig &rig, const std::vector<std::string> &words) {
  const compose::Service service = TRY(service_of(words));
  compose::LowerContext context = flag_rig.context;
  make_volumes(rig, service, context);
  const kernel::Fd rootfs = TRY(kernel::open(rig.rootfs(), O_PATH | O_DIRECTORY));
  context.rootfs = rootfs;
  context.host = &flag_rig.host;
  context.image = &flag_rig.image;
  context.id_maps = TRY(compose::make_id_maps(service, flag_rig.host, {}));
  spec::Config config = spec::make_container_config();
  TRY(compose::lower_service(service, context, config));
  // Of its own name, so that the rig removes it.
  if (service.cgroup_parent.empty() && !config.linux_.cgroups_path.empty()) config.linux_.cgroups_path = rig.cgroup();
  return config;
}

}  // namespace

FlagRig::FlagRig() {
  context.init_program = SKIFF_INIT_PROGRAM;
  context.id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  if (Result<compose::HostFacts> facts = compose::read_host_facts()) host = *std::move(facts);
}

std::string FlagRig::directory(const std::string &name) const {
  fs::create_directories(path(name));
  return path(name);
}

Outcome FlagRig::run(const std::vector<std::string> &flags, const std::string &script) {
  return run_words(flags, {"sh", "-c", script});
}

Outcome FlagRig::run_words(const std::vector<std::string> &flags, const std::vector<std::string> &words) {
  std::vector<std::string> all = flags;
  all.emplace_back("image");
  all.insert(all.end(), words.begin(), words.end());
  const Result<spec::Config> config = lower(*this, rig_, all);
  if (!config) return {.code = 2, .out = "", .err = config.error().message()};
  rig_.config = Json::parse(spec::print_config(*config, false));
  return rig_.skiff({"run", rig_.id()});
}

::testing::AssertionResult prints(const Outcome &outcome, const std::string &text) {
  if (outcome.out == text) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "wanted: " << text << "printed: " << outcome.out << "exit code "
                                       << outcome.code << ", error output: " << outcome.err;
}

}  // namespace skiff::rig
