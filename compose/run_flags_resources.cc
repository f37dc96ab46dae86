#include <algorithm>
#include <array>
#include <charconv>

#include "compose/run_flags_parts.h"
#include "compose/split.h"
#include "runtime/cli/value.h"

namespace skiff::compose {
namespace {

using spec::quote;

// docker: 0 is not said.
std::optional<std::int64_t> limit_of(const cli::Flags &flags, std::string_view name) {
  const std::optional<std::int64_t> size = flags.size(name);
  return size == 0 ? std::nullopt : size;
}

template <class Number>
Status check_range(std::string_view name, const std::optional<Number> &number, std::int64_t least, std::int64_t most) {
  if (!number || (std::cmp_greater_equal(*number, least) && std::cmp_less_equal(*number, most))) return {};
  return fail(fmt::format("--{}: {} is not from {} to {}", name, *number, least, most));
}

Status take_memory(const cli::Flags &flags, Resources &resources) {
  resources.memory = limit_of(flags, "memory");
  resources.memory_swap = limit_of(flags, "memory-swap");
  resources.memory_reservation = limit_of(flags, "memory-reservation");
  const auto swappiness = flags.integer("memory-swappiness");
  TRY(check_range("memory-swappiness", swappiness, -1, 100));
  if (swappiness && *swappiness >= 0) resources.memory_swappiness = static_cast<std::uint8_t>(*swappiness);
  resources.oom_kill_disable = flags.boolean("oom-kill-disable");
  const auto score = flags.integer("oom-score-adj");
  TRY(check_range("oom-score-adj", score, -1000, 1000));
  if (score) resources.oom_score_adj = static_cast<std::int32_t>(*score);
  return {};
}

Status take_cpu(const cli::Flags &flags, Resources &resources) {
  if (const std::string_view text = flags.string("cpus"); !text.empty()) {
    double cores = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cores, std::chars_format::fixed);
    if (error != std::errc{} || end != text.data() + text.size() || cores < 0) {
      return fail(fmt::format("--cpus: {} is no number of cores", quote(text)), "write a number such as 1.5");
    }
    if (cores > 0) resources.cpus = cores;
  }
  resources.cpu_shares = flags.unsigned64("cpu-shares");
  if (resources.cpu_shares == 0U) resources.cpu_shares.reset();
  resources.cpu_weight = flags.unsigned64("cpu-weight");
  TRY(check_range("cpu-weight", resources.cpu_weight, 1, 10000));
  resources.cpu_quota = flags.integer("cpu-quota");
  resources.cpu_period = flags.unsigned64("cpu-period");
  resources.cpuset_cpus = flags.string("cpuset-cpus");
  resources.cpuset_mems = flags.string("cpuset-mems");
  return {};
}

Result<ThrottleDevice> parse_rate(std::string_view text, bool bytes) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !text.starts_with('/')) {
    return fail("it is not DEVICE:RATE", "as /dev/sda:10m");
  }
  const std::string_view number = text.substr(colon + 1);
  const auto rate = bytes ? cli::parse_size(number) : cli::parse_number<std::int64_t>(number);
  if (!rate || *rate < 0) return fail(fmt::format("{} is no rate", quote(number)));
  return ThrottleDevice{.path = std::string(text.substr(0, colon)), .rate = static_cast<std::uint64_t>(*rate)};
}

Status take_io(const cli::Flags &flags, BlockIo &io) {
  for (const char *name : {"io-weight", "blkio-weight"}) {
    const auto weight = flags.uint32(name);
    if (!weight || *weight == 0) continue;
    TRY(check_range(name, weight, 10, 1000));
    io.weight = static_cast<std::uint16_t>(*weight);
  }
  const auto rates = [&](std::string_view name, std::vector<ThrottleDevice> &into, bool bytes) {
    return each_value(flags, name, [&](std::string_view value) -> Status {
      into.push_back(TRY(parse_rate(value, bytes)));
      return {};
    });
  };
  TRY(rates("blkio-weight-device", io.weight_device, false));
  for (const ThrottleDevice &device : io.weight_device) {
    TRY(check_range("blkio-weight-device", std::optional(device.rate), 10, 1000));
  }
  TRY(rates("device-read-bps", io.read_bps, true));
  TRY(rates("device-write-bps", io.write_bps, true));
  TRY(rates("device-read-iops", io.read_iops, false));
  return rates("device-write-iops", io.write_iops, false);
}

std::optional<std::uint64_t> parse_limit(std::string_view text) {
  if (text == "-1" || text == "unlimited") return ~std::uint64_t{0};
  return cli::parse_number<std::uint64_t>(text);
}

Status take_ulimit(Service &service, std::string_view text) {
  constexpr std::array<std::string_view, 16> names = {"as",      "core",   "cpu",        "data",   "fsize", "locks",
                                                      "memlock", "nice",   "msgqueue",   "nofile", "nproc", "rss",
                                                      "rtprio",  "rttime", "sigpending", "stack"};
  const auto [name, limits] = split_once(text, '=');
  if (!spec::find_name(names, name)) {
    return fail(fmt::format("{} is no limit", quote(name)), spec::suggest_name(names, name));
  }
  const auto [soft_text, hard_text] = split_once(limits.value_or(""), ':');
  const auto soft = parse_limit(soft_text);
  const auto hard = hard_text ? parse_limit(*hard_text) : soft;
  if (!soft || !hard) return fail("it is not NAME=SOFT[:HARD]", "as nofile=1024:2048; -1 is no limit");
  if (*soft > *hard) return fail(fmt::format("the soft limit {} is above the hard limit {}", soft_text, *hard_text));
  std::erase_if(service.ulimits, [&](const Ulimit &known) { return known.name == name; });
  service.ulimits.push_back({.name = std::string(name), .soft = *soft, .hard = *hard});
  return {};
}

}  // namespace

Status take_resource_flags(const cli::Flags &flags, Service &service) {
  TRY(take_memory(flags, service.resources));
  TRY(take_cpu(flags, service.resources));
  TRY(take_io(flags, service.resources.block_io));
  if (const auto pids = flags.integer("pids-limit")) service.resources.pids = *pids > 0 ? *pids : -1;
  TRY(each_value(flags, "ulimit", [&](std::string_view value) { return take_ulimit(service, value); }));
  TRY(each_value(flags, "sysctl", [&](std::string_view value) -> Status {
    const auto [name, setting] = split_once(value, '=');
    if (name.empty() || !setting) return fail("it is not NAME=VALUE", "as net.core.somaxconn=1024");
    service.sysctls.insert_or_assign(std::string(name), std::string(*setting));
    return {};
  }));
  service.cgroup_parent = flags.string("cgroup-parent");
  return {};
}

}  // namespace skiff::compose
