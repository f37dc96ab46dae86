// linux.resources as writes into the files of cgroup v1 or v2: what cgroup_plan.cc and its two halves share. Pure.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "runtime/cgroup_plan.h"

namespace skiff {

// Collects writes; the first thing that cannot be written is the error.
class CgroupWrites {
 public:
  explicit CgroupWrites(const std::vector<CgroupDirectory> &directories) : directories_(directories) {}

  // A write into the directory that has this controller (v1) or the unified one (v2). The reference is good until the
  // next call; what the caller adds to it after a failure goes nowhere.
  CgroupWrite &add(std::string_view controller, std::string_view field, std::string_view file, std::string value);
  // What this host's cgroups cannot express: "linux.resources.FIELD: TEXT; REMEDY".
  void refuse(std::string_view field, std::string_view text, std::string_view remedy);

  [[nodiscard]] Result<std::vector<CgroupWrite>> take() &&;

 private:
  const std::vector<CgroupDirectory> &directories_;
  std::vector<CgroupWrite> writes_;
  CgroupWrite nowhere_;
  Status status_;
};

void add_writes_v1(const spec::Resources &resources, CgroupWrites &out);
void add_writes_v2(const spec::Resources &resources, CgroupWrites &out);

// "max" for -1.
[[nodiscard]] std::string number_or_max(std::int64_t value);
// pids.limit: -1 is "max". 0 is written as 1: no limit is lower than the one process that init is, and clone3 into a
// cgroup with 0 would fail.
[[nodiscard]] std::string print_pids_limit(std::int64_t limit);
// True where the field is there and asks for something: 0 has meant "leave it" since the first callers.
template <class T>
[[nodiscard]] bool asked(const std::optional<T> &field) {
  return field && *field != T{};
}
void add_rdma(const spec::Resources &resources, CgroupWrites &out);
void add_cpuset(const spec::Cpu &cpu, CgroupWrites &out);
// `suffix` is what the version calls a limit: limit_in_bytes on v1, max on v2.
void add_hugepages(const std::vector<spec::HugepageLimit> &limits, std::string_view suffix, CgroupWrites &out);

}  // namespace skiff
