#include "imgtool/http.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <mutex>

#include "imgtool/header_field.h"
#include "imgtool/late_curl.h"
#include "imgtool/late_library.h"
#include "imgtool/url.h"
#include "runtime/kernel/process.h"
#include "spec/text.h"

namespace skiff::image {

struct Http::State {
  HttpOptions options;
  std::mutex mutex;
  std::condition_variable returned;
  std::vector<CURL *> idle;  // the one used last is at the end: its connection is the likeliest to be open
  std::uint32_t busy = 0;
};

namespace {

// What curl's callbacks see of one exchange.
struct Exchange {
  const HttpRequest *request = nullptr;
  HttpResponse response;
  Status outcome;  // of begin and sink
  bool begun = false;
  std::uint64_t read = 0;  // bytes of the request's body
  std::array<char, CURL_ERROR_SIZE> words{};
  curl_off_t moved = 0;  // bytes in both directions
  std::chrono::steady_clock::time_point moved_at = std::chrono::steady_clock::now();
  std::chrono::seconds patience{0};
  bool stalled = false;
  bool stopped = false;
  int socket_error = 0;  // errno of socket(2)
};

bool is_success(int status) { return status >= 200 && status < 300; }

std::size_t take_header(const char *data, std::size_t /*one*/, std::size_t size, void *user) {
  auto &exchange = *static_cast<Exchange *>(user);
  const std::string_view line = trim(std::string_view(data, size));
  if (line.starts_with("HTTP/")) {  // a 100 Continue, or a proxy's answer to CONNECT, went before
    exchange.response.headers.clear();
    return size;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  exchange.response.headers.emplace_back(spec::lower_case(line.substr(0, colon)), trim(line.substr(colon + 1)));
  return size;
}

Status collect(Exchange &exchange, std::string_view bytes) {
  if (exchange.response.body.size() + bytes.size() > exchange.request->body_limit) {
    return fail(EFBIG, fmt::format("an answer of more than {} bytes", exchange.request->body_limit));
  }
  exchange.response.body += bytes;
  return {};
}

Status begin(Exchange &exchange, CURL *handle) {
  if (exchange.begun) return {};
  exchange.begun = true;
  long status = 0;
  curl_get_info()(handle, CURLINFO_RESPONSE_CODE, &status);
  exchange.response.status = static_cast<int>(status);
  if (!is_success(exchange.response.status) || !exchange.request->begin) return {};
  return exchange.request->begin(exchange.response);
}

struct Receiver {
  Exchange *exchange;
  CURL *handle;
};

std::size_t take_body(const char *data, std::size_t /*one*/, std::size_t size, void *user) {
  const auto &[exchange, handle] = *static_cast<Receiver *>(user);
  exchange->outcome = begin(*exchange, handle);
  if (!exchange->outcome) return 0;
  const bool to_sink = exchange->request->sink && is_success(exchange->response.status);
  exchange->outcome =
      to_sink ? exchange->request->sink(std::span(data, size)) : collect(*exchange, std::string_view(data, size));
  return exchange->outcome ? size : 0;
}

std::size_t give_file(char *into, std::size_t /*one*/, std::size_t size, void *user) {
  auto &exchange = *static_cast<Exchange *>(user);
  const FilePart &part = exchange.request->file;
  const std::size_t wanted = std::min<std::uint64_t>(size, part.size - exchange.read);
  if (wanted == 0) return 0;
  const Result<std::size_t> got = kernel::pread_some(part.file, std::span(into, wanted), part.offset + exchange.read);
  if (!got || *got == 0) {
    exchange.outcome =
        got ? Status(fail(EIO, "the blob's file is shorter than its size")) : Status(std::unexpected(got.error()));
    return CURL_READFUNC_ABORT;
  }
  exchange.read += *got;
  if (exchange.request->sent) exchange.request->sent(*got);
  return *got;
}

// Called at least once a second. curl's own low-speed limit looks at an average, and so sees a stall late.
int watch(void *user, curl_off_t /*down_total*/, curl_off_t down, curl_off_t /*up_total*/, curl_off_t up) {
  auto &exchange = *static_cast<Exchange *>(user);
  const auto now = std::chrono::steady_clock::now();
  if (down + up != exchange.moved) {
    exchange.moved = down + up;
    exchange.moved_at = now;
  }
  exchange.stalled = now - exchange.moved_at > exchange.patience;
  exchange.stopped = exchange.request->stop.stop_requested();
  return exchange.stalled || exchange.stopped ? 1 : 0;
}

// curl makes sockets in this way itself, and then does not tell why there is none.
curl_socket_t open_socket(void *user, curlsocktype /*purpose*/, curl_sockaddr *address) {
  const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  static_cast<Exchange *>(user)->socket_error = fd < 0 ? errno : 0;
  return fd;
}

// curl goes back to the start where a kept connection turned out to be closed.
int seek_file(void *user, curl_off_t offset, int origin) {
  if (origin != SEEK_SET) return CURL_SEEKFUNC_FAIL;
  static_cast<Exchange *>(user)->read = static_cast<std::uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

template <class Value>
void set(CURL *handle, CURLoption option, Value value) {
  curl_set_option()(handle, option, value);
}

void set_blob(CURL *handle, CURLoption option, const std::string &text) {
  if (text.empty()) return;
  curl_blob blob{.data = const_cast<char *>(text.data()), .len = text.size(), .flags = CURL_BLOB_COPY};
  curl_set_option()(handle, option, &blob);
}

void set_trust(CURL *handle, const TlsTrust &trust) {
  set(handle, CURLOPT_SSL_VERIFYPEER, trust.verify ? 1L : 0L);
  set(handle, CURLOPT_SSL_VERIFYHOST, trust.verify ? 2L : 0L);
  set_blob(handle, CURLOPT_CAINFO_BLOB, trust.authorities);
  if (!trust.client_certificate.empty()) set(handle, CURLOPT_SSLCERT, trust.client_certificate.c_str());
  if (!trust.client_key.empty()) set(handle, CURLOPT_SSLKEY, trust.client_key.c_str());
}

void set_body(CURL *handle, const HttpRequest &request, Exchange &exchange) {
  if (request.file.file.valid()) {
    set(handle, CURLOPT_UPLOAD, 1L);
    set(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.file.size));
    set(handle, CURLOPT_READFUNCTION, give_file);
    set(handle, CURLOPT_READDATA, &exchange);
    set(handle, CURLOPT_SEEKFUNCTION, seek_file);
    set(handle, CURLOPT_SEEKDATA, &exchange);
    set(handle, CURLOPT_UPLOAD_BUFFERSIZE, 1024L * 1024);
  } else if (request.method != "GET" && request.method != "HEAD" && request.method != "DELETE") {
    set(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(handle, CURLOPT_POSTFIELDS, request.body.data() == nullptr ? "" : request.body.data());
  }
  if (request.method == "HEAD") {
    set(handle, CURLOPT_NOBODY, 1L);
  } else {
    set(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

void set_limits(CURL *handle, const HttpOptions &options) {
  set(handle, CURLOPT_NOSIGNAL, 1L);
  set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  set(handle, CURLOPT_FOLLOWLOCATION, 0L);
  set(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  set(handle, CURLOPT_CONNECTTIMEOUT, static_cast<long>(options.connect_timeout.count()));
  set(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  set(handle, CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));  // a proxy's CONNECT carries no Authorization
  set(handle, CURLOPT_BUFFERSIZE, 256L * 1024);
}

struct FreeList {
  void operator()(curl_slist *list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

HeaderList list_headers(const HttpRequest &request) {
  HeaderList list(curl_slist_append(nullptr, "User-Agent: skiff-image"));
  // An answer to it would cost a round trip, and a second where the server does not know it.
  curl_slist_append(list.get(), "Expect:");
  const bool typed = std::ranges::any_of(request.headers, [](const std::string &header) {
    return spec::lower_case(header.substr(0, 13)) == "content-type:";
  });
  if (!typed) curl_slist_append(list.get(), "Content-Type:");
  for (const std::string &header : request.headers) curl_slist_append(list.get(), header.c_str());
  return list;
}

// OpenSSL's own errors have a number ("error:0A00010B:..."); others came from the socket.
HttpTrouble trouble_of(CURLcode code, std::string_view words) {
  switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return HttpTrouble::no_answer;
    case CURLE_SSL_CONNECT_ERROR:
      return words.find("error:") == std::string_view::npos ? HttpTrouble::no_answer : HttpTrouble::no_tls;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return HttpTrouble::certificate;
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_WEIRD_SERVER_REPLY:
      return HttpTrouble::passing;
    default:
      return HttpTrouble::final;
  }
}

// What the kernel said, where curl only has words such as "a bad argument" for it.
Error system_error_of(CURLcode code, const Exchange &exchange, CURL *handle, int number, std::string text) {
  if (code == CURLE_COULDNT_CONNECT) {
    if (exchange.socket_error != 0) return {exchange.socket_error, text + ": socket", {}};
    long refused = 0;
    curl_get_info()(handle, CURLINFO_OS_ERRNO, &refused);
    if (refused != 0) return {static_cast<int>(refused), text + ": connect", {}};
  }
  // poll(2) fails for want of memory alone; what else is in errno may be of any call.
  if (number == ENOMEM) return {number, text + ": poll", {}};
  return {0, std::move(text), {}};
}

HttpFailure failure_of(CURLcode code, const Exchange &exchange, CURL *handle, int number) {
  if (!exchange.outcome) return {.error = exchange.outcome.error(), .trouble = HttpTrouble::final};
  if (exchange.stopped) {
    return {.error = {.number = ECANCELED, .text = "given up", .remedy = {}}, .trouble = HttpTrouble::final};
  }
  if (exchange.stalled) {
    return {.error = {.number = 0,
                      .text = fmt::format("the connection stalled: no byte for {} s", exchange.patience.count()),
                      .remedy = {}},
            .trouble = HttpTrouble::passing};
  }
  const char *words = exchange.words[0] != '\0' ? exchange.words.data() : curl_easy_strerror(code);
  Error error = system_error_of(code, exchange, handle, number, words);
  const HttpTrouble trouble = trouble_of(code, words);
  if (trouble == HttpTrouble::certificate) {
    error.remedy = "give its authority with --cert-dir, or --tls-verify=false where that is not needed";
  }
  return {.error = std::move(error), .trouble = trouble};
}

// A handle of the pool, for one exchange.
class Lease {
 public:
  explicit Lease(CURL *handle, std::function<void(CURL *)> give_back)
      : handle_(handle), give_back_(std::move(give_back)) {}
  Lease(const Lease &) = delete;
  Lease &operator=(const Lease &) = delete;
  ~Lease() { give_back_(handle_); }
  [[nodiscard]] CURL *get() const { return handle_; }

 private:
  CURL *handle_;
  std::function<void(CURL *)> give_back_;
};

std::expected<HttpResponse, HttpFailure> perform(CURL *handle, const HttpOptions &options, const HttpRequest &request) {
  Exchange exchange;
  exchange.request = &request;
  // A registry may take its time over what it was sent: it hashes a blob, or moves it.
  exchange.patience = options.stall_timeout * (request.method == "GET" || request.method == "HEAD" ? 1 : 10);
  Receiver receiver{.exchange = &exchange, .handle = handle};
  curl_easy_reset(handle);  // keeps connections, DNS and TLS sessions
  set_limits(handle, options);
  set(handle, CURLOPT_URL, request.url.c_str());
  set_trust(handle, request.trust);
  set_body(handle, request, exchange);
  const HeaderList headers = list_headers(request);
  set(handle, CURLOPT_HTTPHEADER, headers.get());
  set(handle, CURLOPT_NOPROGRESS, 0L);
  set(handle, CURLOPT_XFERINFOFUNCTION, watch);
  set(handle, CURLOPT_XFERINFODATA, &exchange);
  set(handle, CURLOPT_ERRORBUFFER, exchange.words.data());
  set(handle, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  set(handle, CURLOPT_OPENSOCKETDATA, &exchange);
  set(handle, CURLOPT_HEADERFUNCTION, take_header);
  set(handle, CURLOPT_HEADERDATA, &exchange);
  set(handle, CURLOPT_WRITEFUNCTION, take_body);
  set(handle, CURLOPT_WRITEDATA, &receiver);
  errno = 0;
  const CURLcode code = curl_easy_perform(handle);
  const int number = errno;
  if (code == CURLE_OK) exchange.outcome = begin(exchange, handle);  // where there was no body
  if (code != CURLE_OK || !exchange.outcome) return std::unexpected(failure_of(code, exchange, handle, number));
  return std::move(exchange.response);
}

}  // namespace

std::string_view HttpResponse::header(std::string_view name) const {
  for (const auto &[key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

std::vector<std::string_view> HttpResponse::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto &[key, value] : headers) {
    if (key == name) values.push_back(value);
  }
  return values;
}

Result<std::unique_ptr<Http>> Http::make(const HttpOptions &options) {
  TRY(load_curl());
  const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) return fail(fmt::format("curl_global_init: {}", curl_easy_strerror(code)));
  TRY(kernel::ignore_signal(SIGPIPE));
  auto state = std::make_unique<State>();
  state->options = options;
  state->options.parallel = std::max(options.parallel, 1U);
  return std::unique_ptr<Http>(new Http(std::move(state)));
}

Http::Http(std::unique_ptr<State> state) : state_(std::move(state)) {}

Http::~Http() {
  for (CURL *handle : state_->idle) curl_easy_cleanup(handle);
}

std::expected<HttpResponse, HttpFailure> Http::send(const HttpRequest &request) {
  if (state_->options.offline) {
    return std::unexpected(HttpFailure{
        .error = {.number = 0, .text = "--offline refuses every connection", .remedy = "leave --offline out"},
        .trouble = HttpTrouble::final});
  }
  CURL *handle = nullptr;
  {
    std::unique_lock lock(state_->mutex);
    state_->returned.wait(lock, [&] { return state_->busy < state_->options.parallel; });
    ++state_->busy;
    if (!state_->idle.empty()) {
      handle = state_->idle.back();
      state_->idle.pop_back();
    }
  }
  if (handle == nullptr) handle = curl_easy_init();
  const Lease lease(handle, [&](CURL *used) {
    const std::lock_guard lock(state_->mutex);
    if (used != nullptr) state_->idle.push_back(used);
    --state_->busy;
    state_->returned.notify_one();
  });
  if (handle == nullptr) {
    return std::unexpected(HttpFailure{.error = {.number = ENOMEM, .text = "curl_easy_init", .remedy = {}},
                                       .trouble = HttpTrouble::final});
  }
  return perform(handle, state_->options, request);
}

}  // namespace skiff::image
