#include "spec/error.h"

#include <cstring>

namespace skiff {
namespace {

// In lower case, as the middle of a sentence has it and as Go prints it: engines look for "permission denied" and the
// like letter by letter (Docker's client for its exit codes 126 and 127). "RPC version wrong" stays.
std::string words_of(int number) {
  const char *words = strerrordesc_np(number);
  if (words == nullptr) return "errno " + std::to_string(number);
  std::string out = words;
  const bool sentence = out.size() > 1 && out[0] >= 'A' && out[0] <= 'Z' && !(out[1] >= 'A' && out[1] <= 'Z');
  if (sentence) out[0] = static_cast<char>(out[0] - 'A' + 'a');
  return out;
}

}  // namespace

std::string Error::message() const {
  std::string out = text;
  if (number != 0) {
    if (!out.empty()) out += ": ";
    out += words_of(number);
  }
  if (!remedy.empty()) {
    out += "; ";
    out += remedy;
  }
  return out;
}

std::unexpected<Error> fail(int number, std::string text, std::string remedy) {
  return std::unexpected(Error{number, std::move(text), std::move(remedy)});
}

std::unexpected<Error> fail(std::string text, std::string remedy) {
  return std::unexpected(Error{0, std::move(text), std::move(remedy)});
}

std::unexpected<Error> pass_on(Error &&error) { return std::unexpected(std::move(error)); }

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
