// Reads a JSON document into the structures whose `fields` functions (fields_*.h) name their members. Nothing stops it:
// whatever is wrong becomes a finding, and the member keeps its default.
#pragma once

#include <concepts>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "spec/json.h"

namespace skiff::spec {

// T, const or not: the `fields` functions serve the reader and the writer.
template <class M, class T>
concept Like = std::same_as<std::remove_const_t<M>, T>;

class Reader {
 public:
  explicit Reader(std::vector<Finding> &findings) : findings_(&findings) {}

  // The whole document, which must be an object.
  template <class T>
  bool document(json::Value root, T &out) {
    return read(root, out);
  }

  // Where the spec describes the fields that follow; it holds until the end of the structure.
  void clause(std::string_view where) { clause_ = where; }

  // Absent and null leave the default.
  template <class T>
  void optional(std::string_view key, T &out) {
    if (const json::Value value = object_.member(key)) read(value, out);
  }

  // As optional, but the writer never leaves it out.
  template <class T>
  void always(std::string_view key, T &out) {
    optional(key, out);
  }

  // Absent is a finding.
  template <class T>
  void required(std::string_view key, T &out) {
    if (const json::Value value = object_.member(key)) {
      read(value, out);
    } else {
      missing(key);
    }
  }

  // As optional, and whether it was there.
  template <class T>
  void presence(std::string_view key, T &out, bool &present) {
    present = static_cast<bool>(object_.member(key));
    optional(key, out);
  }

  // As optional for text that never reaches a system call: it may hold NUL.
  template <class T>
  void free_text(std::string_view key, T &out) {
    nul_allowed_ = true;
    optional(key, out);
    nul_allowed_ = false;
  }

  // As optional; an object whose two named members are absent or empty counts as absent.
  template <class T>
  void unless_blank(std::string_view key, T &out, std::string_view first, std::string_view second) {
    const json::Value value = object_.member(key);
    if (value && !(blank(value, first) && blank(value, second))) read(value, out);
  }

 private:
  bool read(json::Value value, bool &out);
  bool read(json::Value value, std::string &out);

  template <std::integral T>
  bool read(json::Value value, T &out) {
    using Limits = std::numeric_limits<T>;
    if (!in_range(value, static_cast<std::int64_t>(Limits::min()), static_cast<std::uint64_t>(Limits::max()))) {
      return false;
    }
    out = static_cast<T>(value.number());
    return true;
  }

  template <class T>
    requires std::is_enum_v<T>
  bool read(json::Value value, T &out) {
    const std::optional<std::size_t> index = index_in(value, names_of(out));
    if (index) out = static_cast<T>(*index);
    return index.has_value();
  }

  template <class T>
  bool read(json::Value value, std::optional<T> &out) {
    T read_value{};
    const bool good = read(value, read_value);
    if (good) out = std::move(read_value);
    return good;
  }

  // A wrong element keeps its place with the default, so that the others keep their index.
  template <class T>
  bool read(json::Value value, std::vector<T> &out) {
    if (!expect(value, json::Kind::array)) return false;
    out.clear();
    value.each([&](json::Value element) {
      out.emplace_back();
      read(element, out.back());
    });
    return true;
  }

  template <class T>
  bool read(json::Value value, std::map<std::string, T> &out) {
    if (!expect(value, json::Kind::object)) return false;
    out.clear();
    value.each([&](json::Value member) {
      const std::string key(member.key());
      check_key(member);
      out.erase(key);
      if (member.kind() != json::Kind::null) read(member, out[key]);
    });
    return true;
  }

  template <class T>
    requires std::is_class_v<T>
  bool read(json::Value value, T &out) {
    if (!expect(value, json::Kind::object)) return false;
    const json::Value outer_object = std::exchange(object_, value);
    const std::string_view outer_clause = clause_;
    fields(*this, out);
    object_ = outer_object;
    clause_ = outer_clause;
    return true;
  }

  [[nodiscard]] bool expect(json::Value value, json::Kind kind);
  [[nodiscard]] bool in_range(json::Value value, std::int64_t min, std::uint64_t max);
  [[nodiscard]] std::optional<std::size_t> index_in(json::Value value, std::span<const std::string_view> names);
  [[nodiscard]] static bool blank(json::Value object, std::string_view key);
  void check_key(json::Value member);
  void missing(std::string_view key);
  void report(json::Value value, std::string text, std::string remedy);

  std::vector<Finding> *findings_;
  json::Value object_;
  std::string_view clause_;
  bool nul_allowed_ = false;
};

}  // namespace skiff::spec
