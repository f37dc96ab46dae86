#include "spec/json.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#define JSON_NO_IO 1
#include <nlohmann/json.hpp>

namespace skiff::spec::json {

namespace {

struct Hint {
  std::string_view sign;  // in the library's words
  std::string_view remedy;
};
constexpr std::array<Hint, 6> hints = {{
    {"object key - unexpected '}'", "remove the comma before it"},
    {"value - unexpected ']'", "remove the comma before it"},
    {"object - unexpected string literal; expected '}'", "put a comma before it"},
    {"object - unexpected number literal", "put a comma before it; a number has no leading zero"},
    {"array - unexpected", "put a comma before it"},
    {"unexpected end of input", "the document is cut off"},
}};

std::string_view remedy_for(std::string_view words) {
  for (const Hint &hint : hints) {
    if (words.find(hint.sign) != std::string_view::npos) return hint.remedy;
  }
  return {};
}

// The library's text without its own name and error number in front: "line 3, column 7: ...".
std::string_view plain_words(std::string_view what) {
  if (auto close = what.find("] "); what.starts_with('[') && close != std::string_view::npos)
    what.remove_prefix(close + 2);
  constexpr std::string_view intro = "parse error at ";
  if (what.starts_with(intro)) what.remove_prefix(intro.size());
  return what;
}

}  // namespace

// Receives the library's events. A false return stops it, and then `failure` says why.
class Builder {
 public:
  explicit Builder(std::size_t size) {
    document_.nodes_.reserve(size / 16 + 16);
    document_.text_.reserve(size);
  }

  bool null() { return add(Kind::null, 0); }
  bool boolean(bool value) { return add(Kind::boolean, value ? 1 : 0); }
  bool number_integer(std::int64_t value) {
    return add(value < 0 ? Kind::negative : Kind::natural, static_cast<std::uint64_t>(value));
  }
  bool number_unsigned(std::uint64_t value) { return add(Kind::natural, value); }
  bool number_float(double, const std::string &written) { return add_text(Kind::fraction, written); }
  bool string(const std::string &value) { return add_text(Kind::string, value); }
  bool binary(const std::vector<std::uint8_t> &) { return false; }
  bool start_object(std::size_t) { return open(Kind::object); }
  bool start_array(std::size_t) { return open(Kind::array); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(const std::string &name) {
    key_begin_ = static_cast<std::uint32_t>(document_.text_.size());
    key_size_ = static_cast<std::uint32_t>(name.size());
    document_.text_ += name;
    return true;
  }
  bool parse_error(std::size_t, const std::string &, const nlohmann::detail::exception &exception) {
    const std::string_view words = plain_words(exception.what());
    return stop(std::string(words), std::string(remedy_for(words)));
  }

  Document document_;
  Finding failure_;

 private:
  bool add(Kind kind, std::uint64_t number, std::uint32_t text_size = 0) {
    const auto after = static_cast<std::uint32_t>(document_.nodes_.size() + 1);
    document_.nodes_.push_back({kind, after, key_begin_, std::exchange(key_size_, 0), number, text_size});
    return true;
  }

  bool add_text(Kind kind, const std::string &value) {
    const std::size_t begin = document_.text_.size();
    document_.text_ += value;
    return add(kind, begin, static_cast<std::uint32_t>(value.size()));
  }

  bool open(Kind kind) {
    if (depth_ == open_.size()) return stop(fmt::format("nested deeper than {} levels", depth_limit), "");
    open_[depth_++] = static_cast<std::uint32_t>(document_.nodes_.size());
    return add(kind, 0);
  }

  bool close() {
    document_.nodes_[open_[--depth_]].end = static_cast<std::uint32_t>(document_.nodes_.size());
    return true;
  }

  bool stop(std::string text, std::string remedy) {
    for (std::size_t i = 0; i < depth_; ++i) {
      document_.nodes_[open_[i]].end = static_cast<std::uint32_t>(document_.nodes_.size());
    }
    std::string pointer = depth_ == 0 ? std::string() : document_.pointer(open_[depth_ - 1]);
    if (key_size_ != 0) append_step(pointer, document_.cut(key_begin_, key_size_));
    failure_ = {std::move(pointer), std::move(text), "", std::move(remedy)};
    return false;
  }

  std::array<std::uint32_t, depth_limit> open_{};  // the containers not yet closed
  std::size_t depth_ = 0;
  std::uint32_t key_begin_ = 0;
  std::uint32_t key_size_ = 0;
};

std::expected<Document, Finding> Document::parse(std::string_view json) {
  if (json.size() > size_limit) {
    return std::unexpected(Finding{"", fmt::format("the document is longer than {} MiB", size_limit >> 20), "", ""});
  }
  if (json.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return std::unexpected(Finding{"", "the document is empty", "", "write one JSON object into it"});
  }
  Builder builder(json.size());
  if (!nlohmann::json::sax_parse(json.begin(), json.end(), &builder))
    return std::unexpected(std::move(builder.failure_));
  return std::move(builder.document_);
}

namespace {

bool same_letters(std::string_view a, std::string_view b) {
  constexpr auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return a.size() == b.size() && std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace

Value Value::member(std::string_view name) const {
  Value found;
  bool exact = false;
  each([&](Value value) {
    const bool same = value.key() == name;
    if (!same && (exact || !same_letters(value.key(), name))) return;
    found = value;
    exact = same;
  });
  return found && found.kind() == Kind::null ? Value() : found;
}

// Walks down from the root: nobody pays for pointers while all is well.
std::string Document::pointer(std::uint32_t index) const {
  std::string out;
  std::uint32_t at = 0;
  while (at != index) {
    std::uint32_t child = at + 1;
    std::size_t count = 0;
    for (; index >= nodes_[child].end; child = nodes_[child].end) ++count;
    if (nodes_[at].kind == Kind::object) {
      append_step(out, cut(nodes_[child].key_begin, nodes_[child].key_size));
    } else {
      append_step(out, std::to_string(count));
    }
    at = child;
  }
  return out;
}

void append_step(std::string &pointer, std::string_view name) {
  pointer += '/';
  for (const char c : name) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
}

}  // namespace skiff::spec::json
