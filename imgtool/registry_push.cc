// The push side of Registry: end-4, end-5, end-6, end-7, end-11, end-13.
#include <fmt/format.h>

#include <algorithm>

#include "imgtool/header_field.h"
#include "imgtool/registry_answer.h"
#include "imgtool/registry_state.h"
#include "imgtool/url.h"
#include "runtime/kernel/fd.h"

namespace skiff::image {
namespace {

// An upload that the registry has opened.
struct Session {
  std::string location;  // absolute
  std::uint64_t chunk = 0;
  std::uint64_t there = 0;  // bytes that the registry has
};

// One blob on its way up.
class Upload {
 public:
  Upload(Endpoint &endpoint, const spec::Descriptor &descriptor, kernel::FdView file, std::uint64_t chunk_size,
         ProgressItem *progress)
      : endpoint_(&endpoint),
        digest_(descriptor.digest),
        size_(static_cast<std::uint64_t>(descriptor.size)),
        file_(file),
        chunk_size_(chunk_size),
        progress_(progress),
        tries_(endpoint.retry_policy(), progress) {}

  Status run() {
    in_chunks_ = size_ > chunk_size_;
    for (;;) {
      Session session = TRY(open());
      const Result<bool> done = in_chunks_ ? send_chunks(session) : send_whole(session);
      if (!done) return std::unexpected(done.error());
      if (*done) return {};
    }
  }

 private:
  Ask make_ask(std::string_view method, std::string url) const {
    Ask ask;
    ask.request.method = method;
    ask.request.url = std::move(url);
    ask.scopes = endpoint_->scopes("pull,push");
    return ask;
  }

  // end-4a
  Result<Session> open() {
    Ask ask = make_ask("POST", endpoint_->path("blobs/uploads/"));
    std::string from;
    ask.answered_by = &from;
    const HttpResponse response = TRY(endpoint_->send(ask, progress_));
    if (response.status != 202) return std::unexpected(endpoint_->error_of(ask, response));
    Session session;
    if (const Status moved = move(session, response, from); !moved) {
      return std::unexpected(endpoint_->error_of(ask, moved.error()));
    }
    if (session.location.empty()) {
      return std::unexpected(
          endpoint_->error_of(ask, Error{.number = 0, .text = "202 without a Location", .remedy = {}}));
    }
    const std::string least(response.header("oci-chunk-min-length"));
    session.chunk = std::max<std::uint64_t>(chunk_size_, std::strtoull(least.c_str(), nullptr, 10));
    return session;
  }

  // Every answer may name a new place, relative or absolute, with a query that counts.
  static Status move(Session &session, const HttpResponse &response, const std::string &from) {
    const std::string location(response.header("location"));
    if (!location.empty()) session.location = TRY(resolve_url(from, location));
    return {};
  }

  // What may be tried again; false where the error is final.
  bool again(const std::expected<HttpResponse, HttpFailure> &response) {
    if (!response) return endpoint_->is_passing(response.error()) && tries_.again({});
    return is_passing_status(response->status) &&
           tries_.again(parse_retry_after(response->header("retry-after"), std::chrono::system_clock::now()));
  }

  std::unexpected<Error> failed(const Ask &ask, std::expected<HttpResponse, HttpFailure> &response) const {
    if (!response) return std::unexpected(endpoint_->error_of(ask, std::move(response.error().error)));
    return std::unexpected(endpoint_->error_of(ask, *response));
  }

  void show(std::uint64_t sent) {
    // What is sent again after an error was shown already.
    shown_now_ += sent;
    if (shown_now_ <= shown_) return;
    if (progress_ != nullptr) progress_->advance(shown_now_ - shown_);
    shown_ = shown_now_;
  }

  // end-6 with the whole of it. False: open another upload.
  Result<bool> send_whole(const Session &session) {
    Ask ask = make_ask("PUT", with_query(session.location, "digest", digest_));
    ask.request.headers = {"Content-Type: application/octet-stream"};
    ask.request.file = {.file = file_, .offset = 0, .size = size_};
    ask.request.sent = [this](std::uint64_t bytes) { show(bytes); };
    shown_now_ = 0;
    auto response = endpoint_->send_once(ask);
    if (response && (response->status == 201 || response->status == 204)) return true;
    if (again(response)) return false;
    if (response && response->status == 404 && tries_.again({})) return false;  // the upload has been forgotten
    return failed(ask, response);
  }

  Result<bool> send_chunks(Session &session) {
    while (session.there < size_) {
      const bool goes_on = TRY(send_chunk(session));
      if (!goes_on) return false;
    }
    Ask ask = make_ask("PUT", with_query(session.location, "digest", digest_));
    ask.request.headers = {"Content-Type: application/octet-stream"};
    auto response = endpoint_->send_once(ask);
    if (response && (response->status == 201 || response->status == 204)) return true;
    if (again(response)) return false;
    return failed(ask, response);
  }

  // end-5. False: open another upload.
  Result<bool> send_chunk(Session &session) {
    const std::uint64_t end = std::min(size_, session.there + session.chunk);
    Ask ask = make_ask("PATCH", session.location);
    std::string from;
    ask.answered_by = &from;
    ask.request.headers = {"Content-Type: application/octet-stream",
                           fmt::format("Content-Range: {}-{}", session.there, end - 1)};
    ask.request.file = {.file = file_, .offset = session.there, .size = end - session.there};
    ask.request.sent = [this](std::uint64_t bytes) { show(bytes); };
    shown_now_ = session.there;
    auto response = endpoint_->send_once(ask);
    if (response && response->status == 202) return accept(session, *response, from, end, ask);
    const bool out_of_step = response && response->status == 416;
    if (!response || out_of_step || is_passing_status(response->status)) {
      const bool may = out_of_step ? tries_.again({}) : again(response);
      if (!may) return failed(ask, response);
      return ask_where(session);
    }
    if (response->status == 404 && tries_.again({})) return false;
    // Some registries know no chunks at all: in one piece, then.
    if (session.there == 0 && response->status >= 400 && response->status < 500 && response->status != 401 &&
        response->status != 403) {
      in_chunks_ = false;
      return false;
    }
    return failed(ask, response);
  }

