// A JSON document as a flat list of values in document order: no tree, one allocation for the values and one for the
// text. The only file behind it, json.cc, is the only one that sees the JSON library.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "spec/config.h"

namespace skiff::spec::json {

// Deeper or longer documents are refused. The spec's own structures nest ten levels at most.
inline constexpr std::size_t depth_limit = 64;
inline constexpr std::size_t size_limit = std::size_t{64} << 20;

// `negative` and `natural` are integers below and from zero; `fraction` is any other number, 1.0 and 1e3 included, and
// every integer that 64 bits do not hold.
enum class Kind : std::uint8_t { null, boolean, negative, natural, fraction, string, array, object };

struct Node {
  Kind kind = Kind::null;
  std::uint32_t end = 0;        // the index after its last descendant
  std::uint32_t key_begin = 0;  // of a member, in the document's text
  std::uint32_t key_size = 0;
  std::uint64_t number = 0;     // boolean, negative (two's complement), natural; else where its text begins
  std::uint32_t text_size = 0;  // string, fraction
};

class Document;

// One value inside a document that outlives it. Absent, and absent only, is false.
class Value {
 public:
  Value() = default;
  Value(const Document &document, std::uint32_t index) : document_(&document), index_(index) {}

  explicit operator bool() const { return document_ != nullptr; }
  [[nodiscard]] Kind kind() const;
  [[nodiscard]] std::uint64_t number() const;
  // Of a string its value, of a fraction the number as it was written.
  [[nodiscard]] std::string_view text() const;
  [[nodiscard]] std::string_view key() const;
  // The member of that name, the last where there are several; absent when there is none or when it is null. A name in
  // other letters, "pagesize" for "pageSize", counts where there is no exact one: runc's parser takes it, so callers
  // use it.
  [[nodiscard]] Value member(std::string_view name) const;
  // RFC 6901
  [[nodiscard]] std::string pointer() const;

  // Calls `visit` with every element or member value, in order.
  template <class Visit>
  void each(Visit visit) const;

 private:
  [[nodiscard]] const Node &node() const;

  const Document *document_ = nullptr;
  std::uint32_t index_ = 0;
};

class Document {
 public:
  // A document that is not JSON, or beyond the limits, is one finding.
  [[nodiscard]] static std::expected<Document, Finding> parse(std::string_view json);

  [[nodiscard]] Value root() const { return {*this, 0}; }

 private:
  friend class Value;
  friend class Builder;

  [[nodiscard]] std::string_view cut(std::uint64_t begin, std::uint32_t size) const {
    return std::string_view(text_).substr(begin, size);
  }
  [[nodiscard]] std::string pointer(std::uint32_t index) const;

  std::vector<Node> nodes_;
  std::string text_;
};

// One step of a JSON pointer: "/" and the name with ~ and / escaped.
void append_step(std::string &pointer, std::string_view name);

inline const Node &Value::node() const { return document_->nodes_[index_]; }
inline Kind Value::kind() const { return node().kind; }
inline std::uint64_t Value::number() const { return node().number; }
inline std::string_view Value::text() const { return document_->cut(node().number, node().text_size); }
inline std::string_view Value::key() const { return document_->cut(node().key_begin, node().key_size); }
inline std::string Value::pointer() const { return document_->pointer(index_); }

template <class Visit>
void Value::each(Visit visit) const {
  for (std::uint32_t at = index_ + 1; at < node().end; at = document_->nodes_[at].end) visit(Value(*document_, at));
}

}  // namespace skiff::spec::json
