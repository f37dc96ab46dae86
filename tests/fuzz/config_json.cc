// config.json, and what `exec --process` and `update --resources` read, through to the plan.
#include "runtime/plan.h"
#include "spec/config.h"
#include "tests/fuzz/target.h"

using skiff::fuzz::require;
namespace spec = skiff::spec;

namespace {

skiff::Host unified_host() {
  skiff::Host host;
  host.cgroups = skiff::Host::Cgroups::unified;
  host.hierarchies = {{.mount = "/sys/fs/cgroup", .controllers = {}, .own = "/", .unified = true}};
  return host;
}

void plan(const spec::Config &config) {
  skiff::PlanOptions options;
  options.id = "a";
  options.bundle = "/bundle";
  (void)make_plan(config, unified_host(), options);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::string_view json = skiff::fuzz::text_of(data, size);
  const spec::Parsed parsed = spec::parse_config(json);
  if (parsed.findings.empty()) {
    const std::string printed = spec::print_config(parsed.config, false);
    const spec::Parsed again = spec::parse_config(printed);
    require(again.findings.empty(), "what is printed can be read");
    require(spec::print_config(again.config, false) == printed, "what is read is what was printed");
    plan(parsed.config);
  }
  (void)spec::parse_process(json);
  (void)spec::parse_resources(json);
  return 0;
}
