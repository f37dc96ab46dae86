#include "spec/glob.h"

#include <fmt/format.h>

#include "spec/names.h"

namespace skiff::spec {
namespace {

std::unexpected<Error> no_end(std::string_view pattern) {
  return fail(fmt::format("pattern {}: a [ without its ]", spec::quote(pattern)), R"(write \[ for the letter itself)");
}

}  // namespace

bool Glob::is_pattern(std::string_view text) { return text.find_first_of("*?[\\") != std::string_view::npos; }

Result<Glob> Glob::parse(std::string_view pattern, bool deep) {
  Glob glob;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    const char letter = pattern[at];
    if (letter == '*' && deep && pattern.substr(at).starts_with("**")) {
      ++at;
      const bool before_slash = at + 1 < pattern.size() && pattern[at + 1] == '/';
      if (before_slash) ++at;
      glob.parts_.push_back({.kind = before_slash ? Kind::directories : Kind::deep, .letter = 0, .set = {}});
    } else if (letter == '*') {
      glob.parts_.push_back({.kind = Kind::star, .letter = 0, .set = {}});
    } else if (letter == '?') {
      glob.parts_.push_back({.kind = Kind::any, .letter = 0, .set = {}});
    } else if (letter == '[') {
      TRY(glob.parse_set(pattern, at));
    } else {
      if (letter == '\\' && at + 1 < pattern.size()) ++at;
      glob.parts_.push_back({.kind = Kind::letter, .letter = pattern[at], .set = {}});
    }
  }
  return glob;
}

// At its ']' afterwards.
Status Glob::parse_set(std::string_view pattern, std::size_t &at) {
  Part part{.kind = Kind::one_of, .letter = 0, .set = {}};
  ++at;
  const bool negated = at < pattern.size() && (pattern[at] == '^' || pattern[at] == '!');
  if (negated) ++at;
  const auto take = [&]() -> Result<unsigned char> {
    if (at < pattern.size() && pattern[at] == '\\') ++at;
    if (at >= pattern.size()) return no_end(pattern);
    return static_cast<unsigned char>(pattern[at++]);
  };
  for (bool first = true; at >= pattern.size() || pattern[at] != ']' || first; first = false) {
    const unsigned char low = TRY(take());
    unsigned char high = low;
    if (at + 1 < pattern.size() && pattern[at] == '-' && pattern[at + 1] != ']') {
      ++at;
      high = TRY(take());
    }
    for (unsigned letter = low; letter <= high; ++letter) part.set.set(letter);
  }
  if (negated) part.set.flip();
  part.set.reset('/');
  parts_.push_back(part);
  return {};
}

bool Glob::matches(std::string_view path) const {
  // Which parts may come next. Of `directories` the second half says that it stands inside a directory's name.
  const std::size_t count = parts_.size();
  std::vector<bool> now(count + 1);
  std::vector<bool> inside(count + 1);
  const auto skip_empty = [&](std::vector<bool> &states) {
    for (std::size_t at = 0; at < count; ++at) {
      const Kind kind = parts_[at].kind;
      if (states[at] && (kind == Kind::star || kind == Kind::deep || kind == Kind::directories)) states[at + 1] = true;
    }
  };
  now[0] = true;
  skip_empty(now);
  for (const char letter : path) {
    std::vector<bool> next(count + 1);
    std::vector<bool> next_inside(count + 1);
    for (std::size_t at = 0; at < count; ++at) {
      const Part &part = parts_[at];
      if (part.kind == Kind::directories && (now[at] || inside[at])) {
        next_inside[at] = true;
        if (letter == '/') next[at + 1] = true;
      }
      if (!now[at]) continue;
      if (part.kind == Kind::deep || (part.kind == Kind::star && letter != '/')) next[at] = true;
      const bool one = (part.kind == Kind::letter && letter == part.letter) ||
                       (part.kind == Kind::any && letter != '/') ||
                       (part.kind == Kind::one_of && part.set.test(static_cast<unsigned char>(letter)));
      if (one) next[at + 1] = true;
    }
    skip_empty(next);
    now = std::move(next);
    inside = std::move(next_inside);
  }
  return now[count];
}

}  // namespace skiff::spec
