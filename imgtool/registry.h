// A registry's side of distribution-spec 1.1, as a client must speak it.
//
// Every error names registry, repository, method and path, the status, the registry's own code and message
// ("errors" of its answer), and what to do: 401 "log in", 404 "the tag or the repository is wrong", 429 with its
// Retry-After. What can pass (a connection that breaks, 408, 429, 500, 502, 503, 504) is tried again with backoff.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "imgtool/arrival.h"
#include "imgtool/credentials.h"
#include "imgtool/layout.h"
#include "imgtool/progress.h"
#include "imgtool/reference.h"

namespace skiff::image {

struct RegistryOptions {
  // Off: plain HTTP is tried as well, and any certificate is taken. A registry on loopback (localhost, 127.0.0.0/8,
  // ::1) may always speak plain HTTP; where it speaks TLS its certificate is verified like any other.
  bool tls_verify = true;
  std::string cert_dir;  // ca.crt, client.cert, client.key; else the system's, and /etc/containers/certs.d/HOST
  std::string authfile;  // else where Podman, skopeo and Docker look
  std::optional<Login> login;
  bool offline = false;  // every socket is refused
  std::uint32_t retries = 4;
  std::chrono::milliseconds first_wait{1000};  // before the second try; doubled with each
  std::chrono::seconds stall_timeout{30};      // a connection without a byte for so long has broken
  std::uint32_t parallel = 6;                  // connections at a time, ranges of one blob included
  std::uint64_t range_size = 16U << 20U;       // a larger blob is fetched in ranges of this size; 0: never
  std::uint64_t chunk_size = 32U << 20U;  // a larger blob is uploaded in chunks of this size, or the registry's least
  std::vector<std::string> mirrors;  // hosts to try first, for pulling alone; no credentials of the origin go there
};

struct FetchedManifest {
  std::string bytes;       // verbatim
  std::string media_type;  // Content-Type
  Digest digest;           // of the bytes; verified against the name's, and against Docker-Content-Digest
};

// A blob to be fetched into a layout, and where its progress shows.
struct BlobFetch {
  spec::Descriptor descriptor;
  Incoming *incoming = nullptr;
  Arrival *arrival = nullptr;        // may be none
  ProgressItem *progress = nullptr;  // may be none
  // Told once, by any thread, how this one ended: a caller can commit it before the others have come.
  std::function<void(const Status &verified)> ended;  // may be none
};

// For several threads at once: each request has a connection of its own, `parallel` of them at most.
class Registry {
 public:
  // No connection is made yet. The repository is the name's; the options and the progress outlive it.
  [[nodiscard]] static Result<Registry> open(const ImageName &name, const RegistryOptions &options, Progress &progress);
  Registry(Registry &&) noexcept;
  Registry &operator=(Registry &&) noexcept;
  ~Registry();

  // ---- pull ----
  // Empty where there is none of that name (404).
  [[nodiscard]] Result<std::optional<FetchedManifest>> get_manifest(const std::string &tag_or_digest);
  // HEAD: its descriptor without its content.
  [[nodiscard]] Result<std::optional<spec::Descriptor>> head_manifest(const std::string &tag_or_digest);
  // All of them, several at once, ranges of a large one in parallel; resumes what is in the incoming files. Every one
  // is verified (size first, then digest) and its arrival ended or failed; not committed. Returns when all have ended:
  // the first error, but what else could come has come. `stop` ends those that are under way (ECANCELED), what has come
  // of them stays.
  [[nodiscard]] Status get_blobs(std::vector<BlobFetch> blobs, const std::stop_token &stop = {});

  // ---- push ----
  [[nodiscard]] Result<bool> has_blob(const Digest &digest);
  // In one piece where it is small, else in chunks that resume after an error (end-5, end-13; OCI-Chunk-Min-Length).
  [[nodiscard]] Status put_blob(const spec::Descriptor &descriptor, kernel::FdView file, ProgressItem *progress);
  // end-11. False where the registry would have it uploaded.
  [[nodiscard]] Result<bool> mount_blob(const Digest &digest, const std::string &from_repository);
  // end-7. Verbatim. Updates the referrers tag where a manifest has a subject that the registry does not handle.
  [[nodiscard]] Status put_manifest(const std::string &tag_or_digest, std::string_view bytes,
                                    std::string_view media_type);

  // ---- discovery and management ----
  [[nodiscard]] Result<std::vector<std::string>> list_tags();  // all pages, Link followed on the same host only
  // end-12, or the tag schema where the registry answers 404.
  [[nodiscard]] Result<spec::ImageIndex> list_referrers(const Digest &subject, const std::string &artifact_type);
  [[nodiscard]] Status delete_manifest(const std::string &tag_or_digest);
  [[nodiscard]] Status delete_blob(const Digest &digest);
  // end-1 with the credentials: whether a login is right.
  [[nodiscard]] Status check_login();

 private:
  struct State;
  explicit Registry(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace skiff::image
