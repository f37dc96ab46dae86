// Writes the structures whose `fields` functions (fields_*.h) name their members as JSON. What the kernel gave as bytes
// that are not UTF-8 comes out as U+FFFD.
#pragma once

#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace skiff::spec {

class Writer {
 public:
  // `indent` is one level's; without one all stands on one line, without spaces.
  explicit Writer(std::string_view indent) : indent_(indent) {}

  template <class T>
  [[nodiscard]] std::string document(const T &value) {
    write(value);
    return std::move(out_);
  }

  void clause(std::string_view /*where*/) {}

  // Left out at its default: empty, zero, false, absent, or a structure of such.
  template <class T>
  void optional(std::string_view key, const T &value) {
    if (at_default(value)) return;
    const std::size_t before = out_.size();
    const bool was_first = first_;
    const std::size_t inside = always(key, value);
    if (std::is_class_v<T> && inside == 0) {
      out_.resize(before);
      first_ = was_first;
    }
  }

  // Never left out. Returns how many members a structure wrote, else 1.
  template <class T>
  std::size_t always(std::string_view key, const T &value) {
    begin_member(key);
    return write(value);
  }

  template <class T>
  void required(std::string_view key, const T &value) {
    always(key, value);
  }

  template <class T>
  void free_text(std::string_view key, const T &value) {
    optional(key, value);
  }

  template <class T>
  void presence(std::string_view key, const T &value, bool present) {
    if (present) {
      always(key, value);
    } else {
      optional(key, value);
    }
  }

  template <class T>
  void unless_blank(std::string_view key, const T &value, std::string_view /*first*/, std::string_view /*second*/) {
    optional(key, value);
  }

 private:
  std::size_t write(bool value);
  std::size_t write(std::string_view value);
  std::size_t write(const std::string &value) { return write(std::string_view(value)); }

  template <std::integral T>
  std::size_t write(T value) {
    out_ += std::to_string(value);
    return 1;
  }

  template <class T>
    requires std::is_enum_v<T>
  std::size_t write(T value) {
    return write(names_of(value)[static_cast<std::size_t>(value)]);
  }

  template <class T>
  std::size_t write(const std::optional<T> &value) {
    if (value) {
      write(*value);
    } else {
      out_ += "null";
    }
    return 1;
  }

  template <class T>
  std::size_t write(const std::vector<T> &value) {
    open('[');
    for (const T &element : value) {
      begin_element();
      write(element);
    }
    close(']');
    return 1;
  }

  template <class T>
  std::size_t write(const std::map<std::string, T> &value) {
    open('{');
    for (const auto &[key, element] : value) always(key, element);
    close('}');
    return 1;
  }

  template <class T>
    requires std::is_class_v<T>
  std::size_t write(const T &value) {
    open('{');
    fields(*this, value);
    const bool empty = first_;
    close('}');
    return empty ? 0 : 1;
  }

  template <class T>
  static bool at_default(const T &value) {
    if constexpr (std::is_arithmetic_v<T>) {
      return value == T{};
    } else if constexpr (requires { value.has_value(); }) {
      return !value.has_value();
    } else if constexpr (requires { value.empty(); }) {
      return value.empty();
    } else {
      return false;
    }
  }

  void open(char bracket);
  void close(char bracket);
  void begin_element();
  void begin_member(std::string_view key);
  void new_line();

  std::string out_;
  std::string_view indent_;
  std::size_t depth_ = 0;
  bool first_ = true;  // nothing stands yet in the innermost bracket
};

}  // namespace skiff::spec
