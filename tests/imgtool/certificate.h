// A key with a certificate of its own, for a registry that speaks TLS and for a token server that signs.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;
struct x509_st;

namespace skiff::image::testing {

class Certificate {
 public:
  // P-256, self-signed, for 127.0.0.1 and localhost.
  Certificate();
  ~Certificate();
  Certificate(const Certificate &) = delete;
  Certificate &operator=(const Certificate &) = delete;

  [[nodiscard]] std::string certificate_pem() const;
  [[nodiscard]] std::string key_pem() const;
  [[nodiscard]] std::string certificate_der() const;
  // ES256 of RFC 7518, 3.4: r and s, 32 bytes each.
  [[nodiscard]] std::string sign(std::string_view text) const;

 private:
  evp_pkey_st *key_;
  x509_st *certificate_;
};

// A JSON web token (RFC 7519) of these claims, with the certificate in its head (x5c).
[[nodiscard]] std::string make_token(const Certificate &signer, std::string_view claims);

}  // namespace skiff::image::testing
