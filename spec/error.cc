#include "spec/error.h"

#include <cstring>

namespace skiff {

std::string Error::message() const {
  std::string out = text;
  if (number != 0) {
    const char *words = strerrordesc_np(number);
    if (!out.empty()) out += ": ";
    out += words != nullptr ? std::string(words) : "errno " + std::to_string(number);
  }
  if (!remedy.empty()) {
    out += "; ";
    out += remedy;
  }
  return out;
}

Error in(std::string_view place, Error error) {
  std::string text(place);
  if (!error.text.empty()) {
    text += ": ";
    text += error.text;
  }
  error.text = std::move(text);
  return error;
}

}  // namespace skiff
