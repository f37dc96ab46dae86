#include "runtime/sync.h"

#include <array>
#include <cstring>
#include <utility>

#include "runtime/kernel/socket.h"

namespace skiff {
namespace {

constexpr std::size_t max_message = 4000;  // below PIPE_BUF, so that the same bytes pass the gate's FIFO in one piece

struct Header {
  Word word;
  std::uint8_t magic;
  std::uint16_t remedy_bytes;
  std::int32_t number;
  std::int32_t step;
};
constexpr std::uint8_t magic = 0xb7;

std::string header(Word word, std::int32_t number, std::int32_t step, std::size_t remedy_bytes) {
  const Header head{word, magic, static_cast<std::uint16_t>(remedy_bytes), number, step};
  std::string bytes(sizeof head, '\0');
  std::memcpy(bytes.data(), &head, sizeof head);
  return bytes;
}

}  // namespace

std::string make_message(Word word, std::int32_t number, std::int32_t step) { return header(word, number, step, 0); }

std::string make_message(Word word, const Error &error) {
  const std::string_view advice = std::string_view(error.remedy).substr(0, max_message / 4);
  const std::string_view text = std::string_view(error.text).substr(0, max_message / 2);
  std::string bytes = header(word, error.number, 0, advice.size());
  bytes += advice;
  bytes += text;
  return bytes;
}

Result<Received> parse_message(std::string_view bytes) {
  Header head{};
  if (bytes.size() < sizeof head) return fail("a message of the init process was cut short");
  std::memcpy(&head, bytes.data(), sizeof head);
  bytes.remove_prefix(sizeof head);
  if (head.magic != magic || head.word > Word::go_on || head.remedy_bytes > bytes.size()) {
    return fail("a message of the init process makes no sense");
  }
  Received received{.word = head.word, .number = head.number, .step = head.step, .error = {}};
  if (head.word == Word::failed) {
    received.error.number = head.number;
    received.error.remedy = bytes.substr(0, head.remedy_bytes);
    received.error.text = bytes.substr(head.remedy_bytes);
  }
  return received;
}

Result<Stage> next_stage(Stage stage, Word word) {
  using enum Stage;
  if (stage == relaying && word == Word::pid) return building;
  if (stage == building && (word == Word::hooks || word == Word::listener || word == Word::id_map)) return building;
  if (stage == building && word == Word::ready) return ready;
  return fail("the init process spoke out of turn");
}

Status say(const kernel::Fd &socket, Word word, std::int32_t number, std::int32_t step) {
  return kernel::write_all(socket, make_message(word, number, step));
}

void say_failed(const kernel::Fd &socket, const Error &error) {
  (void)kernel::write_all(socket, make_message(Word::failed, error));
}

Result<Received> hear(const kernel::Fd &socket) {
  std::array<char, max_message + sizeof(Header)> bytes{};
  Result<std::size_t> read = kernel::read_some(socket, bytes);
  // The other side ended and left something of ours unread. What it had said before is still to be heard.
  if (!read && read.error().number == ECONNRESET) read = kernel::read_some(socket, bytes);
  const std::size_t got = TRY(read);
  if (got == 0) return fail(EPIPE, "the other process ended");
  return parse_message({bytes.data(), got});
}

Status say_descriptor(const kernel::Fd &socket, const kernel::Fd &fd) {
  const std::array<kernel::FdView, 1> fds = {fd};
  return kernel::send_message(socket, make_message(Word::go_on), fds);
}

Result<kernel::Fd> hear_descriptor(const kernel::Fd &socket) {
  std::optional<kernel::Message> message = TRY(kernel::recv_message(socket, max_message + sizeof(Header), 1));
  if (!message) return fail(EPIPE, "the other process ended");
  const Received received = TRY(parse_message(message->bytes));
  if (received.word == Word::failed) return std::unexpected(received.error);
  if (received.word != Word::go_on || message->fds.empty()) return fail("the parent spoke out of turn");
  return std::move(message->fds.front());
}

Result<Relayed> hear_relay(const kernel::Fd &socket) {
  Relayed heard{.relay = TRY(hear(socket)), .early = {}};
  if (heard.relay.word == Word::pid || heard.relay.word == Word::failed) return heard;
  heard.early = std::exchange(heard.relay, TRY(hear(socket)));
  return heard;
}

Result<Received> hear_next(const kernel::Fd &socket, std::optional<Received> &early) {
  if (!early) return hear(socket);
  return *std::exchange(early, std::nullopt);
}

Status hear_go_on(const kernel::Fd &socket) {
  const Received received = TRY(hear(socket));
  if (received.word != Word::go_on) return fail("the runtime spoke out of turn");
  return {};
}

}  // namespace skiff
