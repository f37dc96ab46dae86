#include "tests/imgtool/faulty_registry.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "imgtool/digest.h"
#include "imgtool/header_field.h"
#include "spec/text.h"

namespace skiff::image::testing {
namespace {

constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

// Waits for bytes or for the end of the server: empty where the connection is over.
std::string receive(const kernel::Fd &connection, const kernel::Fd &stop) {
  std::array<pollfd, 2> waits = {
      {{.fd = connection.get(), .events = POLLIN, .revents = 0}, {.fd = stop.get(), .events = POLLIN, .revents = 0}}};
  if (!kernel::poll(waits, kernel::forever) || waits[1].revents != 0) return {};
  std::array<char, 65536> buffer{};
  const ssize_t got = ::recv(connection.get(), buffer.data(), buffer.size(), 0);
  return got <= 0 ? std::string() : std::string(buffer.data(), static_cast<std::size_t>(got));
}

bool send_all(const kernel::Fd &connection, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(connection.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

Request parse_head(std::string_view head) {
  Request request;
  const std::string_view line = head.substr(0, head.find("\r\n"));
  request.method = line.substr(0, line.find(' '));
  const std::size_t target = line.find(' ') + 1;
  request.target = line.substr(target, line.rfind(' ') - target);
  head.remove_prefix(line.size());
  while (head.starts_with("\r\n") && head.size() > 2) {
    head.remove_prefix(2);
    const std::string_view field = head.substr(0, head.find("\r\n"));
    head.remove_prefix(field.size());
    const std::size_t colon = field.find(':');
    if (colon != std::string_view::npos) {
      request.headers[spec::lower_case(field.substr(0, colon))] = trim(field.substr(colon + 1));
    }
  }
  return request;
}

std::string head_of(const Answer &answer) {
  std::string head = fmt::format("HTTP/1.1 {} Answer\r\n", answer.status);
  bool with_length = false;
  for (const auto &[name, value] : answer.headers) {
    head += fmt::format("{}: {}\r\n", name, value);
    with_length =
        with_length || spec::lower_case(name) == "content-length" || spec::lower_case(name) == "transfer-encoding";
  }
  if (!with_length && answer.status != 204) head += fmt::format("Content-Length: {}\r\n", answer.body.size());
  return head + "\r\n";
}

Answer not_found(std::string_view code) { return error_answer(404, code, "unknown"); }

Answer serve_blob(const std::string &bytes, const Request &request) {
  const std::string range = request.header("range");
  if (range.empty()) return {.status = 200, .headers = {{"Content-Type", "application/octet-stream"}}, .body = bytes};
  const std::size_t dash = range.find('-');
  const std::size_t first = std::strtoull(range.c_str() + std::string_view("bytes=").size(), nullptr, 10);
  const std::size_t last =
      std::min<std::size_t>(std::strtoull(range.c_str() + dash + 1, nullptr, 10), bytes.size() - 1);
  if (first >= bytes.size()) return {.status = 416, .headers = {}, .body = {}};
  return {.status = 206,
          .headers = {{"Content-Range", fmt::format("bytes {}-{}/{}", first, last, bytes.size())}},
          .body = bytes.substr(first, last - first + 1)};
}

}  // namespace

std::string Request::header(const std::string &name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

FaultyRegistry::FaultyRegistry(Handler handler) : handler_(std::move(handler)), stop_(kernel::pipe2().value()) {
  listener_ = kernel::Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_.get(), reinterpret_cast<sockaddr *>(&address), size) != 0 ||
      ::listen(listener_.get(), 64) != 0 ||
      ::getsockname(listener_.get(), reinterpret_cast<sockaddr *>(&address), &size) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { listen(); });
}

FaultyRegistry::~FaultyRegistry() {
  stop_.write.reset();  // every poll sees the end of the pipe
  thread_.join();
  for (std::thread &connection : connections_) connection.join();
}

std::string FaultyRegistry::host(std::string_view name) const { return fmt::format("{}:{}", name, port_); }

std::string FaultyRegistry::url(std::string_view path, std::string_view name) const {
  return fmt::format("http://{}{}", host(name), path);
}

std::vector<Request> FaultyRegistry::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::vector<std::string> FaultyRegistry::lines() const {
  std::vector<std::string> lines;
  for (const Request &request : requests()) lines.push_back(request.line());
  return lines;
}

std::size_t FaultyRegistry::count(std::string_view line) const {
  const std::vector<std::string> all_lines = lines();
  return static_cast<std::size_t>(
      std::ranges::count_if(all_lines, [&](const std::string &one) { return one.starts_with(line); }));
}

void FaultyRegistry::listen() {
  for (int number = 0;; ++number) {
    std::array<pollfd, 2> waits = {{{.fd = listener_.get(), .events = POLLIN, .revents = 0},
                                    {.fd = stop_.read.get(), .events = POLLIN, .revents = 0}}};
    if (!kernel::poll(waits, kernel::forever) || waits[1].revents != 0) return;
    kernel::Fd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection.valid()) continue;
    connections_.emplace_back(
        [this, number, held = std::move(connection)]() mutable { serve(std::move(held), number); });
  }
}

void FaultyRegistry::serve(kernel::Fd connection, int number) {
  std::string buffer;
  for (;;) {
    std::size_t end = std::string::npos;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
      const std::string more = receive(connection, stop_.read);
      buffer += more;
      // TLS begins with 22: this server speaks none.
      if (more.empty() || buffer[0] == 22) return;
    }
    Request request = parse_head(std::string_view(buffer).substr(0, end + 2));
    request.connection = number;
    buffer.erase(0, end + 4);
    const std::size_t length = std::strtoull(request.header("content-length").c_str(), nullptr, 10);
    while (buffer.size() < length) {
      const std::string more = receive(connection, stop_.read);
      if (more.empty()) return;
      buffer += more;
    }
    request.body = buffer.substr(0, length);
    buffer.erase(0, length);
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const Answer answer = handler_(request);
    std::string_view body = request.method == "HEAD" ? std::string_view() : std::string_view(answer.body);
    if (!send_all(connection, head_of(answer)) || !send_all(connection, body.substr(0, answer.cut_after))) return;
    if (answer.stall) (void)receive(connection, stop_.read);
    if (answer.cut_after != all || answer.stall) return;
  }
}

