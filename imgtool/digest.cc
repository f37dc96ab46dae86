#include "imgtool/digest.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "spec/names.h"
#include "spec/text.h"

namespace skiff::image {
namespace {

struct Algorithm {
  std::string_view name;
  std::size_t hex_digits;
};
// descriptor.md, "Registered algorithms", as far as OpenSSL computes them; blake3 it does not.
constexpr std::array<Algorithm, 2> algorithms = {{{"sha256", 64}, {"sha512", 128}}};

const EVP_MD *md_of(std::string_view algorithm) { return algorithm == "sha512" ? EVP_sha512() : EVP_sha256(); }

}  // namespace

Result<Digest> Digest::parse(std::string_view text) {
  const std::string_view name = text.substr(0, text.find(':'));
  const auto *const known = std::ranges::find(algorithms, name, &Algorithm::name);
  if (name.size() == text.size() || known == algorithms.end()) {
    return fail(fmt::format("digest {}: no algorithm that is known here", spec::quote(text)),
                "write sha256: or sha512: and the hexadecimal digits");
  }
  const std::string_view digits = text.substr(name.size() + 1);
  if (digits.size() != known->hex_digits) {
    return fail(fmt::format("digest {}: {} digits", spec::quote(text), digits.size()),
                fmt::format("{} has {}", name, known->hex_digits));
  }
  if (!spec::is_hex(digits)) {
    return fail(fmt::format("digest {}: a digit that is not hexadecimal in lower case", spec::quote(text)));
  }
  Digest digest;
  digest.text_ = text;
  return digest;
}

std::string_view Digest::algorithm() const { return std::string_view(text_).substr(0, text_.find(':')); }

std::string_view Digest::hex() const {
  return valid() ? std::string_view(text_).substr(text_.find(':') + 1) : std::string_view();
}

void Hasher::Free::operator()(evp_md_ctx_st *context) const { EVP_MD_CTX_free(context); }

Hasher::Hasher(std::string_view algorithm) : algorithm_(algorithm), context_(EVP_MD_CTX_new()) {
  EVP_DigestInit_ex(context_.get(), md_of(algorithm_), nullptr);
}

void Hasher::update(std::span<const char> bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }

Digest Hasher::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned size = 0;
  EVP_DigestFinal_ex(context_.get(), raw.data(), &size);
  EVP_DigestInit_ex(context_.get(), md_of(algorithm_), nullptr);
  constexpr std::string_view digits = "0123456789abcdef";
  Digest digest;
  digest.text_ = algorithm_ + ":";
  for (const unsigned char byte : std::span(raw).first(size)) {
    digest.text_ += digits[byte >> 4U];
    digest.text_ += digits[byte & 15U];
  }
  return digest;
}

Digest digest_of(std::string_view bytes, std::string_view algorithm) {
  Hasher hasher(algorithm);
  hasher.update(bytes);
  return hasher.finish();
}

}  // namespace skiff::image
