#include "runtime/checkpoint.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "runtime/cmd/command.h"
#include "runtime/cmd/criu_flags.h"
#include "runtime/create.h"

namespace skiff {
namespace {

using cli::Kind;

constexpr auto flags = [] {
  constexpr std::array<cli::FlagSpec, 6> own = {{
      {.name = "leave-running", .kind = Kind::Bool, .text = "let the container go on"},
      {.name = "pre-dump", .kind = Kind::Bool, .text = "save the memory alone, and let the container go on"},
      {.name = "tcp-skip-in-flight", .kind = Kind::Bool, .text = "leave out TCP connections that are being made"},
      {.name = "link-remap", .kind = Kind::Bool, .text = "give files that were removed while open a name for a while"},
      {.name = "page-server",
       .value = "ADDRESS:PORT",
       .text = "send the memory pages there; with --lazy-pages, offer them there"},
      {.name = "status-fd",
       .kind = Kind::Uint32,
       .value = "N",
       .text = "write a zero byte to this descriptor once the lazy pages are offered"},
  }};
  std::array<cli::FlagSpec, criu_flags.size() + own.size()> all{};
  std::ranges::copy(own, std::ranges::copy(criu_flags, all.begin()).out);
  return all;
}();

Result<CriuPageServer> parse_page_server(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  std::uint32_t port = 0;
  const std::string_view digits = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const bool is_port = !digits.empty() && error == std::errc{} && end == digits.data() + digits.size() && port > 0 &&
                       port <= std::numeric_limits<std::uint16_t>::max();
  if (!is_port || colon == 0) {
    return fail(fmt::format("--page-server: \"{}\" is no ADDRESS:PORT", text), "such as 192.0.2.1:27000");
  }
  std::string_view address = text.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  return CriuPageServer{.address = std::string(address), .port = port};
}

// The caller's, which closes when it has been told.
Result<kernel::Fd> take_status(const cli::Flags &given) {
  const std::optional<std::uint32_t> number = given.uint32("status-fd");
  if (!number) return kernel::Fd();
  const kernel::FdView view(static_cast<int>(*number));
  const int access =
      TRY(in("--status-fd", remedy("it has to be open in the caller", kernel::get_status_flags(view)))) & O_ACCMODE;
  if (access == O_RDONLY) return fail(fmt::format("--status-fd: descriptor {} cannot be written to", *number));
  return kernel::Fd(view.get());
}

Status check_running(const Container &container) {
  const spec::ContainerStatus status = TRY(container.status(TRY(kernel::Procfs::open_host())));
  if (status == spec::ContainerStatus::running || status == spec::ContainerStatus::paused) return {};
  return fail(fmt::format("a {} container cannot be checkpointed", spec::status_name(status)),
              "`skiff start` it first");
}

Result<int> run(const Context &context) {
  const cli::Flags &given = context.flags();
  CheckpointRequest request{.root = context.root,
                            .criu = std::string(context.invocation.global.string("criu")),
                            .image_path = context.flag("image-path"),
                            .work_path = context.flag("work-path"),
                            .parent_path = context.flag("parent-path"),
                            .pre_dump = given.boolean("pre-dump"),
                            .status = TRY(take_status(given)),
                            .options = criu_options(given)};
  request.options.leave_running = given.boolean("leave-running");
  request.options.tcp_skip_in_flight = given.boolean("tcp-skip-in-flight");
  request.options.link_remap = given.boolean("link-remap");
  if (given.given("page-server")) request.options.page_server = TRY(parse_page_server(given.string("page-server")));
  const bool goes_on = request.pre_dump || request.options.leave_running;
  Container container = TRY(Container::load(context.root, context.id()));
  TRY(container.lock_and_reload());
  TRY(check_running(container));
  TRY(checkpoint(container, std::move(request), context.log));
  if (goes_on) return 0;
  // The images are good, whatever becomes of what is left here.
  const Status removed = destroy_container(container, context.log);
  if (!removed) cli::warning(context.log, removed.error().message());
  return 0;
}

}  // namespace

const CommandEntry checkpoint_command = {
    .command = {.name = "checkpoint",
                .usage = "CONTAINER",
                .summary = "save a running container's processes into files and remove it",
                .description =
                    "CRIU does the work, as root. `restore` makes the container again from the files and the same "
                    "bundle, or one like it elsewhere.",
                .flags = flags,
                .min_positionals = 1,
                .max_positionals = 1},
    .run = run};

}  // namespace skiff
