#include "conformance/tree.h"

#include <algorithm>
#include <cstdlib>

#include "runtime/cli/value.h"
#include "spec/writer.h"

namespace skiff::conformance {
namespace {

// The first step of "/mounts/0/source", unescaped, and what follows it.
std::pair<std::string, std::string_view> split_step(std::string_view pointer) {
  pointer.remove_prefix(1);
  const std::string_view raw = pointer.substr(0, pointer.find('/'));
  std::string step;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const bool escape = raw[i] == '~' && i + 1 < raw.size();
    step += escape ? (raw[++i] == '1' ? '/' : '~') : raw[i];
  }
  return {std::move(step), pointer.substr(raw.size())};
}

}  // namespace

Tree Tree::copy(spec::json::Value value) {
  using From = spec::json::Kind;
  Tree tree;
  switch (value.kind()) {
    case From::null:
      break;
    case From::boolean:
      tree = Tree(value.number() != 0);
      break;
    case From::negative:
      tree = Tree(static_cast<std::int64_t>(value.number()));
      break;
    case From::natural:
      tree = Tree(value.number());
      break;
    case From::fraction:
      tree.kind_ = Kind::number;
      tree.text_ = value.text();
      break;
    case From::string:
      tree = Tree(std::string(value.text()));
      break;
    case From::array:
    case From::object:
      tree.kind_ = value.kind() == From::array ? Kind::array : Kind::object;
      value.each([&](spec::json::Value member) {
        tree.keys_.emplace_back(value.kind() == From::array ? "" : member.key());
        tree.values_.push_back(copy(member));
      });
      break;
  }
  return tree;
}

Result<Tree> Tree::parse(std::string_view json) {
  const auto document = spec::json::Document::parse(json);
  if (!document) return fail(document.error().message());
  return copy(document->root());
}

std::vector<Tree::Member> Tree::members() const {
  std::vector<Member> all;
  all.reserve(values_.size());
  for (std::size_t i = 0; i < values_.size(); ++i) all.push_back({keys_[i], values_[i]});
  return all;
}

std::string Tree::dump() const {
  if (kind_ == Kind::null) return "null";
  if (kind_ == Kind::string) return spec::Writer("").document(text_);
  if (kind_ == Kind::boolean || kind_ == Kind::number) return text_;
  const bool object = kind_ == Kind::object;
  std::string out(1, object ? '{' : '[');
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (i > 0) out += ',';
    if (object) out += spec::Writer("").document(keys_[i]) + ":";
    out += values_[i].dump();
  }
  return out + (object ? '}' : ']');
}

std::optional<std::size_t> Tree::index_of(std::string_view step) const {
  if (kind_ == Kind::array) {
    const auto index = cli::parse_number<std::size_t>(step);
    return index && *index < values_.size() ? index : std::nullopt;
  }
  const auto key = std::ranges::find(keys_, step);
  if (key == keys_.end()) return std::nullopt;
  return static_cast<std::size_t>(key - keys_.begin());
}

const Tree *Tree::find(std::string_view pointer) const {
  if (pointer.empty()) return this;
  const auto [step, rest] = split_step(pointer);
  const std::optional<std::size_t> index = index_of(step);
  return index ? values_[*index].find(rest) : nullptr;
}

std::string Tree::text(std::string_view pointer) const {
  const Tree *found = find(pointer);
  return found == nullptr ? "" : found->text_;
}

std::optional<std::int64_t> Tree::number(std::string_view pointer) const {
  const Tree *found = find(pointer);
  if (found == nullptr || found->kind_ != Kind::number) return std::nullopt;
  return cli::parse_number<std::int64_t>(found->text_);
}

std::vector<std::string> Tree::texts(std::string_view pointer) const {
  std::vector<std::string> all;
  if (const Tree *found = find(pointer); found != nullptr) {
    for (const Tree &value : found->values_) all.push_back(value.text_);
  }
  return all;
}

Tree &Tree::at(std::string_view pointer) {
  if (pointer.empty()) return *this;
  const auto [step, rest] = split_step(pointer);
  if (kind_ == Kind::null) kind_ = step == "-" ? Kind::array : Kind::object;
  std::optional<std::size_t> index = index_of(step);
  if (!index) {
    keys_.push_back(kind_ == Kind::array ? "" : step);
    values_.emplace_back();
    index = values_.size() - 1;
  }
  return values_[*index].at(rest);
}

void Tree::remove(std::string_view pointer) {
  const std::size_t last = pointer.rfind('/');
  Tree &parent = at(pointer.substr(0, last));
  const std::optional<std::size_t> index = parent.index_of(split_step(pointer.substr(last)).first);
  if (!index) return;
  parent.keys_.erase(parent.keys_.begin() + static_cast<std::ptrdiff_t>(*index));
  parent.values_.erase(parent.values_.begin() + static_cast<std::ptrdiff_t>(*index));
}

Tree operator""_json(const char *text, std::size_t size) {
  Result<Tree> tree = Tree::parse({text, size});
  if (!tree) std::abort();
  return *std::move(tree);
}

}  // namespace skiff::conformance
