#include <fmt/format.h>

#include <cmath>

#include "compose/cmd/containers.h"
#include "compose/events.h"
#include "compose/rootfs_mount.h"
#include "runtime/cli/value.h"
#include "spec/fields_resources.h"
#include "spec/writer.h"

namespace skiff::compose {
namespace {

using cli::Kind;

constexpr auto flags = std::to_array<cli::FlagSpec>({
    {.name = "memory", .letter = 'm', .kind = Kind::Size, .value = "BYTES", .text = "most memory; -1 for no limit"},
    {.name = "memory-swap", .kind = Kind::Size, .value = "BYTES", .text = "memory and swap together; -1 for no limit"},
    {.name = "memory-reservation", .kind = Kind::Size, .value = "BYTES", .text = "memory left alone under pressure"},
    {.name = "cpus", .value = "NUMBER", .text = "processors, as 1.5"},
    {.name = "cpu-shares", .letter = 'c', .kind = Kind::Unsigned, .value = "N", .text = "share of the processors"},
    {.name = "cpu-period", .kind = Kind::Unsigned, .value = "US", .text = "the quota's period in microseconds"},
    {.name = "cpu-quota", .kind = Kind::Integer, .value = "US", .text = "microseconds in each period"},
    {.name = "cpuset-cpus", .value = "LIST", .text = "which processors, as 0-3,7"},
    {.name = "cpuset-mems", .value = "LIST", .text = "which memory nodes"},
    {.name = "pids-limit", .kind = Kind::Integer, .value = "N", .text = "most processes; -1 for no limit"},
    {.name = "blkio-weight", .kind = Kind::Uint32, .value = "N", .text = "block I/O weight, 10 to 1000"},
    {.name = "restart", .value = "POLICY", .text = "no, always, unless-stopped, on-failure[:TIMES]"},
});

Result<spec::Resources> changed(const Context &context, spec::Resources resources) {
  const cli::Flags &given = context.flags();
  spec::Memory memory = resources.memory.value_or(spec::Memory());
  if (given.given("memory")) memory.limit = given.size("memory");
  if (given.given("memory-swap")) memory.swap = given.size("memory-swap");
  if (given.given("memory-reservation")) memory.reservation = given.size("memory-reservation");
  spec::Cpu cpu = resources.cpu.value_or(spec::Cpu());
  if (given.given("cpu-shares")) cpu.shares = given.unsigned64("cpu-shares");
  if (given.given("cpu-period")) cpu.period = given.unsigned64("cpu-period");
  if (given.given("cpu-quota")) cpu.quota = given.integer("cpu-quota");
  if (given.given("cpuset-cpus")) cpu.cpus = given.string("cpuset-cpus");
  if (given.given("cpuset-mems")) cpu.mems = given.string("cpuset-mems");
  if (given.given("cpus")) {
    const std::string text = context.flag("cpus");
    char *end = nullptr;
    const double cores = std::strtod(text.c_str(), &end);
    if (*end != '\0' || !(cores > 0) || cores > 100000) {
      return fail(fmt::format("--cpus: \"{}\" is no number of processors", text), "as 0.5 or 2");
    }
    cpu.period = 100000;
    cpu.quota = std::llround(cores * 100000);
  }
  resources.memory = memory;
  resources.cpu = cpu;
  if (given.given("pids-limit")) resources.pids = spec::Pids{.limit = given.integer("pids-limit")};
  if (given.given("blkio-weight")) {
    if (!resources.block_io) resources.block_io.emplace();
    resources.block_io->weight = static_cast<std::uint16_t>(given.uint32("blkio-weight").value_or(0));
  }
  return resources;
}

Result<Restart> parse_restart(const std::string &text) {
  Restart restart;
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::string policy = text.substr(0, colon);
  if (policy == "always") {
    restart.policy = Restart::Policy::always;
  } else if (policy == "unless-stopped") {
    restart.policy = Restart::Policy::unless_stopped;
  } else if (policy == "on-failure") {
    restart.policy = Restart::Policy::on_failure;
    if (colon < text.size()) restart.max_retries = cli::parse_number<std::uint32_t>(text.substr(colon + 1));
    if (colon < text.size() && !restart.max_retries) return fail(fmt::format("--restart: \"{}\" is no policy", text));
  } else if (policy != "no") {
    return fail(fmt::format("--restart: \"{}\" is no policy", text), "no, always, unless-stopped, on-failure[:TIMES]");
  }
  return restart;
}

// The runtime first: what it refuses is not written down.
Status update(const Context &context, const Engine &engine, const std::string &id) {
  const kernel::Fd lock = TRY(lock_container(engine.places, id));
  Container container = TRY(load_container(engine.places, id));
  const std::string path = bundle_of(engine.places, id) + "/config.json";
  spec::Parsed parsed = spec::parse_config(TRY(read_if_there(path)));
  if (!parsed.findings.empty()) return std::unexpected(spec::findings_error(path, parsed.findings));
  spec::Config &config = parsed.config;
  config.linux_.resources = TRY(changed(context, config.linux_.resources.value_or(spec::Resources())));
  if (container.state.is_running()) {
    spec::Resources wanted = *config.linux_.resources;
    // Rules of devices are for a container's beginning.
    wanted.devices.clear();
    TRY(call_program(engine.run_runtime({"update", "--resources", "-", id}), spec::Writer("").document(wanted)));
  }
  if (context.flags().given("restart")) {
    container.record.restart = TRY(in("update", parse_restart(context.flag("restart"))));
    TRY(save_record(engine.places, container.record));
  }
  TRY(replace_file(path, spec::print_config(config, true) + "\n"));
  record_event(engine.places, container.record, "update");
  return {};
}

Result<int> run(const Context &context) {
  return for_each_container(context,
                            [&](const Engine &engine, const std::string &id) { return update(context, engine, id); });
}

}  // namespace

const CommandEntry update_command = {.command = {.name = "update",
                                                 .usage = "CONTAINER...",
                                                 .summary = "change the limits of containers, running or not",
                                                 .flags = flags,
                                                 .min_positionals = 1,
                                                 .max_positionals = cli::kUnlimited,
                                                 .joined_values = true},
                                     .run = run};

}  // namespace skiff::compose
