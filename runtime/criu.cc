#include "runtime/criu.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "runtime/kernel/path.h"
#include "runtime/kernel/prctl.h"
#include "runtime/kernel/socket.h"
#include "runtime/sync.h"

namespace skiff {
namespace {

// It knows every option that is sent: --lsm-profile and --lsm-mount-context came last.
constexpr int oldest = 31600;
constexpr std::string_view package = "install the package criu, version 3.16 or later";
constexpr std::size_t longest_message = 1 << 16;
constexpr std::size_t longest_log = 1 << 20;  // of which the end is read

// Nothing of the caller's but what CRIU is to have; a dump's CRIU has nothing to say that its log does not.
Status arrange_descriptors(const CriuStart &start, const kernel::Fd &socket) {
  TRY(kernel::close_range_from(3, kernel::CloseRange::cloexec));
  TRY(kernel::set_cloexec(socket, false));
  for (const kernel::FdView fd : start.inherited) TRY(kernel::set_cloexec(fd, false));
  if (start.keep_stdio) return {};
  const kernel::Fd null = TRY(kernel::open("/dev/null", O_RDWR));
  for (int number = 0; number <= 1; ++number) TRY(kernel::dup_onto(null, number));
  return {};
}

// The socket is made here, because CRIU looks up the descriptors that it is told of in the process that has made it.
Error become_criu(const CriuStart &start, const kernel::Fd &control) {
  if (start.dies_with_caller) {
    if (const Status done = kernel::set_pdeathsig(SIGKILL); !done) return done.error();
  }
  Result<kernel::SocketPair> pair = kernel::socketpair(SOCK_SEQPACKET);
  if (!pair) return pair.error();
  if (const Status told = say_descriptor(control, pair->one); !told) return told.error();
  pair->one.reset();
  if (const Status told = hear_go_on(control); !told) return told.error();
  if (start.prepare_mounts) {
    if (const Status done = start.prepare_mounts(); !done) return done.error();
  }
  if (const Status done = kernel::reset_signals(); !done) return done.error();
  if (const Status done = arrange_descriptors(start, pair->other); !done) return done.error();
  const std::string number = std::to_string(pair->other.get());
  const std::array<const char *, 4> argv = {"criu", "swrk", number.c_str(), nullptr};
  return kernel::execveat(kernel::cwd, start.program, argv.data(), environ, 0);
}

// Where the engine's $PATH has no sbin, as that of a service may be.
std::string find_criu() {
  std::string found = kernel::find_on_path("criu");
  for (const char *path : {"/usr/local/sbin/criu", "/usr/sbin/criu"}) {
    if (found.empty() && kernel::faccessat(kernel::cwd, path, X_OK)) found = path;
  }
  return found;
}

std::string missing_features(const CriuFeatures &wanted, const CriuFeatures &have) {
  std::string out;
  if (wanted.mem_track && !have.mem_track) out = "memory tracking (MemTrack)";
  if (wanted.lazy_pages && !have.lazy_pages) out += std::string(out.empty() ? "" : ", ") + "lazy pages (LazyPages)";
  return out;
}

Result<CriuResponse> receive(const kernel::Fd &socket, std::vector<kernel::Fd> &fds) {
  Result<std::optional<kernel::Message>> received = kernel::recv_message(socket, longest_message, 1);
  if (!received && received.error().number == ECONNRESET) {  // it left a request unread
    return std::unexpected(Error{EPIPE, "criu: " + received.error().message(), {}});
  }
  std::optional<kernel::Message> message = TRY(std::move(received));
  if (!message) return fail(EPIPE, "criu");
  fds = std::move(message->fds);
  return in("criu", parse_criu_response(message->bytes));
}

Error refusal(CriuType type, const CriuResponse &response) {
  return {.number = response.number, .text = fmt::format("criu failed: {}", criu_type_name(type)), .remedy = {}};
}

Error explain_end(const kernel::ExitStatus &ended, const Error &why) {
  return {0,
          fmt::format("criu ended without an answer: {} {} ({})", ended.signaled ? "killed by signal" : "exit status",
                      ended.code, why.text),
          "`criu check` tells what it misses: this kernel may be newer than the package knows, or lack a feature"};
}

// The end of a log, or nothing.
std::string read_log(const std::string &path) {
  const Result<kernel::Fd> log = kernel::open(path, O_RDONLY);
  const Result<struct stat> status = log ? kernel::fstat(*log) : std::unexpected(log.error());
  if (!status) return {};
  const auto size = static_cast<std::size_t>(status->st_size);
  if (size > longest_log) (void)kernel::lseek(*log, static_cast<off_t>(size - longest_log), SEEK_SET);
  return kernel::read_all(*log, 2 * longest_log).value_or(std::string());
}

// With the lines of CRIU's log that matter, or what it `said` where it has written none there.
Error with_log(Error error, const std::string &path, const std::string &said) {
  const std::string text = read_log(path);
  const std::string errors = criu_log_errors(text.empty() ? said : text);
  if (!errors.empty()) error.text += ": " + errors;
  if (error.remedy.empty() && !text.empty()) error.remedy = fmt::format("see {}", path);
  return error;
}

}  // namespace

Result<Criu> Criu::start(CriuStart start) {
  if (start.program.empty()) start.program = find_criu();
  if (start.program.empty()) return fail(ENOENT, "criu: not on $PATH", std::string(package));
  kernel::SocketPair control = TRY(kernel::socketpair(SOCK_SEQPACKET));
  const std::uint64_t flags = start.prepare_mounts ? CLONE_NEWNS : 0;
  kernel::Child child = TRY(in("criu", kernel::clone3({.flags = flags})));
  if (child.is_this_process()) {
    control.one.reset();
    say_failed(control.other, become_criu(start, control.other));
    _exit(127);
  }
  control.other.reset();
  kernel::Fd socket = TRY(in("criu", hear_descriptor(control.one)));
  return Criu(std::move(child), std::move(socket), std::move(control.one));
}

Result<CriuResponse> Criu::ask(std::string_view message) {
  const Status sent = kernel::send_message(socket_, message);
  std::vector<kernel::Fd> fds;
  Result<CriuResponse> response = sent ? receive(socket_, fds) : std::unexpected(sent.error());
  if (response || response.error().number != EPIPE) return response;
  socket_.reset();  // it may still wait for a request
  return std::unexpected(explain_end(TRY(child_.wait()), response.error()));
}

Result<int> Criu::serve() {
  TRY(say(control_, Word::go_on));
  // It closes when the child becomes CRIU.
  if (const Result<Received> said = hear(control_); said && said->word == Word::failed) {
    const Status failed = std::unexpected(said->error);
    return std::unexpected(in("criu", said->error.number == ENOENT ? remedy(package, failed) : failed).error());
  }
  const CriuResponse response = TRY(ask(print_criu_version_request()));
  if (response.version >= oldest) return response.version;
  return fail(fmt::format("criu: its version is {}, which is too old", criu_version_text(response.version)),
              std::string(package));
}

Status Criu::require(const CriuFeatures &wanted) {
  const CriuResponse response = TRY(ask(print_criu_feature_request(wanted)));
  if (!response.success) return std::unexpected(refusal(CriuType::feature_check, response));
  const std::string missing = missing_features(wanted, response.features);
  if (missing.empty()) return {};
  return fail(fmt::format("criu: this kernel has no {}", missing), "`criu check --all` tells what it misses");
}

// Until CRIU has answered the request itself.
Result<CriuResponse> Criu::converse(const CriuAnswer &answer, Status &answered, const cli::Log &log) {
  while (true) {
    std::vector<kernel::Fd> fds;
    Result<CriuResponse> response = receive(socket_, fds);
    if (!response || response->type != CriuType::notify || !response->success) return response;
    cli::debug(log, fmt::format("criu: notification {}", response->script));
    const kernel::Fd none;
    const Status done =
        answer({.script = response->script, .pid = response->pid, .fd = fds.empty() ? none : fds.front()});
    if (answered && !done) answered = done;
    TRY(kernel::send_message(socket_, print_criu_answer(done.has_value())));
  }
}

Result<CriuResponse> Criu::request(CriuType type, const CriuOptions &options, const CriuAnswer &answer,
                                   const std::string &directory, const cli::Log &log) {
  const std::string log_path = fmt::format("{}/{}", directory, options.log_file);
  const Status sent = kernel::send_message(socket_, print_criu_request(type, options));
  Status answered;
  Result<CriuResponse> response = sent ? converse(answer, answered, log) : std::unexpected(sent.error());
  socket_.reset();  // after a pre-dump CRIU would wait for the next one
  const kernel::ExitStatus ended = TRY(child_.wait());
  if (!response && answered && ended.shell_code() == 0 && type != CriuType::pre_dump) {
    // It has done all of it, and only its answer was lost: the container of a dump has gone into the images.
    cli::debug(log, response.error().message());
    CriuResponse done;
    done.type = type;
    done.success = true;
    return done;
  }
  if (!response && response.error().number == EPIPE) {
    return std::unexpected(with_log(explain_end(ended, response.error()), log_path, {}));
  }
  TRY(std::move(answered));
  if (response && !response->success) {
    return std::unexpected(with_log(refusal(type, *response), log_path, response->message));
  }
  return response;
}

bool has_dumped(const std::string &log_path) { return read_log(log_path).contains("Dumping finished successfully"); }

}  // namespace skiff
