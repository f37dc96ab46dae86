// Containers that are being made or removed. DATA/half-made/ID stands from before the first to after the last trace of
// one on disk, and is locked by whoever is at it: what nobody holds was left by SIGKILL.
#pragma once

#include "compose/container.h"

namespace skiff::compose {

[[nodiscard]] Result<kernel::Fd> mark_half_made(const Places &places, const std::string &id);
[[nodiscard]] Status unmark_half_made(const Places &places, const std::string &id);

[[nodiscard]] Status remove_sockets(const Places &places, const std::string &id);
// Everything of a container on disk and its name, with `volumes` its anonymous ones. It does not run, and the caller
// does not hold its mark.
[[nodiscard]] Status erase(const Places &places, const ContainerRecord &record, bool volumes);

// What killed commands left. Every create begins with it.
[[nodiscard]] Status sweep_half_made(const Places &places);
// The same for the holder of the project's lock, who knows that nobody else makes containers of it: what is still held
// was its killed holder's, and is waited for.
[[nodiscard]] Status sweep_half_made_of(const Places &places, const std::string &project);
// Whether the name was that of a half made container, which is gone now, or whole.
[[nodiscard]] Result<bool> sweep_name(const Places &places, const std::string &name);

}  // namespace skiff::compose
