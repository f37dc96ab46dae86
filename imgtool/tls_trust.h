// Whom TLS trusts for a host: the system's authorities, and those of certs.d(5) directories.
#pragma once

#include <string>

#include "imgtool/http.h"

namespace skiff::image {

// Every *.crt of `cert_dir`, or where that is empty of /etc/containers/certs.d/HOST and /etc/docker/certs.d/HOST, the
// first that exists; and a client's NAME.cert with its NAME.key, unless `own` is false: those are for the registry
// alone, not for where it sends us. `host` is as in a URL, with the port where one was given.
[[nodiscard]] Result<TlsTrust> load_trust(const std::string &host, const std::string &cert_dir, bool verify, bool own);

}  // namespace skiff::image
