// The members of a map, read as what the model wants: every one that is something else is told with its place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compose/finding.h"
#include "compose/project.h"
#include "compose/value.h"

namespace skiff::compose {

class Fields {
 public:
  // `map` may be null: then nothing is there.
  Fields(const Value *map, std::string path, Findings &findings)
      : map_(map), path_(std::move(path)), findings_(&findings) {}

  [[nodiscard]] const Value *find(std::string_view key) const;
  [[nodiscard]] Fields sub(std::string_view key) const;
  [[nodiscard]] Fields entry(const Value &value, std::string_view key, std::size_t index) const;
  [[nodiscard]] const std::string &path() const { return path_; }
  [[nodiscard]] Position at() const { return map_ == nullptr ? Position{} : map_->at; }

  [[nodiscard]] std::string text(std::string_view key) const;
  [[nodiscard]] bool boolean(std::string_view key, bool otherwise = false) const;
  [[nodiscard]] std::optional<bool> maybe_boolean(std::string_view key) const;
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key, std::int64_t least, std::int64_t most) const;
  [[nodiscard]] std::optional<double> number(std::string_view key) const;
  // -1 where `unlimited` allows it.
  [[nodiscard]] std::optional<std::int64_t> bytes(std::string_view key, bool unlimited = false) const;
  [[nodiscard]] std::optional<Duration> duration(std::string_view key) const;
  // Of a file, in octal.
  [[nodiscard]] std::optional<std::uint32_t> mode(std::string_view key) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view key) const;
  [[nodiscard]] std::optional<std::vector<std::string>> maybe_texts(std::string_view key) const;
  [[nodiscard]] std::map<std::string, std::string> text_map(std::string_view key) const;
  [[nodiscard]] Environment environment(std::string_view key) const;

  void refuse(std::string_view key, const Value &value, std::string_view wanted) const;
  void error(Position at, std::string_view code, std::string text, std::string remedy = {}) const;

 private:
  const Value *map_;
  std::string path_;
  Findings *findings_;
};

}  // namespace skiff::compose
