#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "runtime/bundle.h"
#include "runtime/cgroup_file.h"
#include "runtime/cgroup_unit.h"
#include "runtime/cmd/command.h"
#include "runtime/container.h"
#include "runtime/create.h"
#include "runtime/host_probe.h"
#include "runtime/intel_rdt.h"
#include "runtime/plan_intel_rdt.h"

namespace skiff {
namespace {

using cli::Kind;

constexpr std::array<cli::FlagSpec, 20> flags = {{
    {.name = "resources",
     .letter = 'r',
     .value = "FILE",
     .text = "take linux.resources from this JSON file, - for stdin"},
    {.name = "blkio-weight", .kind = Kind::Uint32, .value = "WEIGHT", .text = "block I/O weight, 10 to 1000"},
    {.name = "cpu-period", .kind = Kind::Unsigned, .value = "US", .text = "CPU period in microseconds"},
    {.name = "cpu-quota",
     .kind = Kind::Integer,
     .value = "US",
     .text = "CPU time in each period in microseconds, -1 for no limit"},
    {.name = "cpu-burst", .kind = Kind::Unsigned, .value = "US", .text = "CPU time beyond the quota in microseconds"},
    {.name = "cpu-share", .kind = Kind::Unsigned, .value = "SHARES", .text = "CPU shares"},
    {.name = "cpu-rt-period", .kind = Kind::Unsigned, .value = "US", .text = "realtime period in microseconds"},
    {.name = "cpu-rt-runtime",
     .kind = Kind::Integer,
     .value = "US",
     .text = "realtime time in each period in microseconds"},
    {.name = "cpuset-cpus", .value = "LIST", .text = "processors to use, such as 0-3,7"},
    {.name = "cpuset-mems", .value = "LIST", .text = "memory nodes to use"},
    {.name = "cpu-idle", .kind = Kind::Integer, .value = "0|1", .text = "run only when nothing else would"},
    {.name = "memory", .kind = Kind::Size, .value = "BYTES", .text = "memory limit, -1 for none"},
    {.name = "memory-reservation",
     .kind = Kind::Size,
     .value = "BYTES",
     .text = "memory that is left alone under pressure"},
    {.name = "memory-swap", .kind = Kind::Size, .value = "BYTES", .text = "memory and swap together, -1 for no limit"},
    {.name = "pids-limit", .kind = Kind::Integer, .value = "N", .text = "most processes, -1 for no limit"},
    {.name = "l3-cache-schema", .value = "SCHEMA", .text = "L3 cache schema of Intel RDT, such as L3:0=7f0"},
    {.name = "mem-bw-schema", .value = "SCHEMA", .text = "memory bandwidth schema of Intel RDT, such as MB:0=20"},
    {.name = "kernel-memory",
     .kind = Kind::Size,
     .text = "accepted for runc's callers, without effect",
     .hidden = true},
    {.name = "kernel-memory-tcp",
     .kind = Kind::Size,
     .text = "accepted for runc's callers, without effect",
     .hidden = true},
    {.name = "no-subreaper", .kind = Kind::Bool, .text = "accepted for runc's callers", .hidden = true},
}};

Result<spec::Resources> read_resources(const std::string &path) {
  spec::ParsedResources parsed = spec::parse_resources(TRY(in("--resources", read_document(path))));
  const std::vector<spec::Finding> findings = spec::check(parsed);
  if (!findings.empty()) return std::unexpected(spec::findings_error("--resources", findings));
  return std::move(parsed.resources);
}

template <class T>
T &section(std::optional<T> &optional) {
  return optional ? *optional : optional.emplace();
}

spec::Resources resources_of(const cli::Flags &given) {
  spec::Resources resources;
  const auto any = [&](std::initializer_list<std::string_view> names) {
    return std::ranges::any_of(names, [&](std::string_view name) { return given.given(name); });
  };
  if (any({"memory", "memory-reservation", "memory-swap"})) {
    spec::Memory &memory = section(resources.memory);
    memory.limit = given.size("memory");
    memory.reservation = given.size("memory-reservation");
    memory.swap = given.size("memory-swap");
  }
  if (any({"cpu-period", "cpu-quota", "cpu-burst", "cpu-share", "cpu-rt-period", "cpu-rt-runtime", "cpuset-cpus",
           "cpuset-mems", "cpu-idle"})) {
    spec::Cpu &cpu = section(resources.cpu);
    cpu.period = given.unsigned64("cpu-period");
    cpu.quota = given.integer("cpu-quota");
    cpu.burst = given.unsigned64("cpu-burst");
    cpu.shares = given.unsigned64("cpu-share");
    cpu.realtime_period = given.unsigned64("cpu-rt-period");
    cpu.realtime_runtime = given.integer("cpu-rt-runtime");
    cpu.cpus = given.string("cpuset-cpus");
    cpu.mems = given.string("cpuset-mems");
    cpu.idle = given.integer("cpu-idle");
  }
  if (given.given("pids-limit")) section(resources.pids).limit = given.integer("pids-limit");
  if (given.given("blkio-weight")) {
    section(resources.block_io).weight = static_cast<std::uint16_t>(*given.uint32("blkio-weight"));
  }
  return resources;
}

Status update_intel_rdt(const Container &container, const cli::Flags &given) {
  spec::IntelRdt rdt;
  rdt.l3_cache_schema = given.string("l3-cache-schema");
  rdt.mem_bw_schema = given.string("mem-bw-schema");
  const std::vector<std::string> schemata = named_schemata(rdt);
  if (schemata.empty()) return {};
  if (container.record.intel_rdt_path.empty()) {
    return fail("--l3-cache-schema, --mem-bw-schema: the container was created without linux.intelRdt",
                "create it with one: a class of service is joined by the first process");
  }
  return write_schemata(container.record, schemata);
}

// v2 limits swap alone: for a limit of both without one of memory, the one that memory has counts.
Status complete_swap(const Cgroup &cgroup, bool unified, spec::Resources &resources) {
  if (!unified || !resources.memory || resources.memory->swap.value_or(0) <= 0 || resources.memory->limit) return {};
  const Cgroup::Level *level = cgroup.find_file("memory.max", true);
  if (level == nullptr) return {};
  const std::uint64_t limit = TRY(read_cgroup_number(level->fd, "memory.max"));
  if (limit <= std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    resources.memory->limit = static_cast<std::int64_t>(limit);
  }
  return {};
}

Result<int> run(const Context &context) {
  Container container = TRY(Container::load(context.root, context.id()));
  TRY(container.lock_and_reload());
  const kernel::Procfs proc = TRY(kernel::Procfs::open_host());
  if (TRY(container.process_status(proc)) == spec::ContainerStatus::stopped) return fail("container not running");
  const std::string file = context.flag("resources");
  spec::Resources resources = file.empty() ? resources_of(context.flags()) : TRY(read_resources(file));
  const std::vector<spec::Finding> findings = spec::check(resources, "");
  if (!findings.empty()) return std::unexpected(spec::findings_error("the resources", findings));
  const Host host = TRY(read_host());
  const Cgroup cgroup = TRY(Cgroup::open(container.record.cgroup_paths));
  if (cgroup.paths().empty()) {
    return fail("the container has no cgroup to limit", "run it where this user may make one: in a delegated cgroup");
  }
  const bool unified = host.cgroups == Host::Cgroups::unified;
  TRY(complete_swap(cgroup, unified, resources));
  log_left_out(resources, context.log);
  TRY(update_limits(container.record, resources, host, context.log));
  TRY(update_intel_rdt(container, context.flags()));
  return 0;
}

}  // namespace

const CommandEntry update_command = {.command = {.name = "update",
                                                 .usage = "CONTAINER",
                                                 .summary = "change the resource limits of a container",
                                                 .flags = flags,
                                                 .min_positionals = 1,
                                                 .max_positionals = 1},
                                     .run = run};

}  // namespace skiff
