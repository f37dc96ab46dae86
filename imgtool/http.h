// One exchange of HTTP through libcurl: no redirect is followed, nothing is tried again, no credentials are known here.
//
// May be used by several threads. Each exchange has a connection of its own out of a pool, so that TLS and what the
// sinks do (hashing, writing) use as many processors as there are transfers; connections are kept and used again.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "imgtool/bytes.h"
#include "runtime/kernel/fd.h"

namespace skiff::image {

struct HttpOptions {
  bool offline = false;        // every exchange is refused before any socket
  std::uint32_t parallel = 6;  // exchanges at a time; more of them wait
  std::chrono::seconds connect_timeout{30};
  std::chrono::seconds stall_timeout{30};  // without a byte in either direction; there is no limit to the whole
};

// What TLS trusts and shows for one host. The texts are PEM, and come on top of the system's.
struct TlsTrust {
  bool verify = true;
  std::string authorities;
  std::string client_certificate;  // paths
  std::string client_key;
};

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;                                          // what no sink took

  // The first of that name (in lower case), or empty.
  [[nodiscard]] std::string_view header(std::string_view name) const;
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;
};

// A part of a file as a request's body.
struct FilePart {
  kernel::FdView file = kernel::no_fd;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers;  // "Name: value"
  std::string_view body;             // of PUT, POST and PATCH; empty ones say so by their length
  FilePart file;                     // in its place where the file is valid
  TlsTrust trust;
  // Of a 2xx answer: asked once before its first byte; an error ends the exchange.
  std::function<Status(const HttpResponse &head)> begin;
  WriteBytes sink;                          // its body; else it is collected, as that of any other status
  std::size_t body_limit = 16U << 20U;      // of a collected body: EFBIG beyond
  std::function<void(std::uint64_t)> sent;  // bytes of the body that went out
  std::stop_token stop;                     // ends the exchange within a second: ECANCELED
};

enum class HttpTrouble : std::uint8_t {
  passing,      // a connection that broke or stalled: another try may work
  no_answer,    // none could be made, or it ended within the TLS handshake
  no_tls,       // the other side speaks something else
  certificate,  // it does, but nobody vouches for it
  final,        // offline, the sink's own error, a host that does not exist
};

struct HttpFailure {
  Error error;
  HttpTrouble trouble = HttpTrouble::final;
};

class Http {
 public:
  // Ignores SIGPIPE in the process: OpenSSL writes to sockets without MSG_NOSIGNAL.
  [[nodiscard]] static Result<std::unique_ptr<Http>> make(const HttpOptions &options);
  Http(const Http &) = delete;
  Http &operator=(const Http &) = delete;
  ~Http();

  [[nodiscard]] std::expected<HttpResponse, HttpFailure> send(const HttpRequest &request);

 private:
  struct State;
  explicit Http(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace skiff::image
