// The parts of a command that need no privileges, by Google Benchmark.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <fmt/format.h>

#include "runtime/bpf.h"
#include "runtime/kernel/path.h"
#include "runtime/plan.h"
#include "runtime/plan_text.h"
#include "spec/state.h"
#include "tests/bench/documents.h"

namespace skiff::bench {
namespace {

using Make = spec::Config (*)();

void parse_config(benchmark::State &state, Make make) {
  const std::string json = spec::print_config(make(), true);
  for (auto _ : state) benchmark::DoNotOptimize(spec::parse_config(json));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(json.size()));
}
BENCHMARK_CAPTURE(parse_config, default_config, default_config);
BENCHMARK_CAPTURE(parse_config, large_config, large_config);

void check(benchmark::State &state, Make make) {
  const spec::Config config = make();
  for (auto _ : state) benchmark::DoNotOptimize(spec::check(config));
}
BENCHMARK_CAPTURE(check, default_config, default_config);
BENCHMARK_CAPTURE(check, large_config, large_config);

Host make_host() {
  Host host;
  host.cgroups = Host::Cgroups::unified;
  host.hierarchies = {{.mount = "/sys/fs/cgroup", .controllers = {}, .own = "/", .unified = true}};
  return host;
}

PlanOptions make_options() { return {.id = "bench", .bundle = "/srv/bundle", .defer_seccomp = true}; }

void make_plan(benchmark::State &state, Make make) {
  const spec::Config config = make();
  const Host host = make_host();
  const PlanOptions options = make_options();
  for (auto _ : state) {
    const Result<Plan> plan = skiff::make_plan(config, host, options);
    if (!plan) return state.SkipWithError(plan.error().message().c_str());
    benchmark::DoNotOptimize(plan);
  }
}
BENCHMARK_CAPTURE(make_plan, default_config, default_config);
BENCHMARK_CAPTURE(make_plan, large_config, large_config);

void describe_plan(benchmark::State &state, Make make) {
  const Result<Plan> plan = skiff::make_plan(make(), make_host(), make_options());
  if (!plan) return state.SkipWithError(plan.error().message().c_str());
  for (auto _ : state) benchmark::DoNotOptimize(describe(*plan));
}
BENCHMARK_CAPTURE(describe_plan, default_config, default_config);
BENCHMARK_CAPTURE(describe_plan, large_config, large_config);

void make_seccomp_program(benchmark::State &state) {
  const spec::Config config = large_config();
  for (auto _ : state) {
    const Result<SeccompProgram> program = skiff::make_seccomp_program(*config.linux_.seccomp);
    if (!program) return state.SkipWithError(program.error().message().c_str());
    benchmark::DoNotOptimize(program);
  }
}
BENCHMARK(make_seccomp_program);

// What finding a program in the cache costs instead.
void seccomp_cache_key(benchmark::State &state) {
  const spec::Config config = large_config();
  for (auto _ : state) benchmark::DoNotOptimize(skiff::seccomp_cache_key(*config.linux_.seccomp));
}
BENCHMARK(seccomp_cache_key);

spec::Record make_record() {
  spec::Record record;
  record.oci_version = "1.3.0";
  record.id = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
  record.pid = 12345;
  record.start_time = 987654321;
  record.bundle = "/run/containerd/io.containerd.runtime.v2.task/moby/" + record.id;
  record.rootfs = "/var/lib/docker/overlay2/" + record.id + "/merged";
  record.created = "2025-01-02T03:04:05.678901234Z";
  record.ready = true;
  record.cgroup_manager = "cgroupfs";
  record.cgroup_paths = {"/sys/fs/cgroup/docker/" + record.id};
  return record;
}

// What `state` does with the record, but for the process's status.
void parse_record_print_state(benchmark::State &state) {
  const std::string json = spec::print_record(make_record());
  for (auto _ : state) {
    const Result<spec::Record> record = spec::parse_record(json);
    if (!record) return state.SkipWithError(record.error().message().c_str());
    const spec::State shown{.oci_version = record->oci_version,
                            .id = record->id,
                            .pid = record->pid,
                            .status = spec::ContainerStatus::running,
                            .bundle = record->bundle,
                            .rootfs = record->rootfs,
                            .created = record->created,
                            .annotations = record->annotations,
                            .owner = ""};
    benchmark::DoNotOptimize(spec::print_state(shown, true));
  }
}
BENCHMARK(parse_record_print_state);

using OpenPath = Result<kernel::Fd> (*)(kernel::FdView root, kernel::CString path);

// A path of five components: with openat2(2), and as kernels without it have to.
void open_path(benchmark::State &state, OpenPath open_path) {
  const Result<kernel::Fd> root = kernel::open("/", O_PATH | O_DIRECTORY);
  if (!root) return state.SkipWithError(root.error().message().c_str());
  for (auto _ : state) {
    const Result<kernel::Fd> fd = open_path(*root, "/proc/sys/kernel/random/uuid");
    if (!fd) return state.SkipWithError(fd.error().message().c_str());
    benchmark::DoNotOptimize(fd);
  }
}
BENCHMARK_CAPTURE(open_path, open_in_root,
                  [](kernel::FdView root, kernel::CString path) { return kernel::open_in_root(root, path, O_PATH); });
BENCHMARK_CAPTURE(open_path, walk_in_root,
                  [](kernel::FdView root, kernel::CString path) { return kernel::walk_in_root(root, path, O_PATH); });

}  // namespace
}  // namespace skiff::bench
