#include "compose/monitor.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <optional>

#include "compose/attach_wire.h"
#include "compose/attached_clients.h"
#include "compose/long_sleep.h"
#include "compose/state.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/prctl.h"
#include "runtime/kernel/socket.h"
#include "runtime/kernel/tty.h"

namespace skiff::compose {
namespace {

using kernel::Fd;
using kernel::FdView;

// The ends of the container's standard streams that stay here.
struct Ends {
  Fd in;  // invalid: it reads /dev/null, or has been told that there is no more
  Fd out;
  Fd err;      // invalid with a terminal
  Fd console;  // a listener, until the terminal has come
};

constexpr FdView starter{0};
constexpr FdView lock{1};  // the container's, and the starter's

class Monitor {
 public:
  explicit Monitor(const MonitorRequest &request) : request_(request) {}
  Result<int> run();

 private:
  Status prepare();
  Status create();
  Status wait_for_go();
  Status start();
  static Status let_go_of_lock();
  Status attend();
  Status move_output(Fd &from, Stream stream);
  Status drain();
  Status reap();
  Status record_end();
  void settle();
  Status tell_starter(char what, std::string_view text) const;
  [[nodiscard]] Words runtime(std::initializer_list<std::string> words) const;
  [[nodiscard]] std::string path(std::string_view name) const { return fmt::format("{}/{}", request_.sockets, name); }

  const MonitorRequest &request_;
  Ends ends_;
  Fd signals_;
  std::optional<LogFile> log_;
  std::optional<AttachedClients> clients_;
  pid_t pid_ = 0;
  std::optional<kernel::ExitStatus> ended_;
};

Words Monitor::runtime(std::initializer_list<std::string> words) const {
  Words all = request_.runtime;
  all.insert(all.end(), words);
  return all;
}

Status Monitor::tell_starter(char what, std::string_view text) const {
  return kernel::send_message(starter, std::string(1, what) + std::string(text.substr(0, 60000)));
}

Status Monitor::prepare() {
  TRY(kernel::set_name("skiff-monitor"));
  TRY(kernel::set_child_subreaper(true));
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE}) TRY(kernel::ignore_signal(signal));
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  TRY(kernel::block_signals(children));
  signals_ = TRY(kernel::signalfd(children, SFD_NONBLOCK));
  log_ = TRY(LogFile::open(request_.log));
  clients_ = TRY(AttachedClients::listen(path(wire::socket_name)));
  return {};
}

Status Monitor::create() {
  Words words = runtime({"create", "--bundle", request_.bundle, "--pid-file", path("pid")});
  Fd in, out, err;
  if (request_.terminal) {
    ends_.console = TRY(kernel::listen_unix(kernel::cwd, path("console"), SOCK_STREAM, 1));
    words.insert(words.end(), {"--console-socket", path("console")});
  }
  if (request_.stdin_open && !request_.terminal) {
    kernel::Pipe pipe = TRY(kernel::pipe2());
    in = std::move(pipe.read);
    ends_.in = std::move(pipe.write);
  }
  kernel::Pipe out_pipe = TRY(kernel::pipe2());
  kernel::Pipe err_pipe = TRY(kernel::pipe2());
  words.push_back(request_.id);
  kernel::Child child =
      TRY(start_program(words, {.in = in, .out = out_pipe.write, .err = err_pipe.write}, request_.inside));
  out_pipe.write.reset();
  err_pipe.write.reset();
  const int code = TRY(child.wait()).shell_code();
  for (const Fd *end : {&out_pipe.read, &err_pipe.read}) TRY(kernel::set_nonblocking(*end, true));
  if (code != 0) {
    std::string said(60000, '\0');
    said.resize(kernel::read_some(err_pipe.read, said).value_or(0));
    while (said.ends_with('\n')) said.pop_back();
    return fail(said.empty() ? fmt::format("{}: exit code {}", request_.runtime.front(), code) : said);
  }
  pid_ = std::atoi(TRY(read_if_there(path("pid"))).c_str());
  if (request_.terminal) {
    const Fd connection = TRY(kernel::accept4(ends_.console));
    std::optional<kernel::Message> message = TRY(kernel::recv_message(connection, 4096, 1));
    if (!message || message->fds.size() != 1) return fail("the runtime sent no terminal");
    ends_.out = std::move(message->fds.front());
    TRY(kernel::set_nonblocking(ends_.out, true));
    ends_.in = TRY(kernel::dup_above(ends_.out, 3));
    ends_.console.reset();
  } else {
    ends_.out = std::move(out_pipe.read);
    ends_.err = std::move(err_pipe.read);
    if (ends_.in.valid()) TRY(kernel::set_nonblocking(ends_.in, true));
  }
  return {};
}

