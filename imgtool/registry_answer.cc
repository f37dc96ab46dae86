#include "imgtool/registry_answer.h"

#include <fmt/format.h>

#include "imgtool/header_field.h"
#include "spec/json.h"
#include "spec/names.h"
#include "spec/text.h"

namespace skiff::image {
namespace {

using spec::json::Kind;
using spec::json::Value;

std::string_view text_of(Value object, std::string_view name) {
  const Value value = object.kind() == Kind::object ? object.member(name) : Value();
  return value && value.kind() == Kind::string ? value.text() : std::string_view();
}

// Control characters of a hostile registry must not reach a terminal.
std::string printable(std::string_view text) {
  constexpr std::size_t longest = 300;
  std::string result;
  for (const char letter : text.substr(0, longest)) {
    result += static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f ? ' ' : letter;
  }
  if (text.size() > longest) result += "...";
  return std::string(trim(result));
}

void add_words(std::string &words, std::string_view code, std::string_view message) {
  if (code.empty() && message.empty()) return;
  if (!words.empty()) words += ", ";
  words += printable(code);
  if (!code.empty() && !message.empty()) words += ": ";
  words += printable(message);
}

// {"errors":[{"code","message"}]} of a registry; {"error","error_description"} or {"details"} of a token server.
std::string words_of_json(std::string_view body) {
  const auto document = spec::json::Document::parse(body);
  if (!document || document->root().kind() != Kind::object) return {};
  std::string words;
  if (const Value errors = document->root().member("errors"); errors && errors.kind() == Kind::array) {
    errors.each([&](Value entry) {
      if (entry.kind() == Kind::object) add_words(words, text_of(entry, "code"), text_of(entry, "message"));
    });
  }
  if (words.empty()) {
    add_words(words, text_of(document->root(), "error"), text_of(document->root(), "error_description"));
  }
  if (words.empty()) add_words(words, {}, text_of(document->root(), "details"));
  if (words.empty()) add_words(words, {}, text_of(document->root(), "message"));
  return words;
}

std::string title_of(std::string_view page) {
  const std::string lowered = spec::lower_case(page);
  const std::size_t open = lowered.find("<title>");
  const std::size_t close = lowered.find("</title>", open);
  if (open == std::string::npos || close == std::string::npos) return {};
  return printable(page.substr(open + 7, close - open - 7));
}

}  // namespace

bool is_html(const HttpResponse &response) {
  const std::string type = media_type_of(response.header("content-type"));
  if (type == "text/html" || type == "application/xhtml+xml") return true;
  const std::string start = spec::lower_case(trim(std::string_view(response.body).substr(0, 64)));
  return start.starts_with("<!doctype html") || start.starts_with("<html");
}

std::string describe_answer(const HttpResponse &response) {
  if (is_html(response)) {
    const std::string title = title_of(response.body);
    return title.empty() ? fmt::format("{} and an HTML page", response.status)
                         : fmt::format("{} and an HTML page ({})", response.status, spec::quote(title));
  }
  const std::string words = words_of_json(response.body);
  if (!words.empty()) return fmt::format("{} {}", response.status, words);
  const std::string line = printable(std::string_view(response.body).substr(0, response.body.find('\n')));
  return line.empty() ? fmt::to_string(response.status) : fmt::format("{}: {}", response.status, line);
}

std::string remedy_of(const HttpResponse &response) {
  if (is_html(response)) return "a page for people answers there: is it a registry, and no proxy in between?";
  switch (response.status) {
    case 401:
      return "log in with `skiff-image login`";
    case 403:
      return "this login has not the right to do that";
    case 404:
      return "the tag or the repository is wrong, or it is private and needs a login";
    case 405:
      return "the registry does not allow that; deleting must be switched on in some";
    case 413:
      return "it is larger than the registry, or a proxy before it, takes";
    case 429: {
      const std::string_view wait = response.header("retry-after");
      return wait.empty() ? "too many requests: wait, or log in"
                          : fmt::format("wait {} (Retry-After), or log in",
                                        parse_retry_after(wait, std::chrono::system_clock::now())
                                            .transform([](auto s) { return fmt::format("{}s", s.count()); })
                                            .value_or(printable(wait)));
    }
    default:
      return response.status >= 500 ? "the registry has a problem of its own; try later" : "";
  }
}

}  // namespace skiff::image
