#include "spec/state.h"

#include "spec/json.h"
#include "spec/reader.h"
#include "spec/writer.h"

namespace skiff::spec {

namespace {

constexpr std::array<std::string_view, 5> status_names = {"creating", "created", "running", "paused", "stopped"};

// runtime.md, "State", as a hook reads it: without what this runtime adds.
struct HookState {
  const State *state;
};

// config-linux.md, "The Container Process State".
struct ContainerProcessState {
  const State *state;
  int pid;
  const std::string *metadata;
};

}  // namespace

constexpr std::span<const std::string_view> names_of(ContainerStatus /*type*/) { return status_names; }

void fields(auto &v, Like<State> auto &state) {
  v.always("ociVersion", state.oci_version);
  v.always("id", state.id);
  v.always("pid", state.pid);
  v.always("status", state.status);
  v.always("bundle", state.bundle);
  v.always("rootfs", state.rootfs);
  v.always("created", state.created);
  v.optional("annotations", state.annotations);
  v.always("owner", state.owner);
}

static void fields(Writer &v, const HookState &hook) {
  const State &state = *hook.state;
  v.always("ociVersion", state.oci_version);
  v.always("id", state.id);
  v.always("status", state.status);
  v.optional("pid", state.pid);
  v.always("bundle", state.bundle);
  v.optional("annotations", state.annotations);
}

static void fields(Writer &v, const ContainerProcessState &process) {
  v.always("ociVersion", process.state->oci_version);
  v.always("fds", std::vector<std::string>{"seccompFd"});
  v.always("pid", process.pid);
  v.optional("metadata", *process.metadata);
  v.always("state", HookState{process.state});
}

void fields(auto &v, Like<Record> auto &record) {
  v.required("ociVersion", record.oci_version);
  v.required("id", record.id);
  v.required("pid", record.pid);
  v.required("startTime", record.start_time);
  v.required("bundle", record.bundle);
  v.required("rootfs", record.rootfs);
  v.required("created", record.created);
  v.free_text("annotations", record.annotations);
  v.optional("ownerUid", record.owner_uid);
  v.optional("ready", record.ready);
  v.optional("newPidNamespace", record.new_pid_namespace);
  v.optional("hasLateHooks", record.has_late_hooks);
  v.optional("timeNamespace", record.time_namespace);
  v.optional("cgroupManager", record.cgroup_manager);
  v.optional("systemdScope", record.systemd_scope);
  v.optional("cgroupPaths", record.cgroup_paths);
  v.optional("intelRdtPath", record.intel_rdt_path);
  v.optional("intelRdtMonitorPath", record.intel_rdt_monitor_path);
  v.optional("intelRdtMade", record.intel_rdt_made);
  v.free_text("descriptors", record.descriptors);
  v.optional("hostMount", record.host_mount);
}

std::string_view status_name(ContainerStatus status) { return status_names[static_cast<std::size_t>(status)]; }

std::string print_state(const State &state, bool pretty) { return Writer(pretty ? "  " : "").document(state); }

std::string print_states(const std::vector<State> &states) {
  return states.empty() ? "null" : Writer("").document(states);
}

std::string print_hook_state(const State &state) { return Writer("").document(HookState{&state}); }

std::string print_container_process_state(const State &state, int pid, const std::string &metadata) {
  return Writer("").document(ContainerProcessState{&state, pid, &metadata});
}

std::string print_record(const Record &record) { return Writer("").document(record); }

std::string print_descriptors(const std::vector<std::string> &descriptors) { return Writer("").document(descriptors); }

Result<std::vector<std::string>> parse_descriptors(std::string_view json) {
  const auto document = json::Document::parse(json);
  if (!document) return std::unexpected(findings_error("descriptors.json", {document.error()}));
  if (document->root().kind() != json::Kind::array) return fail("descriptors.json: it has to be an array");
  std::vector<std::string> descriptors;
  document->root().each([&](json::Value each) {
    descriptors.emplace_back(each.kind() == json::Kind::string ? each.text() : std::string_view());
  });
  return descriptors;
}

Result<Record> parse_record(std::string_view json) {
  std::vector<Finding> findings;
  Record record;
  if (const auto document = json::Document::parse(json)) {
    Reader(findings).document(document->root(), record);
  } else {
    findings.push_back(document.error());
  }
  if (!findings.empty()) return std::unexpected(findings_error("the container's record", findings));
  return record;
}

}  // namespace skiff::spec
