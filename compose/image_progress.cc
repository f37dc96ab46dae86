#include "compose/image_progress.h"

#include <fmt/format.h>

#include <array>
#include <chrono>

#include "compose/show_text.h"
#include "spec/json.h"

namespace skiff::compose {
namespace {

constexpr std::chrono::milliseconds shortest_pause{200};

std::uint64_t number_of(const spec::json::Value &line, std::string_view name) {
  const spec::json::Value value = line.member(name);
  return value && value.kind() == spec::json::Kind::natural ? static_cast<std::uint64_t>(value.number()) : 0;
}

}  // namespace

void ImageProgress::take(std::string_view bytes) {
  rest_ += bytes;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    take_line(std::string_view(rest_).substr(begin, end - begin));
  }
  rest_.erase(0, begin);
}

void ImageProgress::take_line(std::string_view line) {
  const auto document = spec::json::Document::parse(line);
  const bool is_object = document && document->root().kind() == spec::json::Kind::object;
  const spec::json::Value id = is_object ? document->root().member("id") : spec::json::Value();
  if (!id) {
    words_.append(line).append("\n");
    return;
  }
  const std::uint64_t total = number_of(document->root(), "total");
  if (total > 0) items_[std::string(id.text())] = {number_of(document->root(), "current"), total};
}

std::string ImageProgress::text() const {
  Item all;
  for (const auto &[id, item] : items_) {
    all.current += item.current;
    all.total += item.total;
  }
  return all.total == 0 ? "" : fmt::format("{} / {}", decimal_size_text(all.current), decimal_size_text(all.total));
}

Status call_image_telling(const Engine &engine, const Words &words, const Tell &tell) {
  using Clock = std::chrono::steady_clock;
  Words all = engine.image;
  all.insert(all.end(), {"--progress", "json"});
  all.insert(all.end(), words.begin(), words.end());
  kernel::Pipe said = TRY(kernel::pipe2());
  kernel::Child child = TRY(start_bound_program(all, {.err = said.write}));
  said.write.reset();
  ImageProgress progress;
  Clock::time_point told{};
  std::array<char, 16384> buffer;
  while (const std::size_t count = TRY(kernel::read_some(said.read, buffer))) {
    progress.take({buffer.data(), count});
    if (Clock::now() - told < shortest_pause || progress.text().empty()) continue;
    told = Clock::now();
    tell(progress.text());
  }
  progress.take("\n");
  const int code = TRY(child.wait()).shell_code();
  if (code == 0) return {};
  std::string why = progress.words();
  while (why.ends_with('\n')) why.pop_back();
  return fail(why.empty() ? fmt::format("skiff-image {} ended with {}", words.front(), code) : std::move(why));
}

}  // namespace skiff::compose