Answer InTurn::next() {
  const std::lock_guard lock(mutex_);
  Answer answer = answers_.front();
  if (answers_.size() > 1) answers_.pop_front();
  return answer;
}

std::string Content::add_blob(std::string bytes) {
  std::string digest = digest_of(bytes).text();
  blobs[digest] = std::move(bytes);
  return digest;
}

std::string Content::add_manifest(const std::string &tag, std::string media_type, std::string bytes) {
  std::string digest = digest_of(bytes).text();
  manifests[tag] = {.media_type = media_type, .bytes = bytes};
  manifests[digest] = {.media_type = std::move(media_type), .bytes = std::move(bytes)};
  return digest;
}

Answer serve_content(const Content &content, const Request &request) {
  const std::string path = request.path();
  if (path == "/v2/") return {.status = 200, .headers = {}, .body = "{}"};
  const std::string last = path.substr(path.rfind('/') + 1);
  if (path.find("/blobs/") != std::string::npos) {
    const auto blob = content.blobs.find(last);
    return blob == content.blobs.end() ? not_found("BLOB_UNKNOWN") : serve_blob(blob->second, request);
  }
  const auto manifest = content.manifests.find(last);
  if (path.find("/manifests/") == std::string::npos || manifest == content.manifests.end()) {
    return not_found("MANIFEST_UNKNOWN");
  }
  return {.status = 200,
          .headers = {{"Content-Type", manifest->second.media_type},
                      {"Docker-Content-Digest", digest_of(manifest->second.bytes).text()}},
          .body = manifest->second.bytes};
}

Answer error_answer(int status, std::string_view code, std::string_view message) {
  return {.status = status,
          .headers = {{"Content-Type", "application/json"}},
          .body = fmt::format(R"({{"errors":[{{"code":"{}","message":"{}"}}]}})", code, message)};
}

}  // namespace skiff::image::testing
