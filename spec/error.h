// The one error type of the project: what was called, with which arguments, the errno, and what to do about it.
//
// A kernel wrapper writes the call ("open_tree(\"/srv/data\")"), its caller adds the place ("mounts[3] (/data)"),
// and only main prints. A function either returns an Error or logs it, never both.
#pragma once

#include <cerrno>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace skiff {

struct Error {
  int number = 0;      // errno, or 0 where no system call failed
  std::string text;    // place and call, without the errno's own words
  std::string remedy;  // one clause, or empty

  // "text: strerror(number); remedy", each part only where there is one.
  [[nodiscard]] std::string message() const;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = std::expected<void, Error>;

// An error with the errno given.
[[nodiscard, gnu::cold]] std::unexpected<Error> fail(int number, std::string text, std::string remedy = {});

// An error that no errno explains: bad input, a state that forbids the command.
[[nodiscard, gnu::cold]] std::unexpected<Error> fail(std::string text, std::string remedy = {});

// The same error with "place: " in front of it.
[[nodiscard, gnu::cold]] Error in(std::string_view place, Error error);

// What TRY returns. Cold, so that the compiler puts the way to it apart from what runs.
[[nodiscard, gnu::cold, gnu::noinline]] std::unexpected<Error> pass_on(Error &&error);
// Other rooms have errors of their own types.
template <class E>
[[nodiscard]] std::unexpected<E> pass_on(E &&error) {
  return std::unexpected<E>(std::forward<E>(error));
}

// The same result; an error gets "place: " in front of it.
template <class T>
[[nodiscard]] Result<T> in(std::string_view place, Result<T> result) {
  if (!result) return std::unexpected(in(place, std::move(result).error()));
  return result;
}

// The same result; an error without a remedy gets this one.
template <class T>
[[nodiscard]] Result<T> remedy(std::string_view words, Result<T> result) {
  if (!result && result.error().remedy.empty()) result.error().remedy = words;
  return result;
}

}  // namespace skiff

// The value of a Result, or a return of its error from the function around it. The counter keeps a TRY inside a TRY
// from shadowing its name.
#define TRY(expression) TRY_AS_(expression, TRY_JOIN_(try_result_, __COUNTER__))
#define TRY_JOIN_(prefix, number) TRY_JOIN_AGAIN_(prefix, number)
#define TRY_JOIN_AGAIN_(prefix, number) prefix##number
#define TRY_AS_(expression, name)                              \
  ({                                                           \
    auto name = (expression);                                  \
    if (!name) return skiff::pass_on(std::move(name).error()); \
    *std::move(name);                                          \
  })
