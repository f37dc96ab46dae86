// The text of a failed call. For the wrappers of this room, and for another room's own wrapper of a call.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "runtime/kernel/fd.h"

namespace skiff::kernel {

// A bit, or a set of bits, and its name in the man page.
struct FlagName {
  uint64_t bits;
  std::string_view name;
};

// One argument of a call, as the text of an error shows it. It is built on the failing branch only, and borrows.
class Argument {
 public:
  // NOLINTBEGIN(google-explicit-constructor): an argument list reads like the call it describes.
  Argument(FdView fd) : kind_(Kind::fd), number_(static_cast<uint64_t>(fd.get())) {}
  Argument(const Fd &fd) : Argument(FdView(fd)) {}
  Argument(CString text) : kind_(Kind::quoted), text_(text.view()) {}
  Argument(const std::string &text) : kind_(Kind::quoted), text_(text) {}
  Argument(std::string_view text) : kind_(Kind::quoted), text_(text) {}
  Argument(int number) : kind_(Kind::number), number_(static_cast<uint64_t>(number)) {}
  Argument(unsigned number) : kind_(Kind::number), number_(number) {}
  Argument(int64_t number) : kind_(Kind::number), number_(static_cast<uint64_t>(number)) {}
  Argument(uint64_t number) : kind_(Kind::number), number_(number) {}
  // NOLINTEND(google-explicit-constructor)
  static Argument word(std::string_view text) { return {Kind::word, 0, text, {}}; }
  // What is written, as strace(1) shows it: its beginning.
  static Argument data(std::string_view bytes) { return {Kind::data, 0, bytes, {}}; }
  static Argument octal(uint64_t number) { return {Kind::octal, number, {}, {}}; }
  static Argument open_flags(int flags) { return {Kind::open_flags, static_cast<uint64_t>(flags), {}, {}}; }
  static Argument flags(uint64_t bits, std::span<const FlagName> names) { return {Kind::flags, bits, {}, names}; }

  void append_to(std::string &out) const;

 private:
  enum class Kind : uint8_t { fd, quoted, data, number, octal, word, open_flags, flags };
  Argument(Kind kind, uint64_t number, std::string_view text, std::span<const FlagName> names)
      : kind_(kind), number_(number), text_(text), names_(names) {}
  Kind kind_;
  uint64_t number_ = 0;
  std::string_view text_;
  std::span<const FlagName> names_;
};

// Error{errno as it is now, `call(arguments)`}; with ENOSYS the remedy names the kernel the call needs.
[[nodiscard, gnu::cold, gnu::noinline]] Error call_error(std::string_view call,
                                                         std::initializer_list<Argument> arguments);
// The same, for a return statement.
[[nodiscard, gnu::cold, gnu::noinline]] std::unexpected<Error> call_failed(std::string_view call,
                                                                           std::initializer_list<Argument> arguments);
// The same with an errno that no system call set.
[[nodiscard, gnu::cold, gnu::noinline]] std::unexpected<Error> call_failed(int number, std::string_view call,
                                                                           std::initializer_list<Argument> arguments);

// Makes the call again for as long as a signal interrupts it.
template <class Call>
auto retry(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

// Names of bits, for Argument::flags.
extern const std::span<const FlagName> clone_flag_names;
extern const std::span<const FlagName> mount_attribute_names;
extern const std::span<const FlagName> mount_flag_names;
extern const std::span<const FlagName> open_tree_flag_names;
extern const std::span<const FlagName> resolve_flag_names;

}  // namespace skiff::kernel
