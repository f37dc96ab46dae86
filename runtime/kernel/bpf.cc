#include "runtime/kernel/bpf.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "runtime/kernel/call.h"

namespace skiff::kernel {
namespace {

// The verifier's words about one program; device rules are small.
constexpr size_t log_bytes = 64 << 10;

long bpf(int command, bpf_attr &attributes) { return ::syscall(SYS_bpf, command, &attributes, sizeof(attributes)); }

uint64_t address(const void *pointer) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bpf_attr holds addresses as numbers.
  return reinterpret_cast<uint64_t>(pointer);
}

bpf_attr make_load(std::span<const bpf_insn> program) {
  bpf_attr load{};
  load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  load.insns = address(program.data());
  load.insn_cnt = static_cast<uint32_t>(program.size());
  // It matters only to programs that call a helper reserved to the GPL; device rules call none.
  load.license = address("");
  return load;
}

// Once more with the log on: it costs the kernel time and us memory, so a good program never asks for it.
[[gnu::cold]] std::unexpected<Error> load_failed(std::span<const bpf_insn> program) {
  std::unexpected<Error> failure =
      call_failed("bpf", {Argument::word("BPF_PROG_LOAD"), Argument::word("BPF_PROG_TYPE_CGROUP_DEVICE"),
                          Argument::word("instructions"), program.size()});
  std::string log(log_bytes, '\0');
  bpf_attr load = make_load(program);
  load.log_buf = address(log.data());
  load.log_size = log_bytes;
  load.log_level = 1;
  const Fd unexpected_success(static_cast<int>(bpf(BPF_PROG_LOAD, load)));
  log.resize(std::min(log.find('\0'), log.size()));
  while (log.ends_with('\n')) log.pop_back();
  if (!log.empty()) failure.error().text += ": " + log;
  return failure;
}

}  // namespace

Result<Fd> load_device_program(std::span<const bpf_insn> program) {
  bpf_attr load = make_load(program);
  // EAGAIN: a signal came while the verifier worked.
  long fd = bpf(BPF_PROG_LOAD, load);
  for (int tries = 0; fd < 0 && errno == EAGAIN && tries < 5; ++tries) fd = bpf(BPF_PROG_LOAD, load);
  if (fd < 0) return load_failed(program);
  return Fd(static_cast<int>(fd));
}

Status attach_device_program(FdView cgroup, FdView program, unsigned flags, FdView replaced) {
  bpf_attr attach{};
  attach.target_fd = static_cast<uint32_t>(cgroup.get());
  attach.attach_bpf_fd = static_cast<uint32_t>(program.get());
  attach.attach_type = BPF_CGROUP_DEVICE;
  attach.attach_flags = flags;
  if (replaced.valid()) {
    attach.attach_flags |= BPF_F_REPLACE;
    attach.replace_bpf_fd = static_cast<uint32_t>(replaced.get());
  }
  if (bpf(BPF_PROG_ATTACH, attach) == 0) return {};
  static constexpr FlagName names[] = {{BPF_F_ALLOW_OVERRIDE, "BPF_F_ALLOW_OVERRIDE"},
                                       {BPF_F_ALLOW_MULTI, "BPF_F_ALLOW_MULTI"},
                                       {BPF_F_REPLACE, "BPF_F_REPLACE"}};
  return call_failed("bpf", {Argument::word("BPF_PROG_ATTACH"), cgroup, Argument::word("BPF_CGROUP_DEVICE"),
                             Argument::flags(attach.attach_flags, names)});
}

Status detach_device_program(FdView cgroup, FdView program) {
  bpf_attr detach{};
  detach.target_fd = static_cast<uint32_t>(cgroup.get());
  detach.attach_bpf_fd = static_cast<uint32_t>(program.get());
  detach.attach_type = BPF_CGROUP_DEVICE;
  if (bpf(BPF_PROG_DETACH, detach) == 0) return {};
  return call_failed("bpf", {Argument::word("BPF_PROG_DETACH"), cgroup, Argument::word("BPF_CGROUP_DEVICE")});
}

Result<std::vector<uint32_t>> query_device_programs(FdView cgroup) {
  // BPF_CGROUP_MAX_PROGS of the kernel.
  std::vector<uint32_t> ids(64);
  bpf_attr query{};
  query.query.target_fd = static_cast<uint32_t>(cgroup.get());
  query.query.attach_type = BPF_CGROUP_DEVICE;
  query.query.prog_ids = address(ids.data());
  query.query.prog_cnt = static_cast<uint32_t>(ids.size());
  if (bpf(BPF_PROG_QUERY, query) != 0) {
    return call_failed("bpf", {Argument::word("BPF_PROG_QUERY"), cgroup, Argument::word("BPF_CGROUP_DEVICE")});
  }
  ids.resize(query.query.prog_cnt);
  return ids;
}

Result<Fd> open_bpf_program(uint32_t id) {
  bpf_attr get{};
  get.prog_id = id;
  const long fd = bpf(BPF_PROG_GET_FD_BY_ID, get);
  if (fd < 0) return call_failed("bpf", {Argument::word("BPF_PROG_GET_FD_BY_ID"), id});
  return Fd(static_cast<int>(fd));
}

}  // namespace skiff::kernel
