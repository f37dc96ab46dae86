#include "runtime/bus_message.h"

#include <dbus/dbus.h>

#include <memory>

namespace skiff {
namespace {

struct Unref {
  void operator()(DBusMessage *message) const { dbus_message_unref(message); }
};
using MessagePointer = std::unique_ptr<DBusMessage, Unref>;

std::unexpected<Error> no_memory() { return fail(ENOMEM, "libdbus"); }

bool append(DBusMessageIter &to, const BusValue &value);

// The type of what a container holds, as dbus_message_iter_open_container wants it; nullptr for structs and entries.
const char *contained(const BusValue &value) {
  if (value.signature.front() == 'a') return value.signature.c_str() + 1;
  return value.signature == "v" ? value.items.front().signature.c_str() : nullptr;
}

int container_type(char letter) {
  switch (letter) {
    case '(':
      return DBUS_TYPE_STRUCT;
    case '{':
      return DBUS_TYPE_DICT_ENTRY;
    default:
      return letter;
  }
}

bool append_container(DBusMessageIter &to, const BusValue &value) {
  DBusMessageIter inside;
  if (dbus_message_iter_open_container(&to, container_type(value.signature.front()), contained(value), &inside) == 0) {
    return false;
  }
  for (const BusValue &item : value.items) {
    if (!append(inside, item)) return false;
  }
  return dbus_message_iter_close_container(&to, &inside) != 0;
}

bool append(DBusMessageIter &to, const BusValue &value) {
  const char type = value.signature.front();
  DBusBasicValue raw{};
  if (const auto *flag = std::get_if<bool>(&value.basic)) {
    raw.bool_val = *flag ? 1 : 0;
  } else if (const auto *text = std::get_if<std::string>(&value.basic)) {
    const char *pointer = text->c_str();
    return dbus_message_iter_append_basic(&to, type, static_cast<const void *>(&pointer)) != 0;
  } else if (const auto *real = std::get_if<double>(&value.basic)) {
    raw.dbl = *real;
  } else if (const auto *number = std::get_if<std::uint64_t>(&value.basic)) {
    // The member of the type's own width: libdbus reads that one, whatever the byte order.
    if (type == 'y') raw.byt = static_cast<unsigned char>(*number);
    if (type == 'q') raw.u16 = static_cast<dbus_uint16_t>(*number);
    if (type == 'u') raw.u32 = static_cast<dbus_uint32_t>(*number);
    if (type == 't') raw.u64 = *number;
  } else if (const auto *signed_number = std::get_if<std::int64_t>(&value.basic)) {
    if (type == 'n') raw.i16 = static_cast<dbus_int16_t>(*signed_number);
    if (type == 'i' || type == 'h') raw.i32 = static_cast<dbus_int32_t>(*signed_number);
    if (type == 'x') raw.i64 = *signed_number;
  } else {
    return append_container(to, value);
  }
  // A handle is an index of a descriptor, and none is sent along: it goes as the number that it is.
  return dbus_message_iter_append_basic(&to, type == 'h' ? 'i' : type, &raw) != 0;
}

std::string text_of(const char *text) { return text == nullptr ? std::string() : text; }

// One value at the iterator; nothing for a container.
std::optional<BusValue> read(DBusMessageIter &from) {
  const int type = dbus_message_iter_get_arg_type(&from);
  if (type == DBUS_TYPE_VARIANT) {
    DBusMessageIter inside;
    dbus_message_iter_recurse(&from, &inside);
    return read(inside);
  }
  if (dbus_type_is_basic(type) == 0 || type == DBUS_TYPE_UNIX_FD) return std::nullopt;
  DBusBasicValue raw{};
  dbus_message_iter_get_basic(&from, &raw);
  BusValue out{.signature = std::string(1, static_cast<char>(type)), .basic = {}, .items = {}};
  switch (type) {
    case DBUS_TYPE_BOOLEAN:
      out.basic = raw.bool_val != 0;
      break;
    case DBUS_TYPE_UINT32:
      out.basic = std::uint64_t{raw.u32};
      break;
    case DBUS_TYPE_UINT64:
      out.basic = std::uint64_t{raw.u64};
      break;
    case DBUS_TYPE_INT32:
      out.basic = std::int64_t{raw.i32};
      break;
    case DBUS_TYPE_STRING:
    case DBUS_TYPE_OBJECT_PATH:
    case DBUS_TYPE_SIGNATURE:
      out.basic = std::string(raw.str);
      break;
    default:
      return std::nullopt;
  }
  return out;
}

BusMessage::Kind kind_of(DBusMessage *message) {
  switch (dbus_message_get_type(message)) {
    case DBUS_MESSAGE_TYPE_METHOD_RETURN:
      return BusMessage::Kind::answer;
    case DBUS_MESSAGE_TYPE_ERROR:
      return BusMessage::Kind::error;
    case DBUS_MESSAGE_TYPE_SIGNAL:
      return BusMessage::Kind::signal;
    default:
      return BusMessage::Kind::other;
  }
}

}  // namespace

Result<std::string> marshal(const BusCall &call, std::uint32_t serial) {
  const MessagePointer message(
      dbus_message_new_method_call(call.destination.empty() ? nullptr : call.destination.c_str(), call.path.c_str(),
                                   call.interface.c_str(), call.member.c_str()));
  if (message == nullptr) return no_memory();
  DBusMessageIter body;
  dbus_message_iter_init_append(message.get(), &body);
  for (const BusValue &argument : call.arguments) {
    if (!append(body, argument)) return no_memory();
  }
  dbus_message_set_serial(message.get(), serial);
  char *bytes = nullptr;
  int length = 0;
  if (dbus_message_marshal(message.get(), &bytes, &length) == 0) return no_memory();
  std::string out(bytes, static_cast<std::size_t>(length));
  dbus_free(bytes);
  return out;
}

Result<std::optional<std::size_t>> message_length(std::string_view begin) {
  if (begin.size() < DBUS_MINIMUM_HEADER_SIZE) return std::nullopt;
  const int length = dbus_message_demarshal_bytes_needed(begin.data(), static_cast<int>(begin.size()));
  if (length <= 0) return fail(EBADMSG, "what came is no D-Bus message");
  return static_cast<std::size_t>(length);
}

Result<BusMessage> demarshal(std::string_view bytes) {
  DBusError error;
  dbus_error_init(&error);
  const MessagePointer message(dbus_message_demarshal(bytes.data(), static_cast<int>(bytes.size()), &error));
  if (message == nullptr) {
    const std::string text = text_of(error.message);
    dbus_error_free(&error);
    return fail(EBADMSG, "what came is no D-Bus message: " + text);
  }
  BusMessage out{.kind = kind_of(message.get()),
                 .answers = dbus_message_get_reply_serial(message.get()),
                 .member = text_of(dbus_message_get_member(message.get())),
                 .error_name = text_of(dbus_message_get_error_name(message.get())),
                 .body = {}};
  DBusMessageIter body;
  if (dbus_message_iter_init(message.get(), &body) == 0) return out;
  do {
    if (std::optional<BusValue> value = read(body)) out.body.push_back(*std::move(value));
  } while (dbus_message_iter_next(&body) != 0);
  return out;
}

}  // namespace skiff
