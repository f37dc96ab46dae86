// Two functions of libcurl take arguments of any kind, and so cannot be forwarded. After load_curl (late_library.h).
#pragma once

#include <curl/curl.h>

namespace skiff::image {

using SetOption = CURLcode (*)(CURL *, CURLoption, ...);
using GetInfo = CURLcode (*)(CURL *, CURLINFO, ...);

// curl_easy_setopt(3) and curl_easy_getinfo(3).
[[nodiscard]] SetOption curl_set_option();
[[nodiscard]] GetInfo curl_get_info();

}  // namespace skiff::image
