// What a service may use: memory, processors, processes, block devices, limits of the process.
#include <fmt/format.h>

#include <limits>

#include "compose/decode_service.h"
#include "compose/scalars.h"

namespace skiff::compose {
namespace {

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

template <class Number>
std::optional<Number> narrow(std::optional<std::int64_t> number) {
  return number ? std::optional(static_cast<Number>(*number)) : std::nullopt;
}

// The same limit can be said twice, as `mem_limit` and in `deploy`: only if both say the same.
template <class T>
std::optional<T> one_of(const Fields &service, std::string_view key, std::optional<T> mine, std::string_view deployed,
                        std::optional<T> theirs) {
  if (mine && theirs && *mine != *theirs) {
    service.error(service.find(key)->at, "limit-twice",
                  fmt::format("{}: {} and deploy.resources.{} differ", service.path(), key, deployed),
                  "keep one of them");
  }
  return mine ? mine : theirs;
}

void decode_memory(const Fields &service, Resources &into) {
  const Fields deploy = service.sub("deploy").sub("resources");
  into.memory = one_of(service, "mem_limit", service.bytes("mem_limit", true), "limits.memory",
                       deploy.sub("limits").bytes("memory"));
  into.memory_reservation = one_of(service, "mem_reservation", service.bytes("mem_reservation"), "reservations.memory",
                                   deploy.sub("reservations").bytes("memory"));
  into.memory_swap = service.bytes("memswap_limit", true);
  into.memory_swappiness = narrow<std::uint8_t>(service.integer("mem_swappiness", 0, 100));
  into.oom_kill_disable = service.boolean("oom_kill_disable");
  into.oom_score_adj = narrow<std::int32_t>(service.integer("oom_score_adj", -1000, 1000));
}

void decode_processors(const Fields &service, Resources &into) {
  const Fields limits = service.sub("deploy").sub("resources").sub("limits");
  into.cpus = one_of(service, "cpus", service.number("cpus"), "limits.cpus", limits.number("cpus"));
  into.cpu_shares = narrow<std::uint64_t>(service.integer("cpu_shares", 0, most));
  into.cpu_quota = service.integer("cpu_quota", -1, most);
  into.cpu_period = narrow<std::uint64_t>(service.integer("cpu_period", 0, most));
  into.cpu_weight = narrow<std::uint64_t>(service.sub("x-skiff").integer("cpu_weight", 1, 10000));
  into.cpuset_cpus = service.text("cpuset");
  into.pids = one_of(service, "pids_limit", service.integer("pids_limit", -1, most), "limits.pids",
                     limits.integer("pids", -1, most));
}

std::vector<ThrottleDevice> decode_throttles(const Fields &blkio, std::string_view key, bool weight) {
  std::vector<ThrottleDevice> devices;
  const Value *list = blkio.find(key);
  if (list == nullptr) return devices;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const Fields fields = blkio.entry(list->items[i], key, i);
    const std::optional<std::int64_t> rate = weight ? fields.integer("weight", 0, 1000) : fields.bytes("rate");
    devices.push_back({.path = fields.text("path"), .rate = static_cast<std::uint64_t>(rate.value_or(0))});
  }
  return devices;
}

void decode_block_io(const Fields &blkio, BlockIo &into) {
  into.weight = narrow<std::uint16_t>(blkio.integer("weight", 0, 1000));
  into.weight_device = decode_throttles(blkio, "weight_device", true);
  into.read_bps = decode_throttles(blkio, "device_read_bps", false);
  into.write_bps = decode_throttles(blkio, "device_write_bps", false);
  into.read_iops = decode_throttles(blkio, "device_read_iops", false);
  into.write_iops = decode_throttles(blkio, "device_write_iops", false);
}

// -1 is no limit.
std::uint64_t limit_of(std::optional<std::int64_t> number) {
  if (!number) return 0;
  return *number < 0 ? std::numeric_limits<std::uint64_t>::max() : static_cast<std::uint64_t>(*number);
}

void decode_ulimits(const Fields &service, Service &into) {
  const Value *all = service.find("ulimits");
  if (all == nullptr) return;
  const Fields fields = service.sub("ulimits");
  for (const Member &member : all->members) {
    Ulimit limit{.name = member.key};
    if (member.value.kind == Value::Kind::map) {
      const Fields both = fields.sub(member.key);
      limit.soft = limit_of(both.integer("soft", -1, most));
      limit.hard = limit_of(both.integer("hard", -1, most));
    } else {
      limit.soft = limit.hard = limit_of(fields.integer(member.key, -1, most));
    }
    if (limit.soft > limit.hard) {
      service.error(member.at, "ulimit", fmt::format("{}.{}: soft is above hard", fields.path(), member.key));
    }
    into.ulimits.push_back(std::move(limit));
  }
}

}  // namespace

void decode_resources(const Fields &service, Service &into) {
  decode_memory(service, into.resources);
  decode_processors(service, into.resources);
  decode_block_io(service.sub("blkio_config"), into.resources.block_io);
  decode_ulimits(service, into);
  into.shm_size = narrow<std::uint64_t>(service.bytes("shm_size"));
}

}  // namespace skiff::compose
