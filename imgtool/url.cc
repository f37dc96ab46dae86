#include "imgtool/url.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <memory>

#include "imgtool/header_field.h"
#include "imgtool/late_library.h"
#include "spec/names.h"
#include "spec/text.h"

namespace skiff::image {
namespace {

struct FreeUrl {
  void operator()(CURLU *url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, FreeUrl>;

std::unexpected<Error> refused(const std::string &text, CURLUcode code) {
  return fail(fmt::format("the address {}: {}", spec::quote(text), curl_url_strerror(code)));
}

Result<std::string> part_of(CURLU *url, CURLUPart part, const std::string &text) {
  char *found = nullptr;
  const CURLUcode code = curl_url_get(url, part, &found, CURLU_DEFAULT_PORT);
  if (code != CURLUE_OK) return refused(text, code);
  std::string value = found;
  curl_free(found);
  return value;
}

Result<Url> parse(const std::string &text) {
  TRY(load_curl());
  Url url(curl_url());
  const CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_DISALLOW_USER);
  if (code != CURLUE_OK) return refused(text, code);
  const std::string scheme = TRY(part_of(url.get(), CURLUPART_SCHEME, text));
  if (scheme != "http" && scheme != "https") {
    return fail(fmt::format("the address {}: not http or https", spec::quote(text)));
  }
  return url;
}

}  // namespace

Result<WebOrigin> origin_of(const std::string &url) {
  const Url parsed = TRY(parse(url));
  WebOrigin origin;
  origin.scheme = TRY(part_of(parsed.get(), CURLUPART_SCHEME, url));
  origin.host = spec::lower_case(TRY(part_of(parsed.get(), CURLUPART_HOST, url)));
  origin.port = TRY(part_of(parsed.get(), CURLUPART_PORT, url));
  return origin;
}

std::string authority_of(const WebOrigin &origin) {
  const bool usual = origin.port == (origin.scheme == "https" ? "443" : "80");
  return usual ? origin.host : origin.host + ":" + origin.port;
}

Result<std::string> resolve_url(const std::string &from, const std::string &location) {
  const Url url = TRY(parse(from));
  const CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, location.c_str(), CURLU_DISALLOW_USER);
  if (code != CURLUE_OK) return refused(location, code);
  const std::string scheme = TRY(part_of(url.get(), CURLUPART_SCHEME, location));
  if (scheme != "http" && scheme != "https") {
    return fail(fmt::format("the address {}: not http or https", spec::quote(location)));
  }
  char *whole = nullptr;
  const CURLUcode printed = curl_url_get(url.get(), CURLUPART_URL, &whole, 0);
  if (printed != CURLUE_OK) return refused(location, printed);
  std::string text = whole;
  curl_free(whole);
  return text;
}

std::string with_query(std::string url, std::string_view name, std::string_view value) {
  url += url.find('?') == std::string::npos ? '?' : '&';
  url += name;
  url += '=';
  url += escape_query(value);
  return url;
}

std::string escape_query(std::string_view value) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/,";
  std::string text;
  for (const char letter : value) {
    if (plain.find(letter) != std::string_view::npos) {
      text += letter;
    } else {
      const auto byte = static_cast<unsigned char>(letter);
      text += {'%', digits[byte >> 4U], digits[byte & 15U]};
    }
  }
  return text;
}

std::string_view without_query(std::string_view url) { return url.substr(0, url.find_first_of("?#")); }

bool is_loopback(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1) == "[::1]";
  host = host.substr(0, host.find(':'));
  if (host == "localhost" || host.ends_with(".localhost")) return true;
  return host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace skiff::image
