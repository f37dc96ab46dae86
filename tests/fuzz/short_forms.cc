// The short forms of compose.yaml and of `run`'s flags, env files, seccomp profiles and CDI specifications.
#include "compose/cdi.h"
#include "compose/detach_keys.h"
#include "compose/dotenv.h"
#include "compose/env_file.h"
#include "compose/mount_form.h"
#include "compose/port_form.h"
#include "compose/scalars.h"
#include "compose/seccomp_profile.h"
#include "tests/fuzz/target.h"

namespace compose = skiff::compose;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::string_view text = skiff::fuzz::text_of(data, size);
  (void)compose::parse_volume(text, "/project");
  (void)compose::parse_mount(text, "/project");
  (void)compose::parse_tmpfs(text);
  if (const auto ports = compose::parse_ports(text)) skiff::fuzz::require(!ports->empty(), "ports are some");
  (void)compose::parse_exposed(text);
  (void)compose::parse_duration(text);
  (void)compose::parse_integer(text, true);
  (void)compose::parse_port_range(text);
  (void)compose::parse_detach_keys(text);
  (void)compose::parse_env_file(text, "fuzz.env");
  const compose::Source source{.path = "fuzz.env", .text = std::string(text)};
  compose::Findings findings;
  (void)compose::parse_dotenv(source, [](const std::string &) { return std::nullopt; }, findings);
  (void)compose::parse_raw_env(source, findings);
  (void)compose::parse_cdi_spec(text, "fuzz.json");
  static const compose::SeccompContext context = compose::seccomp_context({"CAP_CHOWN"});
  (void)compose::parse_seccomp_profile(text, "fuzz.json", context);
  return 0;
}
