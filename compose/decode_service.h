// One service of the canonical tree.
#pragma once

#include "compose/fields.h"
#include "compose/project.h"

namespace skiff::compose {

[[nodiscard]] Service decode_service(const Member &member, Findings &findings);

// Its parts, each in a file of its own: mounts, devices, files, ports, networks (decode_attachments.cc), limits
// (decode_resources.cc).
void decode_attachments(const Fields &service, Service &into);
void decode_resources(const Fields &service, Service &into);

}  // namespace skiff::compose
