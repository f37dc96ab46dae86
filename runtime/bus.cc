#include "runtime/bus.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <charconv>

#include "runtime/kernel/socket.h"

namespace skiff {
namespace {

constexpr std::size_t longest_line = 16384;
constexpr std::size_t longest_message = std::size_t{128} << 20;  // D-Bus specification, "Message Format"

BusCall bus_call(const char *member, std::vector<BusValue> arguments) {
  return {.destination = "org.freedesktop.DBus",
          .path = "/org/freedesktop/DBus",
          .interface = "org.freedesktop.DBus",
          .member = member,
          .arguments = std::move(arguments)};
}

std::string text_of(const std::vector<BusValue> &body) {
  const std::string *text = body.empty() ? nullptr : std::get_if<std::string>(&body.front().basic);
  return text == nullptr ? std::string() : *text;
}

std::string unescape(std::string_view value) {
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    unsigned code = 0;
    const bool escaped = value[i] == '%' && i + 2 < value.size() &&
                         std::from_chars(value.data() + i + 1, value.data() + i + 3, code, 16).ec == std::errc{};
    out += escaped ? static_cast<char>(code) : value[i];
    if (escaped) i += 2;
  }
  return out;
}

}  // namespace

Result<Bus> Bus::connect(const std::string &socket, Kind kind, std::chrono::milliseconds patience) {
  const Deadline deadline(patience);
  Bus out(TRY(kernel::connect_unix(kernel::cwd, socket, SOCK_STREAM)));
  TRY(in(fmt::format("D-Bus at {}", socket), out.authenticate(deadline)));
  if (kind == Kind::service) return out;
  const auto named = TRY(out.call(bus_call("Hello", {}), deadline));
  if (!named) return fail(fmt::format("D-Bus at {}: {}: {}", socket, named.error().name, named.error().text));
  return out;
}

Status Bus::authenticate(const Deadline &deadline) {
  // All at once, as the order of the answers is known: the empty DATA is our name, and the kernel's word counts.
  constexpr char words[] = "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n";
  TRY(kernel::write_all(socket_, std::string_view(words, sizeof words - 1)));
  std::string line = TRY(receive_line(deadline));
  if (line == "DATA") line = TRY(receive_line(deadline));
  if (line.starts_with("OK")) return {};
  return fail(EACCES, fmt::format("it does not accept this user: \"{}\"", line));
}

Status Bus::receive_some(const Deadline &deadline) {
  if (!TRY(kernel::wait_readable(socket_, deadline.left()))) return fail(ETIMEDOUT, "no answer came");
  std::array<char, 4096> buffer{};
  const std::size_t length = TRY(kernel::read_some(socket_, buffer));
  if (length == 0) return fail(ECONNRESET, "the connection was closed");
  received_.append(buffer.data(), length);
  return {};
}

Result<std::string> Bus::receive_line(const Deadline &deadline) {
  for (;;) {
    const std::size_t end = received_.find("\r\n");
    if (end != std::string::npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 2);
      return line;
    }
    if (received_.size() > longest_line) return fail(EBADMSG, "what answers speaks no D-Bus");
    TRY(receive_some(deadline));
  }
}

Result<BusMessage> Bus::receive(const Deadline &deadline) {
  for (;;) {
    const std::optional<std::size_t> length = TRY(message_length(received_));
    if (length && *length > longest_message) return fail(EBADMSG, "a message is longer than D-Bus allows");
    if (length && received_.size() >= *length) {
      Result<BusMessage> message = demarshal(std::string_view(received_).substr(0, *length));
      received_.erase(0, *length);
      return message;
    }
    TRY(receive_some(deadline));
  }
}

Result<BusAnswer> Bus::call(const BusCall &call, const Deadline &deadline) {
  const std::uint32_t serial = ++last_serial_;
  TRY(kernel::write_all(socket_, TRY(marshal(call, serial))));
  for (;;) {
    BusMessage message = TRY(in(call.member, receive(deadline)));
    if (message.kind == BusMessage::Kind::signal) {
      signals_.push_back(std::move(message));
      continue;
    }
    if (message.answers != serial) continue;
    if (message.kind == BusMessage::Kind::error) {
      return BusAnswer(
          std::unexpected(BusRefusal{.name = std::move(message.error_name), .text = text_of(message.body)}));
    }
    return BusAnswer(std::move(message.body));
  }
}

Result<std::vector<BusValue>> Bus::wait_for_signal(std::string_view member, const Deadline &deadline) {
  for (;;) {
    while (!signals_.empty()) {
      BusMessage signal = std::move(signals_.front());
      signals_.erase(signals_.begin());
      if (signal.member == member) return std::move(signal.body);
    }
    BusMessage message = TRY(in(member, receive(deadline)));
    if (message.kind == BusMessage::Kind::signal) signals_.push_back(std::move(message));
  }
}

std::string find_socket(std::string_view address) {
  constexpr std::string_view transport = "unix:";
  while (!address.empty()) {
    const std::size_t end = address.find(';');
    std::string_view one = address.substr(0, end);
    address = end == std::string_view::npos ? std::string_view{} : address.substr(end + 1);
    if (!one.starts_with(transport)) continue;
    one.remove_prefix(transport.size());
    while (!one.empty()) {
      const std::size_t comma = one.find(',');
      const std::string_view pair = one.substr(0, comma);
      if (pair.starts_with("path=")) return unescape(pair.substr(5));
      one = comma == std::string_view::npos ? std::string_view{} : one.substr(comma + 1);
    }
  }
  return {};
}

}  // namespace skiff