  Result<bool> accept(Session &session, const HttpResponse &response, const std::string &from, std::uint64_t end,
                      const Ask &ask) {
    if (const Status moved = move(session, response, from); !moved) {
      return std::unexpected(endpoint_->error_of(ask, moved.error()));
    }
    const std::string_view range = response.header("range");
    const std::uint64_t has = range.empty() ? end : parse_upload_range(range).value_or(end);
    if (has > size_) {
      return std::unexpected(endpoint_->error_of(
          ask, Error{.number = 0, .text = fmt::format("Range: {} is more than was sent", range), .remedy = {}}));
    }
    if (has > session.there) {
      tries_.renew();
    } else if (!tries_.again({})) {
      return std::unexpected(endpoint_->error_of(
          ask, Error{.number = 0, .text = fmt::format("202 with Range: {}: nothing was kept", range), .remedy = {}}));
    }
    session.there = has;
    return true;
  }

  // end-13: from where on to go on. False where the upload is gone.
  Result<bool> ask_where(Session &session) {
    Ask ask = make_ask("GET", session.location);
    std::string from;
    ask.answered_by = &from;
    const HttpResponse response = TRY(endpoint_->send(ask, progress_));
    if (response.status != 204 && response.status != 200 && response.status != 202) return false;
    if (!move(session, response, from)) return false;
    const std::uint64_t has = parse_upload_range(response.header("range")).value_or(0);
    if (has > size_) return false;
    // A registry with nothing says "0-0", as one with a single byte does: begin anew, which is right for both.
    if (has <= 1) return false;
    session.there = has;
    return true;
  }

  Endpoint *endpoint_;
  std::string digest_;
  std::uint64_t size_;
  kernel::FdView file_;
  std::uint64_t chunk_size_;
  ProgressItem *progress_;
  Tries tries_;
  bool in_chunks_ = false;
  std::uint64_t shown_ = 0;
  std::uint64_t shown_now_ = 0;
};

}  // namespace

Status Registry::put_blob(const spec::Descriptor &descriptor, kernel::FdView file, ProgressItem *progress) {
  const Digest digest = TRY(Digest::parse(descriptor.digest));
  const struct stat facts = TRY(kernel::fstat(file));
  if (facts.st_size != descriptor.size) {
    return fail(EBADMSG, fmt::format("blob {}: {} bytes, its descriptor says {}", digest.text(), facts.st_size,
                                     descriptor.size));
  }
  return Upload(state_->origin(), descriptor, file, std::max<std::uint64_t>(state_->options->chunk_size, 1), progress)
      .run();
}

Result<bool> Registry::mount_blob(const Digest &digest, const std::string &from_repository) {
  Endpoint &endpoint = state_->origin();
  Ask ask;
  ask.request.method = "POST";
  ask.request.url =
      with_query(with_query(endpoint.path("blobs/uploads/"), "mount", digest.text()), "from", from_repository);
  ask.scopes = endpoint.scopes("pull,push");
  ask.scopes.push_back(fmt::format("repository:{}:pull", from_repository));
  std::string from;
  ask.answered_by = &from;
  const HttpResponse response = TRY(endpoint.send(ask));
  if (response.status == 201) return true;
  if (response.status == 202) {
    // An upload was opened in its place: given up, so that the registry need not keep it (end-14; may be unknown).
    const Result<std::string> location = resolve_url(from, std::string(response.header("location")));
    if (location) {
      Ask cancel;
      cancel.request.method = "DELETE";
      cancel.request.url = *location;
      cancel.scopes = endpoint.scopes("pull,push");
      (void)endpoint.send_once(cancel);
    }
    return false;
  }
  // No right to read the other repository is no reason not to upload.
  if (response.status == 401 || response.status == 403 || response.status == 404 || response.status == 405)
    return false;
  return std::unexpected(endpoint.error_of(ask, response));
}

Status put_manifest_to(Endpoint &endpoint, const std::string &selector, std::string_view bytes,
                       std::string_view media_type, bool &subject_handled) {
  Ask ask;
  ask.request.method = "PUT";
  ask.request.url = endpoint.path("manifests/" + selector);
  ask.request.headers = {fmt::format("Content-Type: {}", media_type)};
  ask.request.body = bytes;
  ask.scopes = endpoint.scopes("pull,push");
  const HttpResponse response = TRY(endpoint.send(ask));
  // 201 by the specification; 200 and 202 by some registries.
  if (response.status < 200 || response.status > 202) return std::unexpected(endpoint.error_of(ask, response));
  subject_handled = !response.header("oci-subject").empty();
  const std::string_view stated = response.header("docker-content-digest");
  const Result<Digest> digest = Digest::parse(stated);
  if (digest && digest_of(bytes, digest->algorithm()) != *digest) {
    return std::unexpected(endpoint.error_of(
        ask, Error{.number = EBADMSG,
                   .text = fmt::format("the registry keeps another manifest: {}", digest->text()),
                   .remedy = "manifests must be kept as they are sent (distribution-spec, \"Pushing Manifests\")"}));
  }
  return {};
}

}  // namespace skiff::image
