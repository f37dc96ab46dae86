// skiff-image: images for any OCI runtime. Parses the command line, opens the log, runs one command, prints its error:
// nothing else prints errors.

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <span>

#include "imgtool/cmd/command.h"
#include "imgtool/output.h"
#include "runtime/cli/usage.h"
#include "runtime/kernel/environment.h"
#include "runtime/kernel/process.h"

namespace skiff::image {
namespace {

constexpr std::array<const CommandEntry *, 34> entries = {
    &images_command,     &list_command,    &ls_command,        &pull_command,        &push_command,
    &copy_command,       &inspect_command, &tag_command,       &rm_command,          &rmi_command,
    &history_command,    &build_command,   &minimal_command,   &save_command,        &load_command,
    &import_command,     &export_command,  &unpack_command,    &repack_command,      &mount_command,
    &umount_command,     &unmount_command, &login_command,     &logout_command,      &search_tags_command,
    &list_tags_command,  &prune_command,   &gc_command,        &df_command,          &verify_command,
    &completion_command, &man_command,     &tree_send_command, &tree_receive_command};

constexpr auto commands = [] {
  std::array<const cli::Command *, entries.size()> all{};
  std::ranges::transform(entries, all.begin(), [](const CommandEntry *entry) { return &entry->command; });
  return all;
}();

constexpr std::array<cli::FlagSpec, 16> global_flags = {{
    {.name = "store",
     .value = "DIR",
     .text = "where images are kept: $SKIFF_STORE, /var/lib/skiff/images, or $XDG_DATA_HOME/skiff/images without "
             "privileges"},
    {.name = "log", .value = "FILE", .text = "append the log to this file, instead of stderr"},
    {.name = "log-format", .value = "FORMAT", .text = "format of the log", .choices = "text|json", .initial = "text"},
    {.name = "debug", .kind = cli::Kind::Bool, .text = "log what is asked and answered"},
    {.name = "quiet", .letter = 'q', .kind = cli::Kind::Bool, .text = "no progress; lists print names or digests only"},
    {.name = "progress",
     .value = "MODE",
     .text = "how progress shows on stderr: bars on a terminal, else lines",
     .choices = "auto|bars|plain|json|none",
     .initial = "auto"},
    {.name = "tls-verify",
     .kind = cli::Kind::Bool,
     .text = "verify the registry's certificate; off: plain HTTP is tried as well",
     .initial = "true"},
    {.name = "cert-dir", .value = "DIR", .text = "ca.crt, client.cert and client.key for the registry"},
    {.name = "authfile", .value = "FILE", .text = "credentials, in place of those that Podman and Docker keep"},
    {.name = "creds", .value = "USER[:PASSWORD]", .text = "credentials for the registry of this command"},
    {.name = "mirror",
     .kind = cli::Kind::Strings,
     .value = "HOST",
     .text = "a registry to pull from first; may be repeated"},
    {.name = "offline", .kind = cli::Kind::Bool, .text = "refuse every connection"},
    {.name = "retries",
     .kind = cli::Kind::Uint32,
     .value = "N",
     .text = "how often a failed request is tried again",
     .initial = "4"},
    {.name = "retry-times", .kind = cli::Kind::Uint32, .value = "N", .text = "skopeo's --retries", .hidden = true},
    {.name = "parallel",
     .kind = cli::Kind::Uint32,
     .value = "N",
     .text = "connections at a time, ranges of one blob included",
     .initial = "6"},
    {.name = "range-size",
     .kind = cli::Kind::Size,
     .value = "BYTES",
     .text = "a larger blob is fetched in ranges of this size at once; 0: never",
     .initial = "16m"},
}};

constexpr cli::Program program = {
    .name = "skiff-image",
    .version = SKIFF_VERSION,
    .summary = "images for OCI runtimes",
    .description =
        "skiff-image pulls, keeps, builds and pushes images, and unpacks them into bundles that any OCI runtime "
        "runs.\n\n"
        "An image is named as a registry names it (alpine, host:5000/team/app:1.2, name@sha256:...), or with the "
        "transport that holds it: docker://NAME, oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], "
        "dir:DIR, tar:FILE and file:DIR (a root filesystem). It exits with 1 where it fails, with 2 where there is no "
        "such image.",
    .flags = global_flags,
    .commands = commands};

Result<std::string> find_store(const cli::Flags &global) {
  if (global.given("store")) return std::string(global.string("store"));
  if (std::string own = kernel::environment_variable("SKIFF_STORE"); !own.empty()) return own;
  if (::geteuid() == 0) return "/var/lib/skiff/images";
  const std::string data = kernel::user_directory("XDG_DATA_HOME", "/.local/share");
  if (!data.empty()) return data + "/skiff/images";
  return fail("$HOME is not set", "name a directory by --store");
}

RegistryOptions registry_options(const cli::Flags &global) {
  RegistryOptions options;
  options.tls_verify = global.boolean("tls-verify");
  options.cert_dir = global.string("cert-dir");
  options.authfile = global.string("authfile");
  options.login = login_of(global.string("creds"));
  options.offline = global.boolean("offline");
  options.retries = *global.uint32(global.given("retry-times") ? "retry-times" : "retries");
  options.parallel = std::max(*global.uint32("parallel"), 1U);
  options.range_size = static_cast<std::uint64_t>(std::max(*global.size("range-size"), std::int64_t{0}));
  for (const std::string_view host : global.strings("mirror")) options.mirrors.emplace_back(host);
  return options;
}

ProgressMode progress_mode(const cli::Flags &global) {
  const std::string_view mode = global.string("progress");
  if (global.boolean("quiet") || mode == "none") return ProgressMode::quiet;
  if (mode == "bars") return ProgressMode::bars;
  if (mode == "plain") return ProgressMode::plain;
  return mode == "json" ? ProgressMode::json : ProgressMode::automatic;
}

Result<int> dispatch(const cli::Invocation &invocation, const cli::Log &log, Interrupts &interrupts) {
  const CommandEntry &entry =
      **std::ranges::find(entries, invocation.command, [](const CommandEntry *one) { return &one->command; });
  const cli::Flags &global = invocation.global;
  const Context context{.program = program,
                        .invocation = invocation,
                        .log = log,
                        .store = TRY(find_store(global)),
                        .registry = registry_options(global),
                        .progress = progress_mode(global),
                        .interrupts = interrupts};
  return entry.run(context);
}

Result<int> run(const cli::Invocation &invocation, const cli::Log &log) {
  const std::unique_ptr<Interrupts> interrupts = TRY(Interrupts::open());
  Result<int> code = dispatch(invocation, log, *interrupts);
  interrupts->wait_if_ending();
  return code;
}

int end_with(const cli::Log &log, const Error &error) {
  cli::report(log, program.name, error);
  return error.number == ENOENT ? 2 : 1;
}

Result<int> show(const cli::Invocation &invocation) {
  if (invocation.version) return print(fmt::format("{} version {}\n", program.name, program.version));
  return print(invocation.command != nullptr ? cli::command_help(program, *invocation.command)
                                             : cli::program_help(program));
}

int main(std::span<const char *const> words) {
  // Every file is made with its own mode.
  (void)kernel::umask(0);
  (void)kernel::ignore_signal(SIGPIPE);
  const Result<cli::Invocation> invocation = cli::parse(program, words.subspan(1));
  if (!invocation) return end_with({}, invocation.error());
  const cli::Flags &global = invocation->global;
  const Result<cli::Log> log =
      cli::open_log(global.string("log"), global.string("log-format"), global.boolean("debug"));
  if (!log) return end_with({}, log.error());
  const bool asks = invocation->version || invocation->help || invocation->command == nullptr;
  const Result<int> code = asks ? show(*invocation) : run(*invocation, *log);
  return code ? *code : end_with(*log, code.error());
}

}  // namespace
}  // namespace skiff::image

int main(int argc, char **argv) {
  return skiff::image::main({const_cast<const char *const *>(argv), static_cast<std::size_t>(argc)});
}
