// A tree of values that remember where they stand: what a compose.yaml or a .ctst file says, before it becomes a
// Project.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace skiff::compose {

// A file that was read. It outlives every value of it.
struct Source {
  std::string path;  // as errors name it
  std::string text;
};

// Both counted from 1, the column in bytes; line 0 is a value that no file has, such as a default.
struct Position {
  const Source *source = nullptr;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

// compose-spec, "Merge and override": `!reset` takes away what an earlier file says, `!override` replaces it whole.
enum class Tag : std::uint8_t { none, reset, override_ };

struct Member;

struct Value {
  enum class Kind : std::uint8_t { null, boolean, number, string, list, map };

  Kind kind = Kind::null;
  Tag tag = Tag::none;
  Position at;
  std::string text;             // of a scalar, as it is written but without quotes; "true" or "false" for a boolean
  std::vector<Value> items;     // of a list
  std::vector<Member> members;  // of a map, in the order of the file, no key twice

  [[nodiscard]] static Value of_string(std::string text, Position at = {});
  [[nodiscard]] static Value of_map(Position at = {});
  [[nodiscard]] static Value of_list(Position at = {});

  [[nodiscard]] bool is_scalar() const { return kind != Kind::list && kind != Kind::map; }
  // Null where there is none.
  [[nodiscard]] const Value *find(std::string_view key) const;
  [[nodiscard]] Value *find(std::string_view key);
  // The value of that key, added at the end as null where there is none. Makes a map of a null.
  Value &get(std::string_view key);
  void remove(std::string_view key);
};

struct Member {
  std::string key;
  Position at;
  Value value;
};

}  // namespace skiff::compose
