// The members of linux.seccomp, for Reader and Writer: their names, and the clause that describes them.
#pragma once

#include <span>

#include "spec/config.h"
#include "spec/reader.h"

namespace skiff::spec {

constexpr std::span<const std::string_view> names_of(SeccompAction /*type*/) { return seccomp_action_names; }
constexpr std::span<const std::string_view> names_of(SeccompOperator /*type*/) { return seccomp_operator_names; }

void fields(auto &v, Like<SeccompArg> auto &arg) {
  v.required("index", arg.index);
  v.required("value", arg.value);
  v.optional("valueTwo", arg.value_two);
  v.required("op", arg.op);
}

void fields(auto &v, Like<SeccompSyscall> auto &syscall) {
  v.always("names", syscall.names);
  v.required("action", syscall.action);
  v.optional("errnoRet", syscall.errno_ret);
  v.optional("args", syscall.args);
}

void fields(auto &v, Like<Seccomp> auto &seccomp) {
  v.clause("config-linux.md, Seccomp");
  v.required("defaultAction", seccomp.default_action);
  v.optional("defaultErrnoRet", seccomp.default_errno_ret);
  v.optional("architectures", seccomp.architectures);
  v.optional("flags", seccomp.flags);
  v.optional("listenerPath", seccomp.listener_path);
  v.free_text("listenerMetadata", seccomp.listener_metadata);
  v.optional("syscalls", seccomp.syscalls);
}

}  // namespace skiff::spec
