#include "spec/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace skiff::spec {

namespace {

constexpr std::size_t longest_name = 40;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Insertions, deletions and replacements between the two, letter case aside (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
  std::array<std::size_t, longest_name + 1> row{};
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

// "nofile" for RLIMIT_NOFILE, "net" for network.
bool part_of(std::string_view part, std::string_view name) {
  if (part.size() < 2 || part.size() >= name.size()) return false;
  const auto same = [](char a, char b) { return lower(a) == lower(b); };
  const std::string_view tail = name.substr(name.size() - part.size());
  const bool ends = name[name.size() - part.size() - 1] == '_' && std::ranges::equal(part, tail, same);
  return ends || std::ranges::equal(part, name.substr(0, part.size()), same);
}

}  // namespace

std::optional<std::size_t> find_name(Names names, std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names.begin());
}

std::string suggest_name(Names names, std::string_view name) {
  std::string_view best;
  // Two letters and fewer are near to anything: there only the letter case may differ.
  std::size_t least = name.size() < 3 ? 1 : std::min(name.size(), longest_name) / 3 + 1;
  for (const std::string_view known : names) {
    if (name.empty() || name.size() > longest_name || known.size() > longest_name) continue;
    const std::size_t far = part_of(name, known) ? 1 : distance(name, known);
    if (far >= least) continue;
    least = far;
    best = known;
  }
  if (!best.empty()) return fmt::format("did you mean \"{}\"?", best);
  return fmt::format("use one of {}", fmt::join(names, ", "));
}

std::string quote(std::string_view text) {
  constexpr std::size_t longest = 60;
  std::string out = "\"";
  for (const char c : text.substr(0, longest)) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  if (text.size() > longest) out += "...";
  out += '"';
  return out;
}

}  // namespace skiff::spec
