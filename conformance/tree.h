// A JSON value that can be changed: what a case edits before it writes config.json, and what the container and the
// runtime print. Places are JSON pointers (RFC 6901). No value is ever refused: a case must be able to write nonsense.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spec/error.h"
#include "spec/json.h"

namespace skiff::conformance {

class Tree {
 public:
  enum class Kind : std::uint8_t { null, boolean, number, string, array, object };
  struct Member {
    std::string_view key;  // of an array's element empty
    const Tree &value;
  };

  Tree() = default;
  // NOLINTBEGIN(google-explicit-constructor): an edit reads like the JSON it makes.
  Tree(const char *text) : kind_(Kind::string), text_(text) {}
  Tree(std::string text) : kind_(Kind::string), text_(std::move(text)) {}
  template <std::same_as<bool> Flag>
  Tree(Flag value) : kind_(Kind::boolean), text_(value ? "true" : "false") {}
  template <std::integral Number>
    requires(!std::same_as<Number, bool>)
  Tree(Number number) : kind_(Kind::number), text_(std::to_string(number)) {}
  // NOLINTEND(google-explicit-constructor)

  // The error gives the place in the text.
  [[nodiscard]] static Result<Tree> parse(std::string_view json);

  [[nodiscard]] Kind kind() const { return kind_; }
  // Of a string its value; of a number or boolean as JSON writes it; else "".
  [[nodiscard]] const std::string &text() const { return text_; }
  // Views into this value; none of anything but an array or an object.
  [[nodiscard]] std::vector<Member> members() const;
  [[nodiscard]] std::string dump() const;

  // nullptr: nothing is there.
  [[nodiscard]] const Tree *find(std::string_view pointer) const;
  // text() of what is there; "" where nothing is.
  [[nodiscard]] std::string text(std::string_view pointer) const;
  // nullopt: no integer is there.
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view pointer) const;
  // The texts of an array's elements; empty where no array is.
  [[nodiscard]] std::vector<std::string> texts(std::string_view pointer) const;

  // What is there, made with its parents where missing. A step that an array has not, such as "-", is a new last
  // element.
  Tree &at(std::string_view pointer);
  void set(std::string_view pointer, Tree value) { at(pointer) = std::move(value); }
  void remove(std::string_view pointer);

 private:
  static Tree copy(spec::json::Value value);
  // Of the member of that name, or of the element of that number.
  [[nodiscard]] std::optional<std::size_t> index_of(std::string_view step) const;

  Kind kind_ = Kind::null;
  std::string text_;
  std::vector<std::string> keys_;  // as many as values_; of an array all are empty
  std::vector<Tree> values_;
};

// R"({"type": "pid"})"_json. For literals of our own: aborts where it is no JSON.
[[nodiscard]] Tree operator""_json(const char *text, std::size_t size);

}  // namespace skiff::conformance
