// The parts of lower_service, one a file. Each puts its fields of the service into the configuration.
#pragma once

#include <string_view>

#include "compose/lower.h"

namespace skiff::compose {

[[nodiscard]] Status lower_namespaces(const Service &service, const LowerContext &context, spec::Config &config);
[[nodiscard]] Status lower_process(const Service &service, const LowerContext &context, spec::Config &config);
[[nodiscard]] Status lower_resources(const Service &service, const LowerContext &context, spec::Config &config);
[[nodiscard]] Status lower_devices(const Service &service, const LowerContext &context, spec::Config &config);
[[nodiscard]] Status lower_cdi(const Service &service, const LowerContext &context, spec::Config &config);
[[nodiscard]] Status lower_mounts(const Service &service, const LowerContext &context, spec::Config &config);
[[nodiscard]] Status lower_capabilities(const Service &service, const LowerContext &context, spec::Config &config);
// Counts on the capabilities.
[[nodiscard]] Status lower_security(const Service &service, const LowerContext &context, spec::Config &config);

[[nodiscard]] inline bool joins(std::string_view mode) {
  return mode.starts_with("container:") || mode.starts_with("service:");
}

// Adds it, or gives the one that is there this path.
void set_namespace(spec::Linux &linux_, spec::NamespaceType type, std::string path);
void remove_namespace(spec::Linux &linux_, spec::NamespaceType type);

// The container's own user namespace, or another's that it joins.
[[nodiscard]] inline bool has_user_namespace(const LowerContext &context) {
  return !context.id_maps.uids.empty() || !context.namespaces.user.empty();
}

// "c", "b" or "p", and the number; ENODEV for what is none.
[[nodiscard]] Result<spec::Device> read_device(const std::string &path);

// Where no device can be made, in a user namespace, one under another name than the host's is a bind of it.
[[nodiscard]] inline bool is_bound(const LowerContext &context, const std::string &host_path, const std::string &path) {
  return has_user_namespace(context) && !host_path.empty() && host_path != path;
}
void bind_device(spec::Config &config, const std::string &host_path, const std::string &path);

}  // namespace skiff::compose
