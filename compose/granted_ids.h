// The ids that an ordinary user may use, as one user namespace of his: himself as its root, and what /etc/subuid and
// /etc/subgid grant him. Its root may give files away among them, and read and remove what his containers have written.
#pragma once

#include <functional>
#include <string>

#include "compose/lower.h"

namespace skiff::compose {

// Whether there are more than his own: where not, all files of an image are his.
[[nodiscard]] bool has_granted_ids(const HostFacts &host);

// That namespace; a new one at each call, which lives as long as its descriptor. Its maps are make_user_network_maps'.
[[nodiscard]] Result<kernel::Fd> open_granted_ids(const HostFacts &host);

// Where skiff-image keeps his images: it is told, as it would take the root of that namespace for the host's.
[[nodiscard]] Result<std::string> find_user_store();

// `work` as root in there, by a child; root of the host does it itself.
[[nodiscard]] Status work_with_granted_ids(const std::function<Status()> &work);

// The same where it fails as oneself for want of rights. What of it was done by then is done again.
[[nodiscard]] Status work_as_owner(const std::function<Status()> &work);

// kernel::remove_tree_at of what containers may have written.
[[nodiscard]] Status remove_container_tree(kernel::FdView parent, const std::string &name);

}  // namespace skiff::compose
