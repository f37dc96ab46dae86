#include "compose/resolve_paths.h"

#include <algorithm>
#include <vector>

#include "spec/path.h"

namespace skiff::compose {
namespace {

void resolve(Value *value, const Folders &folders) {
  if (value == nullptr || !value->is_scalar() || value->text.empty() || value->tag == Tag::reset) return;
  if (value->text.starts_with('$')) return;  // not interpolated
  value->text = absolute_path(value->text, folders);
}

void resolve_build(Value *build, const Folders &folders) {
  if (build == nullptr || build->kind != Value::Kind::map) return;
  if (Value *context = build->find("context"); context != nullptr && !is_remote_context(context->text)) {
    resolve(context, folders);
  }
}

void resolve_mounts(Value *mounts, const Folders &folders) {
  if (mounts == nullptr) return;
  for (Value &mount : mounts->items) {
    const Value *type = mount.find("type");
    if (type != nullptr && type->text == "bind") resolve(mount.find("source"), folders);
  }
}

void resolve_each(Value *list, std::string_view key, const Folders &folders) {
  if (list == nullptr) return;
  for (Value &item : list->items) resolve(key.empty() ? &item : item.find(key), folders);
}

// `driver_opts: {type: none, o: bind, device: ./data}`
void resolve_volume(Value &volume, const Folders &folders) {
  Value *options = volume.find("driver_opts");
  if (options == nullptr) return;
  const Value *flags = options->find("o");
  Value *device = options->find("device");
  if (flags != nullptr && flags->text.starts_with("bind")) resolve(device, folders);
}

}  // namespace

std::string absolute_path(std::string_view path, const Folders &folders) {
  std::string whole;
  if (path.starts_with('/')) {
    whole = path;
  } else if ((path == "~" || path.starts_with("~/")) && !folders.home.empty()) {
    whole = folders.home + std::string(path.substr(1));
  } else {
    whole = folders.directory + "/" + std::string(path);
  }
  return spec::clean_path(whole);
}

std::string parent_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos || slash == 0 ? "/" : std::string(path.substr(0, slash));
}

bool is_remote_context(std::string_view text) {
  return text.find("://") != std::string_view::npos || text.starts_with("git@") || text.starts_with("github.com/");
}

void resolve_service_paths(Value &service, const Folders &folders) {
  if (service.kind != Value::Kind::map) return;
  resolve_build(service.find("build"), folders);
  resolve_mounts(service.find("volumes"), folders);
  resolve_each(service.find("env_file"), "path", folders);
  resolve_each(service.find("label_file"), {}, folders);
  if (Value *develop = service.find("develop")) resolve_each(develop->find("watch"), "path", folders);
  if (Value *own = service.find("x-skiff")) resolve(own->find("rootfs"), folders);
}

void resolve_paths(Value &file, const Folders &folders) {
  if (Value *services = file.find("services")) {
    for (Member &member : services->members) resolve_service_paths(member.value, folders);
  }
  for (const std::string_view kind : {"secrets", "configs"}) {
    Value *sources = file.find(kind);
    if (sources == nullptr) continue;
    for (Member &member : sources->members) resolve(member.value.find("file"), folders);
  }
  if (Value *volumes = file.find("volumes")) {
    for (Member &member : volumes->members) resolve_volume(member.value, folders);
  }
}

}  // namespace skiff::compose
