#include "runtime/cgroup_writes.h"

#include <algorithm>

namespace skiff {

CgroupWrite &CgroupWrites::add(std::string_view controller, std::string_view field, std::string_view file,
                               std::string value) {
  const auto found = std::ranges::find_if(directories_, [&](const CgroupDirectory &directory) {
    return std::ranges::find(directory.controllers, controller) != directory.controllers.end() ||
           (directory.unified && directories_.size() == 1);
  });
  if (found == directories_.end()) {
    refuse(field, fmt::format("no cgroup hierarchy with the controller \"{}\" is mounted", controller),
           fmt::format("leave the limit out, or mount a hierarchy with \"{}\" below /sys/fs/cgroup", controller));
    return nowhere_;
  }
  writes_.push_back({.field = fmt::format("linux.resources.{}", field),
                     .hierarchy = static_cast<std::size_t>(found - directories_.begin()),
                     .file = std::string(file),
                     .value = std::move(value),
                     .fallbacks = {},
                     .ignore_missing = false,
                     .interdependent = false,
                     .keep_first_word = false,
                     .usage = {}});
  return writes_.back();
}

void CgroupWrites::refuse(std::string_view field, std::string_view text, std::string_view remedy) {
  if (status_) status_ = fail(fmt::format("linux.resources.{}: {}", field, text), std::string(remedy));
}

Result<std::vector<CgroupWrite>> CgroupWrites::take() && {
  if (!status_) return std::unexpected(std::move(status_).error());
  return std::move(writes_);
}

std::string number_or_max(std::int64_t value) { return value < 0 ? std::string("max") : fmt::to_string(value); }

std::string print_pids_limit(std::int64_t limit) { return limit == 0 ? std::string("1") : number_or_max(limit); }

void add_rdma(const spec::Resources &resources, CgroupWrites &out) {
  for (const auto &[device, limits] : resources.rdma) {
    std::string line = device;
    if (limits.hca_handles) line += fmt::format(" hca_handle={}", *limits.hca_handles);
    if (limits.hca_objects) line += fmt::format(" hca_object={}", *limits.hca_objects);
    out.add("rdma", fmt::format("rdma.{}", device), "rdma.max", std::move(line));
  }
}

void add_cpuset(const spec::Cpu &cpu, CgroupWrites &out) {
  if (!cpu.cpus.empty()) out.add("cpuset", "cpu.cpus", "cpuset.cpus", cpu.cpus);
  if (!cpu.mems.empty()) out.add("cpuset", "cpu.mems", "cpuset.mems", cpu.mems);
}

void add_hugepages(const std::vector<spec::HugepageLimit> &limits, std::string_view suffix, CgroupWrites &out) {
  for (std::size_t i = 0; i < limits.size(); ++i) {
    const std::string field = fmt::format("hugepageLimits[{}]", i);
    const std::string value = fmt::to_string(limits[i].limit);
    out.add("hugetlb", field, fmt::format("hugetlb.{}.{}", limits[i].page_size, suffix), value);
    // Reservations are counted by themselves since Linux 5.7; before, the limit on use is all there is.
    out.add("hugetlb", field, fmt::format("hugetlb.{}.rsvd.{}", limits[i].page_size, suffix), value).ignore_missing =
        true;
  }
}

Result<std::vector<CgroupWrite>> make_cgroup_writes(const spec::Resources &resources,
                                                    const std::vector<CgroupDirectory> &directories, bool unified) {
  CgroupWrites out(directories);
  if (unified) {
    add_writes_v2(resources, out);
  } else {
    add_writes_v1(resources, out);
  }
  return std::move(out).take();
}

// The kernel has neither any more (Linux 5.11, 6.1).
std::vector<std::string> list_resources_left_out(const spec::Resources &resources) {
  std::vector<std::string> out;
  if (!resources.memory) return out;
  constexpr std::string_view text = "linux.resources.memory.{}: there is no such limit any more";
  if (resources.memory->kernel) out.push_back(fmt::format(text, "kernel"));
  if (resources.memory->kernel_tcp) out.push_back(fmt::format(text, "kernelTCP"));
  return out;
}

}  // namespace skiff
