// The functions of libcurl that are called here, forwarded to the library that load_curl has loaded.
#include "imgtool/late_curl.h"

#include "imgtool/late_library.h"

namespace skiff::image {
namespace {

LateLibrary library("libcurl.so.4", "libcurl4 (libcurl4t64 since Debian 13)", "curl_url_strerror");

template <auto Function, class... Arguments>
auto call(const char *name, Arguments... arguments) {
  return library.call<Function>(name, arguments...);
}

template <class Function>
struct FirstOf;
template <class Answer, class First, class... Rest>
struct FirstOf<Answer(First, Rest...)> {
  using Type = First;
};

}  // namespace

Status load_curl() {
  static const Status loaded = library.load();
  return loaded;
}

SetOption curl_set_option() {
  static const auto real = reinterpret_cast<SetOption>(library.find("curl_easy_setopt"));
  return real;
}

GetInfo curl_get_info() {
  static const auto real = reinterpret_cast<GetInfo>(library.find("curl_easy_getinfo"));
  return real;
}

}  // namespace skiff::image

using skiff::image::call;
using skiff::image::FirstOf;

extern "C" {
CURLcode curl_global_init(long flags) { return call<&curl_global_init>("curl_global_init", flags); }
CURL *curl_easy_init() { return call<&curl_easy_init>("curl_easy_init"); }
void curl_easy_cleanup(CURL *handle) { call<&curl_easy_cleanup>("curl_easy_cleanup", handle); }
void curl_easy_reset(CURL *handle) { call<&curl_easy_reset>("curl_easy_reset", handle); }
CURLcode curl_easy_perform(CURL *handle) { return call<&curl_easy_perform>("curl_easy_perform", handle); }
const char *curl_easy_strerror(CURLcode code) { return call<&curl_easy_strerror>("curl_easy_strerror", code); }
curl_slist *curl_slist_append(curl_slist *list, const char *text) {
  return call<&curl_slist_append>("curl_slist_append", list, text);
}
void curl_slist_free_all(curl_slist *list) { call<&curl_slist_free_all>("curl_slist_free_all", list); }
CURLU *curl_url() { return call<&curl_url>("curl_url"); }
void curl_url_cleanup(CURLU *url) { call<&curl_url_cleanup>("curl_url_cleanup", url); }
CURLUcode curl_url_set(CURLU *url, CURLUPart part, const char *text, unsigned int flags) {
  return call<&curl_url_set>("curl_url_set", url, part, text, flags);
}
// The address is const in newer versions.
CURLUcode curl_url_get(FirstOf<decltype(curl_url_get)>::Type url, CURLUPart part, char **text, unsigned int flags) {
  return call<&curl_url_get>("curl_url_get", url, part, text, flags);
}
const char *curl_url_strerror(CURLUcode code) { return call<&curl_url_strerror>("curl_url_strerror", code); }
void curl_free(void *memory) { call<&curl_free>("curl_free", memory); }
time_t curl_getdate(const char *text, const time_t *unused) {
  return call<&curl_getdate>("curl_getdate", text, unused);
}
}
