// The members of image-spec's documents, for Reader and Writer: their names, and the clause that describes them.
#pragma once

#include "spec/image.h"
#include "spec/reader.h"

namespace skiff::spec {

void fields(auto &v, Like<Platform> auto &platform) {
  v.clause("image-index.md, platform");
  v.always("architecture", platform.architecture);
  v.always("os", platform.os);
  v.optional("os.version", platform.os_version);
  v.optional("os.features", platform.os_features);
  v.optional("variant", platform.variant);
}

void fields(auto &v, Like<Descriptor> auto &descriptor) {
  v.clause("descriptor.md, Properties");
  v.required("mediaType", descriptor.media_type);
  v.required("digest", descriptor.digest);
  v.required("size", descriptor.size);
  v.optional("urls", descriptor.urls);
  v.free_text("annotations", descriptor.annotations);
  v.optional("data", descriptor.data);
  v.optional("platform", descriptor.platform);
  v.optional("artifactType", descriptor.artifact_type);
}

void fields(auto &v, Like<ImageManifest> auto &manifest) {
  v.clause("manifest.md, Image Manifest Property Descriptions");
  v.required("schemaVersion", manifest.schema_version);
  v.optional("mediaType", manifest.media_type);
  v.optional("artifactType", manifest.artifact_type);
  v.required("config", manifest.config);
  v.always("layers", manifest.layers);  // Go's writers have null for none
  v.optional("subject", manifest.subject);
  v.free_text("annotations", manifest.annotations);
}

void fields(auto &v, Like<ImageIndex> auto &index) {
  v.clause("image-index.md, Image Index Property Descriptions");
  v.required("schemaVersion", index.schema_version);
  v.optional("mediaType", index.media_type);
  v.optional("artifactType", index.artifact_type);
  v.always("manifests", index.manifests);
  v.optional("subject", index.subject);
  v.free_text("annotations", index.annotations);
}

void fields(auto & /*v*/, Like<Nothing> auto & /*nothing*/) {}

void fields(auto &v, Like<Healthcheck> auto &check) {
  v.optional("Test", check.test);
  v.optional("Interval", check.interval);
  v.optional("Timeout", check.timeout);
  v.optional("StartPeriod", check.start_period);
  v.optional("StartInterval", check.start_interval);
  v.optional("Retries", check.retries);
}

void fields(auto &v, Like<ImageDefaults> auto &defaults) {
  v.clause("config.md, Properties");
  v.optional("User", defaults.user);
  v.optional("ExposedPorts", defaults.exposed_ports);
  v.optional("Env", defaults.env);
  v.optional("Entrypoint", defaults.entrypoint);
  v.optional("Cmd", defaults.cmd);
  v.optional("Volumes", defaults.volumes);
  v.optional("WorkingDir", defaults.working_dir);
  v.free_text("Labels", defaults.labels);
  v.optional("StopSignal", defaults.stop_signal);
  v.optional("ArgsEscaped", defaults.args_escaped);
  v.optional("Healthcheck", defaults.healthcheck);
  v.optional("Shell", defaults.shell);
  v.free_text("OnBuild", defaults.on_build);
}

void fields(auto &v, Like<ImageRootfs> auto &rootfs) {
  v.clause("config.md, Properties");
  v.required("type", rootfs.type);
  v.always("diff_ids", rootfs.diff_ids);
}

void fields(auto &v, Like<ImageHistory> auto &history) {
  v.clause("config.md, Properties");
  v.free_text("created", history.created);
  v.free_text("author", history.author);
  v.free_text("created_by", history.created_by);
  v.free_text("comment", history.comment);
  v.optional("empty_layer", history.empty_layer);
}

void fields(auto &v, Like<ImageConfig> auto &config) {
  v.clause("config.md, Properties");
  v.free_text("created", config.created);
  v.free_text("author", config.author);
  v.always("architecture", config.architecture);
  v.always("os", config.os);
  v.optional("os.version", config.os_version);
  v.optional("os.features", config.os_features);
  v.optional("variant", config.variant);
  v.optional("config", config.config);
  v.required("rootfs", config.rootfs);
  v.optional("history", config.history);
}

}  // namespace skiff::spec
