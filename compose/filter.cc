#include "compose/filter.h"

#include <fmt/format.h>

#include <algorithm>

#include "compose/contains.h"

namespace skiff::compose {
namespace {

std::pair<std::string, std::string> split(std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) return {std::string(word), ""};
  return {std::string(word.substr(0, equals)), std::string(word.substr(equals + 1))};
}

}  // namespace

Result<Filters> Filters::parse(std::span<const std::string_view> words, std::span<const std::string_view> keys) {
  Filters filters;
  for (const std::string_view word : words) {
    std::pair<std::string, std::string> filter = split(word);
    if (!word.contains('=') || !contains(keys, filter.first)) {
      return fail(fmt::format("--filter: \"{}\" is none", word),
                  fmt::format("write KEY=VALUE, where KEY is one of {}", fmt::join(keys, ", ")));
    }
    filters.filters_.push_back(std::move(filter));
  }
  return filters;
}

bool Filters::matches_labels(const Labels &labels) const {
  return std::ranges::all_of(filters_, [&](const auto &filter) {
    if (filter.first != "label") return true;
    const auto [key, value] = split(filter.second);
    const auto label = labels.find(key);
    return label != labels.end() && (!filter.second.contains('=') || label->second == value);
  });
}

Labels labels_of(std::span<const std::string_view> words) {
  Labels labels;
  for (const std::string_view word : words) {
    auto [key, value] = split(word);
    labels[key] = value;
  }
  return labels;
}

}  // namespace skiff::compose
