// The members of config.json, for Reader and Writer: their names, and the clause that describes them.
#pragma once

#include "spec/config.h"
#include "spec/fields_linux.h"
#include "spec/fields_process.h"
#include "spec/reader.h"

namespace skiff::spec {

void fields(auto &v, Like<Root> auto &root) {
  v.clause("config.md, Root");
  v.always("path", root.path);
  v.optional("readonly", root.readonly);
}

void fields(auto &v, Like<Mount> auto &mount) {
  v.clause("config.md, Mounts");
  v.always("destination", mount.destination);
  v.optional("type", mount.type);
  v.optional("source", mount.source);
  v.optional("options", mount.options);
  v.clause("config.md, POSIX-platform Mounts");
  v.optional("uidMappings", mount.uid_mappings);
  v.optional("gidMappings", mount.gid_mappings);
}

void fields(auto &v, Like<Hook> auto &hook) {
  v.always("path", hook.path);
  v.optional("args", hook.args);
  v.optional("env", hook.env);
  v.optional("timeout", hook.timeout);
}

void fields(auto &v, Like<Hooks> auto &hooks) {
  v.clause("config.md, POSIX-platform Hooks");
  v.optional("prestart", hooks.prestart);
  v.optional("createRuntime", hooks.create_runtime);
  v.optional("createContainer", hooks.create_container);
  v.optional("startContainer", hooks.start_container);
  v.optional("poststart", hooks.poststart);
  v.optional("poststop", hooks.poststop);
}

void fields(auto &v, Like<Config> auto &config) {
  v.clause("config.md, Specification version");
  v.always("ociVersion", config.oci_version);
  v.clause("config.md, Process");
  v.optional("process", config.process);
  v.clause("config.md, Root");
  v.optional("root", config.root);
  v.clause("config.md, Hostname");
  v.optional("hostname", config.hostname);
  v.clause("config.md, Domainname");
  v.optional("domainname", config.domainname);
  v.clause("config.md, Mounts");
  v.optional("mounts", config.mounts);
  v.clause("config.md, POSIX-platform Hooks");
  v.optional("hooks", config.hooks);
  v.clause("config.md, Annotations");
  v.free_text("annotations", config.annotations);
  v.clause("config.md, Platform-specific configuration");
  v.presence("linux", config.linux_, config.has_linux);
}

}  // namespace skiff::spec
