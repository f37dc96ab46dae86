// JSON out, for the program inside the container. It stands alone: no other file of the project may add to its size or
// to what can go wrong in a rootfs that holds nothing else.
#pragma once

#include <string>
#include <string_view>

namespace skiff::inside {

// One object or array that is being written; the members come in any order.
class Text {
 public:
  explicit Text(char open) : out_(1, open), close_(open == '{' ? '}' : ']') {}

  // A member of an object, or with an empty key an element of an array. `raw` is JSON already.
  void raw(std::string_view key, std::string_view json);
  void add(std::string_view key, std::string_view text);
  void add(std::string_view key, const char *text) { add(key, std::string_view(text)); }
  void add(std::string_view key, long long number) { raw(key, std::to_string(number)); }
  void add_unsigned(std::string_view key, unsigned long long number) { raw(key, std::to_string(number)); }

  [[nodiscard]] std::string finish() const { return out_ + close_; }

 private:
  std::string out_;
  char close_;
};

// The text with quotes; a byte above 127 passes as it is.
[[nodiscard]] std::string quote(std::string_view text);

// The whole file up to 64 KiB, or "" with errno set.
[[nodiscard]] std::string read_file(const char *path);
// The value after "NAME:" in the text of a /proc status file, without blanks around it.
[[nodiscard]] std::string status_field(const std::string &text, std::string_view name);

}  // namespace skiff::inside
