#include "compose/tree_copy.h"

#include <fmt/format.h>

#include "runtime/kernel/credential.h"
#include "runtime/kernel/path.h"
#include "spec/names.h"

namespace skiff::compose {
namespace {

using kernel::Fd;

// skiff-image's code where the reader of its stream is gone: that one says why.
constexpr int nobody_reads = 141;

FileKind kind_of(mode_t mode) {
  if (mode == 0) return FileKind::missing;
  return S_ISDIR(mode) ? FileKind::directory : FileKind::file;
}

Result<Located> locate(const CopySide &side, bool follow) {
  if (side.view != nullptr) return side.view->locate(side.path.path, follow);
  return locate_in(TRY(kernel::open("/", O_PATH | O_DIRECTORY)), side.path.path, follow);
}

kernel::FdView namespace_of(const CopySide &side) {
  return side.view == nullptr ? kernel::no_fd : side.view->user_namespace();
}

// A program on one side, and where it complains.
struct Running {
  kernel::Child child;
  Fd complaint;
};

Result<Running> start(const Words &words, Streams streams, const CopySide &side) {
  Running running;
  running.complaint = TRY(kernel::memfd_create("complaint", 0));
  streams.err = running.complaint;
  running.child = TRY(start_program(words, streams, namespace_of(side)));
  return running;
}

struct Ended {
  int code = 0;
  std::string said;
};

Result<Ended> wait_for(Running &running) {
  Ended ended;
  ended.code = TRY(running.child.wait()).shell_code();
  ended.said.resize(4096);
  ended.said.resize(TRY(kernel::pread_some(running.complaint, ended.said, 0)));
  while (ended.said.ends_with('\n')) ended.said.pop_back();
  return ended;
}

Status judge(const Ended &ended) {
  if (ended.code == 0) return {};
  return fail(ended.said.empty() ? fmt::format("skiff-image: exit code {}", ended.code) : ended.said);
}

// What there is to read, and what the names in the archive become.
struct Sending {
  Located from;
  std::string as;
};

Words send_words(const Engine &engine, const Sending &sending) {
  const bool whole = sending.from.self.valid();
  return engine.run_image({"tree-send", "--as", sending.as, "--", whole ? "." : sending.from.name});
}

Words receive_words(const Engine &engine, const CopySide &from, const CopySide &to, const CopyOptions &options) {
  Words words = engine.run_image({"tree-receive"});
  // Somebody's own archive may count on links in the container, /var/run and their like.
  if (from.stream) words.emplace_back("--follow-links");
  if (!from.stream && !options.archive) {
    const bool out = to.view == nullptr;
    words.insert(words.end(),
                 {"--owner", fmt::format("{}:{}", out ? kernel::geteuid() : 0, out ? kernel::getegid() : 0)});
  }
  return words;
}

// A directory is what is read, and of a file the directory that it is in.
kernel::FdView place_of(const Sending &sending) {
  return sending.from.self.valid() ? sending.from.self : sending.from.directory;
}

Status run_both(const Engine &engine, const Sending &sending, const CopySide &from, const Words &receiver,
                const Fd &into, const CopySide &to) {
  kernel::Pipe pipe = TRY(kernel::pipe2());
  Running reader = TRY(start(send_words(engine, sending), {.in = place_of(sending), .out = pipe.write}, from));
  Running writer = TRY(start(receiver, {.in = pipe.read, .out = into}, to));
  pipe = {};
  const Ended received = TRY(wait_for(writer));
  const Ended sent = TRY(wait_for(reader));
  // An archive that ends too early is what a failed sender leaves.
  if (sent.code != nobody_reads) TRY(judge(sent));
  return judge(received);
}

// The source with the name that the target's rules give it.
Result<CopyShape> shape_of(const CopySide &from, const Located &source, const CopySide &to, const Located &target) {
  return make_copy_shape(from.path, kind_of(source.mode), to.path, kind_of(target.mode));
}

Status receive_stream(const Engine &engine, const CopySide &from, const CopySide &to, const CopyOptions &options) {
  const Located target = TRY(locate(to, true));
  if (!target.self.valid()) {
    return fail(target.mode == 0 ? ENOENT : ENOTDIR, spec::quote(to.path.path), "an archive goes into a directory");
  }
  Running writer =
      TRY(start(receive_words(engine, from, to, options), {.in = kernel::FdView(0), .out = target.self}, to));
  return judge(TRY(wait_for(writer)));
}

Status send_stream(const Engine &engine, const CopySide &from, Located source) {
  const CopyShape shape = TRY(make_copy_shape(from.path, kind_of(source.mode), {}, FileKind::directory));
  const Sending sending{.from = std::move(source), .as = shape.as};
  Running reader = TRY(start(send_words(engine, sending), {.in = place_of(sending), .out = kernel::FdView(1)}, from));
  const Ended sent = TRY(wait_for(reader));
  return sent.code == nobody_reads ? Status(fail(EPIPE, "stdout")) : judge(sent);
}

}  // namespace

Status copy_tree_between(const Engine &engine, const CopySide &from, const CopySide &to, const CopyOptions &options) {
  if (from.stream) return receive_stream(engine, from, to, options);
  // A '/' behind a link means what it leads to.
  Located source = TRY(locate(from, options.follow_link || from.path.directory));
  if (to.stream) return send_stream(engine, from, std::move(source));
  Located target = TRY(locate(to, true));
  CopyShape shape = TRY(shape_of(from, source, to, target));
  const bool beside = shape.place == CopyShape::Place::beside;
  // Where links led the name may be another one than was written.
  Sending sending{.from = std::move(source), .as = beside ? target.name : std::move(shape.as)};
  return run_both(engine, sending, from, receive_words(engine, from, to, options),
                  beside ? target.directory : target.self, to);
}

}  // namespace skiff::compose
