#include "config/fingerprint.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>

namespace config {

std::array<std::byte, 8> fingerprint(const std::vector<Source>& files) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr);
  for (const Source& file : files) {
    std::array<std::uint8_t, 8> size{};
    for (std::size_t i = 0; i < size.size(); ++i) size[i] = static_cast<std::uint8_t>(file.text.size() >> (56 - 8 * i));
    EVP_DigestUpdate(hash.get(), size.data(), size.size());
    EVP_DigestUpdate(hash.get(), file.text.data(), file.text.size());
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> whole{};
  EVP_DigestFinal_ex(hash.get(), whole.data(), nullptr);
  std::array<std::byte, 8> first{};
  std::ranges::copy(std::as_bytes(std::span(whole)).first(first.size()), first.begin());
  return first;
}

}  // namespace config