Status Monitor::wait_for_go() {
  TRY(tell_starter(start_wire::created, fmt::format("{} {}", pid_, kernel::getpid())));
  const auto answer = kernel::recv_message(starter, 16, 0);
  if (answer && *answer && (*answer)->bytes.starts_with(start_wire::go)) return clients_->accept_waiting(true);
  return fail("who started the container has gone");
}

Status Monitor::let_go_of_lock() { return kernel::dup_onto(TRY(kernel::open("/dev/null", O_RDWR)), lock.get()); }

Status Monitor::start() {
  TRY(call_program(runtime({"start", request_.id})));
  TRY(let_go_of_lock());
  // Who is not there any more need not know.
  (void)tell_starter(start_wire::started, "");
  return kernel::dup_onto(TRY(kernel::open("/dev/null", O_RDWR)), 0);
}

Status Monitor::move_output(Fd &from, Stream stream) {
  std::array<char, wire::longest_packet> buffer;
  const Result<std::size_t> count = kernel::read_some(from, std::span(buffer).subspan(1));
  if (!count && count.error().number == EAGAIN) return {};
  // EIO: nobody has the terminal open any more.
  if (!count || *count == 0) {
    from.reset();
    return {};
  }
  // A full disk stops the log, not the container.
  (void)log_->write(stream, {buffer.data() + 1, *count});
  buffer[0] = stream == Stream::out ? wire::out : wire::err;
  clients_->send({buffer.data(), *count + 1});
  return {};
}

// Also what a container that shares the host's pid namespace leaves to us.
Status Monitor::reap() {
  signalfd_siginfo info{};
  while (kernel::read_some(signals_, {reinterpret_cast<char *>(&info), sizeof info})) {
  }
  while (true) {
    const auto ended = kernel::waitpid_any(WNOHANG);
    if (!ended || !*ended) return {};
    if ((*ended)->pid == pid_) ended_ = **ended;
  }
}

Status Monitor::attend() {
  LongSleep sleep;
  TRY(reap());
  while (!ended_) {
    // Nobody's output is lost: who is attached and does not read stops the container, as a pipe would.
    const bool full = clients_->are_full();
    std::vector<pollfd> events = {{signals_.get(), POLLIN, 0},
                                  {full ? -1 : ends_.out.get(), POLLIN, 0},
                                  {full ? -1 : ends_.err.get(), POLLIN, 0},
                                  {clients_->has_input() ? ends_.in.get() : -1, POLLOUT, 0}};
    const std::size_t own = events.size();
    clients_->add_events(events);
    TRY(sleep.poll(events, clients_->patience()));
    if (events[1].revents != 0) TRY(move_output(ends_.out, Stream::out));
    if (events[2].revents != 0) TRY(move_output(ends_.err, Stream::err));
    if (events[3].revents != 0) clients_->feed(ends_.in);
    clients_->serve(std::span(events).subspan(own), ends_.in, request_.terminal);
    if (events[0].revents != 0) TRY(reap());
  }
  return {};
}

// What the pipes still hold. A process that outlives the first one and keeps them open is not waited for.
Status Monitor::drain() {
  for (const Stream stream : {Stream::out, Stream::err}) {
    Fd *end = stream == Stream::out ? &ends_.out : &ends_.err;
    while (end->valid()) {
      TRY(clients_->flush());
      if (!TRY(kernel::wait_readable(*end, std::chrono::milliseconds(0)))) break;
      TRY(move_output(*end, stream));
    }
  }
  TRY(clients_->flush());
  return log_->finish();
}

Status Monitor::record_end() {
  return replace_file(path("exit"), fmt::format("{} {}", ended_->shell_code(), time_now()));
}

void Monitor::settle() {
  const Result<ProgramOutput> settled = run_program(request_.settle);
  if (!settled) {
    (void)kernel::write_all(FdView(2), settled.error().message() + "\n");
  } else if (settled->code != 0) {
    (void)kernel::write_all(FdView(2), settled->err);
  }
}

Result<int> Monitor::run() {
  Status made = prepare();
  if (made) made = create();
  if (made) made = wait_for_go();
  if (made) made = start();
  if (!made) {
    TRY(let_go_of_lock());
    // Who started it holds the container's lock and settles it; one that has gone does not.
    if (!tell_starter(start_wire::failed, made.error().message())) settle();
    return 1;
  }
  const Status attended = attend();
  if (!attended) return std::unexpected(attended.error());
  const Status drained = drain();
  TRY(record_end());
  settle();
  clients_->say_goodbye(ended_->shell_code());
  TRY(drained);
  return 0;
}

}  // namespace

Result<int> run_monitor(const MonitorRequest &request) { return Monitor(request).run(); }

}  // namespace skiff::compose
