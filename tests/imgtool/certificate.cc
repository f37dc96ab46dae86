#include "tests/imgtool/certificate.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>

#include "spec/base64.h"

namespace skiff::image::testing {
namespace {

std::string text_of(BIO *bio) {
  char *data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

void add_extension(X509 *certificate, int kind, const char *value) {
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

std::string base64_url(std::string_view bytes) {
  std::string text = spec::encode_base64(bytes);
  while (text.ends_with('=')) text.pop_back();
  for (char &letter : text) letter = letter == '+' ? '-' : letter == '/' ? '_' : letter;
  return text;
}

}  // namespace

Certificate::Certificate() : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) {
  X509_set_version(certificate_, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate_), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate_), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate_), 24L * 3600);
  X509_NAME *name = X509_get_subject_name(certificate_);
  const std::string common = "skiff test";
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char *>(common.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(certificate_, name);
  X509_set_pubkey(certificate_, key_);
  add_extension(certificate_, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
  add_extension(certificate_, NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(certificate_, key_, EVP_sha256());
}

Certificate::~Certificate() {
  X509_free(certificate_);
  EVP_PKEY_free(key_);
}

std::string Certificate::certificate_pem() const {
  BIO *bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate_);
  return text_of(bio);
}

std::string Certificate::key_pem() const {
  BIO *bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key_, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio);
}

std::string Certificate::certificate_der() const {
  BIO *bio = BIO_new(BIO_s_mem());
  i2d_X509_bio(bio, certificate_);
  return text_of(bio);
}

std::string Certificate::sign(std::string_view text) const {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  std::array<unsigned char, 128> der{};
  std::size_t size = der.size();
  EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key_);
  EVP_DigestSign(context, der.data(), &size, reinterpret_cast<const unsigned char *>(text.data()), text.size());
  EVP_MD_CTX_free(context);
  const unsigned char *begin = der.data();
  ECDSA_SIG *signature = d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(size));
  std::array<unsigned char, 64> raw{};
  BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw.data(), 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw.data() + 32, 32);
  ECDSA_SIG_free(signature);
  return {reinterpret_cast<const char *>(raw.data()), raw.size()};
}

std::string make_token(const Certificate &signer, std::string_view claims) {
  const std::string head =
      fmt::format(R"({{"typ":"JWT","alg":"ES256","x5c":["{}"]}})", spec::encode_base64(signer.certificate_der()));
  const std::string text = base64_url(head) + "." + base64_url(claims);
  return text + "." + base64_url(signer.sign(text));
}

}  // namespace skiff::image::testing
