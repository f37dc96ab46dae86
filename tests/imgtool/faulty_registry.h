// A registry that does what a test tells it, also what none should: an HTTP server in this process, on loopback.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/kernel/fd.h"

namespace skiff::image::testing {

struct Request {
  std::string method;
  std::string target;                          // path and query
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  int connection = 0;  // the number of the connection it came on

  [[nodiscard]] std::string path() const { return target.substr(0, target.find('?')); }
  [[nodiscard]] std::string header(const std::string &name) const;
  [[nodiscard]] std::string line() const { return method + " " + target; }
};

struct Answer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::size_t cut_after = std::numeric_limits<std::size_t>::max();  // the connection ends behind so much of the body
  bool stall = false;  // there it stays open without another byte, until the other side gives up
};

class FaultyRegistry {
 public:
  using Handler = std::function<Answer(const Request &)>;

  explicit FaultyRegistry(Handler handler);
  FaultyRegistry(const FaultyRegistry &) = delete;
  FaultyRegistry &operator=(const FaultyRegistry &) = delete;
  ~FaultyRegistry();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  // "127.0.0.1:PORT"; by another name of the same machine it is another host to a client.
  [[nodiscard]] std::string host(std::string_view name = "127.0.0.1") const;
  [[nodiscard]] std::string url(std::string_view path, std::string_view name = "127.0.0.1") const;
  [[nodiscard]] std::vector<Request> requests() const;
  [[nodiscard]] std::vector<std::string> lines() const;  // "GET /v2/...", in order
  [[nodiscard]] std::size_t count(std::string_view line) const;

 private:
  void listen();
  void serve(kernel::Fd connection, int number);

  Handler handler_;
  kernel::Fd listener_;
  kernel::Pipe stop_;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<Request> requests_;
  std::vector<std::thread> connections_;
  std::thread thread_;
};

// Answers in turn, the last for ever.
class InTurn {
 public:
  InTurn(std::initializer_list<Answer> answers) : answers_(answers) {}
  Answer next();

 private:
  std::mutex mutex_;
  std::deque<Answer> answers_;
};

// What a registry that works would hold.
struct Content {
  std::map<std::string, std::string> blobs;  // by digest
  struct Manifest {
    std::string media_type;
    std::string bytes;
  };
  std::map<std::string, Manifest> manifests;  // by digest and by tag

  std::string add_blob(std::string bytes);  // its digest
  std::string add_manifest(const std::string &tag, std::string media_type, std::string bytes);
};

// Pulls alone, as distribution-spec has them, with ranges: what a handler answers where it has nothing else to say.
[[nodiscard]] Answer serve_content(const Content &content, const Request &request);
[[nodiscard]] Answer error_answer(int status, std::string_view code, std::string_view message);

}  // namespace skiff::image::testing
