#include "imgtool/tls_trust.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "runtime/kernel/path.h"

namespace skiff::image {
namespace {

struct Found {
  kernel::Fd directory;
  std::string path;
};

Result<Found> find_directory(const std::string &host, const std::string &cert_dir) {
  constexpr int flags = O_RDONLY | O_DIRECTORY;
  if (!cert_dir.empty()) {
    kernel::Fd directory = TRY(in("--cert-dir", kernel::open(cert_dir, flags)));
    return Found{.directory = std::move(directory), .path = cert_dir};
  }
  constexpr std::array<std::string_view, 2> places = {"/etc/containers/certs.d/", "/etc/docker/certs.d/"};
  for (const std::string_view place : places) {
    std::string path = std::string(place) + host;
    kernel::Fd directory = TRY(kernel::find_at(kernel::cwd, path, flags));
    if (directory.valid()) return Found{.directory = std::move(directory), .path = std::move(path)};
  }
  return Found{};
}

}  // namespace

Result<TlsTrust> load_trust(const std::string &host, const std::string &cert_dir, bool verify, bool own) {
  TlsTrust trust;
  trust.verify = verify;
  const Found found = TRY(find_directory(host, cert_dir));
  if (!found.directory.valid()) return trust;
  std::vector<std::string> names = TRY(kernel::list_directory(found.directory));
  std::ranges::sort(names);
  for (const std::string &name : names) {
    if (name.ends_with(".crt")) {
      const kernel::Fd file = TRY(kernel::openat(found.directory, name, O_RDONLY));
      trust.authorities += TRY(kernel::read_all(file, std::size_t{4} << 20U));
      trust.authorities += '\n';
    } else if (own && name.ends_with(".cert") && trust.client_certificate.empty()) {
      const std::string key = name.substr(0, name.size() - 5) + ".key";
      if (std::ranges::find(names, key) == names.end()) {
        return fail(fmt::format("{}/{}: its key {} is missing", found.path, name, key));
      }
      trust.client_certificate = found.path + "/" + name;
      trust.client_key = found.path + "/" + key;
    }
  }
  return trust;
}

}  // namespace skiff::image
