// What the parent and its children say to each other while a process is made: small messages over one SOCK_SEQPACKET
// pair.
//
//   child to parent                             parent's answer
//   pid       the relay has cloned init         none; the relay ends
//   hooks     mounts are done, before pivot     go_on, once prestart and createRuntime hooks have run
//   listener  number of the seccomp descriptor  go_on, once the agent has what pidfd_getfd(2) took
//   id_map    number of a detached mount, step  go_on, once the parent has given it the step's id maps
//   ready     everything is applied             run: go_on; create: none, the gate decides
//   failed    an Error                          none; the child ends
//   (end)     the program runs, or it died      the exit status tells
//
// While init works the parent makes its network namespace, and sends it: go_on with a descriptor. Init takes that when
// it comes to it.
//
// A child that needs something done from outside first (id maps, a v1 cgroup) waits for one go_on at its very
// beginning.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/kernel/fd.h"
#include "spec/error.h"

namespace skiff {

enum class Word : std::uint8_t { pid, hooks, listener, id_map, ready, failed, go_on };

struct Received {
  Word word = Word::failed;
  std::int32_t number = 0;  // pid, listener, id_map
  std::int32_t step = 0;    // id_map: which of the plan's
  Error error;              // failed
};

[[nodiscard]] std::string make_message(Word word, std::int32_t number = 0, std::int32_t step = 0);
[[nodiscard]] std::string make_message(Word word, const Error &error);
// An error where the bytes are no message.
[[nodiscard]] Result<Received> parse_message(std::string_view bytes);

// Where the parent stands, and what it may hear there. Pure: every cell of the table has a test.
enum class Stage : std::uint8_t {
  relaying,  // the relay works; pid is to come
  building,  // init works
  ready,     // init waits at the gate, or for go_on
};
[[nodiscard]] Result<Stage> next_stage(Stage stage, Word word);

// One write(2) of one message.
[[nodiscard]] Status say(const kernel::Fd &socket, Word word, std::int32_t number = 0, std::int32_t step = 0);
// Never fails: a parent that is gone cannot be told.
void say_failed(const kernel::Fd &socket, const Error &error);
// One message by read(2). EPIPE where the other side has ended.
[[nodiscard]] Result<Received> hear(const kernel::Fd &socket);
// What comes through a relay: its own `pid` or `failed`, and what the process that it made has said before that, for
// that process may be the faster one. It says no more than one thing without an answer.
struct Relayed {
  Received relay;
  std::optional<Received> early;
};
[[nodiscard]] Result<Relayed> hear_relay(const kernel::Fd &socket);
// The next message: `early` first, which is empty then.
[[nodiscard]] Result<Received> hear_next(const kernel::Fd &socket, std::optional<Received> &early);
// A go_on with a descriptor, which only the parent sends, in the order of its other messages.
[[nodiscard]] Status say_descriptor(const kernel::Fd &socket, const kernel::Fd &fd);
// An error is the other side's own, where it has said that it failed.
[[nodiscard]] Result<kernel::Fd> hear_descriptor(const kernel::Fd &socket);
// Waits for go_on.
[[nodiscard]] Status hear_go_on(const kernel::Fd &socket);

}  // namespace skiff
