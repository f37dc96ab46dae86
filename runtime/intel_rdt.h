// linux.intelRdt: the container's class of service and its monitoring group in resctrl (config-linux.md, "IntelRdt").
//
// Everything below takes the directory of a mounted resctrl filesystem. Where the kernel refuses, the error has the
// kernel's own sentence from info/last_cmd_status beside it.
#pragma once

#include <string>
#include <vector>

#include "runtime/kernel/fd.h"
#include "runtime/kernel/proc.h"
#include "runtime/plan.h"
#include "spec/state.h"

namespace skiff {

// The mount point of resctrl in the runtime's mount namespace. ENODEV, with what to do, where there is none.
[[nodiscard]] Result<std::string> find_resctrl(const kernel::Procfs &proc);

// Fills the record's intel_rdt_* as they will be, before anything is made: so that a delete finds what a create left
// that was killed. An error where the group must be there and is not, or is there and has other schemata than
// `expected`.
[[nodiscard]] Status record_intel_rdt(const IntelRdtPlan &plan, const std::vector<std::string> &expected,
                                      const std::string &resctrl, spec::Record &record);
// Makes the groups, writes the schemata, and puts the process into them.
[[nodiscard]] Status join_intel_rdt(const IntelRdtPlan &plan, const spec::Record &record, pid_t pid);
// The process of an exec: into the groups of the container.
[[nodiscard]] Status enter_intel_rdt(const spec::Record &record, pid_t pid);
// The class of service of a container that runs.
[[nodiscard]] Status write_schemata(const spec::Record &record, const std::vector<std::string> &lines);
// What join has made. Groups that are gone are no error.
[[nodiscard]] Status remove_intel_rdt(const spec::Record &record);

}  // namespace skiff
