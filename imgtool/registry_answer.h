// What a registry's answer says about a failure (distribution-spec, "Error Codes"), in words for people.
#pragma once

#include <string>
#include <string_view>

#include "imgtool/http.h"

namespace skiff::image {

// "404 MANIFEST_UNKNOWN: manifest unknown", "502 and an HTML page (\"Bad Gateway\")", "503: try later": the registry's
// own codes and messages where there are some, also those of a token server.
[[nodiscard]] std::string describe_answer(const HttpResponse &response);
// What to do about this status; may be empty.
[[nodiscard]] std::string remedy_of(const HttpResponse &response);
// A page for people in place of what was asked for: a login form of a captive portal, a proxy's error.
[[nodiscard]] bool is_html(const HttpResponse &response);

}  // namespace skiff::image
