// Content by its digest (descriptor.md, "Digests"): a value that was checked, and what computes one.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "spec/error.h"

struct evp_md_ctx_st;

namespace skiff::image {

// sha256 or sha512. Only parse() and Hasher make one, so that its text is safe in a path and a URL (CVE-2024-3727).
class Digest {
 public:
  Digest() = default;  // none
  // An error says what is wrong with it: the algorithm, the length, a letter.
  [[nodiscard]] static Result<Digest> parse(std::string_view text);

  [[nodiscard]] bool valid() const { return !text_.empty(); }
  [[nodiscard]] const std::string &text() const { return text_; }                           // "sha256:e3b0..."
  [[nodiscard]] std::string_view algorithm() const;                                         // "sha256"
  [[nodiscard]] std::string_view hex() const;                                               // "e3b0..."
  [[nodiscard]] std::string short_hex() const { return std::string(hex().substr(0, 12)); }  // for people

  friend auto operator<=>(const Digest &, const Digest &) = default;

 private:
  friend class Hasher;
  std::string text_;
};

// Computes one, through OpenSSL. Not for two threads at once.
class Hasher {
 public:
  explicit Hasher(std::string_view algorithm = "sha256");
  void update(std::span<const char> bytes);
  // The digest of all bytes so far; afterwards it starts anew.
  [[nodiscard]] Digest finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st *context) const;
  };
  std::string algorithm_;
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

[[nodiscard]] Digest digest_of(std::string_view bytes, std::string_view algorithm = "sha256");

}  // namespace skiff::image
