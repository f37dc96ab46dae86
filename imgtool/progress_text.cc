#include "imgtool/progress_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "spec/writer.h"

namespace skiff::image {
namespace {

struct JsonLine {
  std::string id;
  std::string status;
  std::uint64_t current;
  std::uint64_t total;
};

void fields(spec::Writer &v, const JsonLine &line) {
  v.optional("id", line.id);
  v.always("status", line.status);
  v.optional("current", line.current);
  v.optional("total", line.total);
}

std::string figures_of(const BarLine &line) {
  if (line.total == 0 && line.current == 0) return {};
  std::string figures = format_bytes(static_cast<double>(line.current));
  if (line.total > 0) figures += " / " + format_bytes(static_cast<double>(line.total));
  if (line.per_second > 0) figures += "  " + format_bytes(static_cast<double>(line.per_second)) + "/s";
  return figures;
}

std::string bar_of(const BarLine &line, std::size_t width) {
  const double share = std::min(1.0, static_cast<double>(line.current) / static_cast<double>(line.total));
  const auto full = static_cast<std::size_t>(share * static_cast<double>(width));
  std::string bar(full, '=');
  if (full < width) bar += '>';
  bar.resize(width, ' ');
  return "[" + bar + "]";
}

}  // namespace

std::string format_bytes(double bytes) {
  constexpr std::array<std::string_view, 5> units = {"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 999.5 && unit + 1 < units.size()) {
    bytes /= 1000;
    ++unit;
  }
  return unit == 0 || bytes >= 100 ? fmt::format("{:.0f} {}", bytes, units[unit])
                                   : fmt::format("{:.1f} {}", bytes, units[unit]);
}

std::string format_bar(const BarLine &line, std::size_t columns) {
  constexpr std::size_t least_bar = 10;
  constexpr std::size_t widest_bar = 40;
  std::string text = fmt::format("{:<12}  {:<16}", line.id, line.status);
  const std::string figures = figures_of(line);
  const std::size_t used = text.size() + figures.size() + 5;  // two blanks on each side less one, and the brackets
  if (line.total > 0 && used + least_bar <= columns) {
    text += " " + bar_of(line, std::min(widest_bar, columns - used));
  }
  if (!figures.empty()) text += "  " + figures;
  if (text.size() > columns) text.resize(columns);
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

std::string format_json(std::string_view id, std::string_view status, std::uint64_t current, std::uint64_t total) {
  const JsonLine line{.id = std::string(id), .status = std::string(status), .current = current, .total = total};
  return spec::Writer("").document(line) + "\n";
}

}  // namespace skiff::image
