#include "director/control/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <cerrno>
#include <memory>

namespace director {
namespace {

constexpr long timeout_ms = 10'000;
constexpr std::size_t answer_max = std::size_t{256} << 20;

std::size_t append(const char* data, std::size_t, std::size_t size, void* body) {
  auto& text = *static_cast<std::string*>(body);
  if (text.size() + size > answer_max) return 0;
  text.append(data, size);
  return size;
}

}  // namespace

net::Result<Answer> http_request(const std::filesystem::path& socket, const std::string& method,
                                 const std::string& path, const std::string& body) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  if (!curl) return net::failure("start an HTTP request: out of memory");
  Answer answer;
  const std::string url = "http://directord" + path;
  curl_easy_setopt(curl.get(), CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_CUSTOMREQUEST, method.c_str());
  if (!body.empty()) {
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body.c_str());
  }
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, timeout_ms);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &append);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_COULDNT_CONNECT) {
    long error = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_OS_ERRNO, &error);
    return net::system_error(static_cast<int>(error), "connect " + socket.string());
  }
  if (code != CURLE_OK)
    return net::failure(fmt::format("request to {}: {}", socket.string(), curl_easy_strerror(code)));
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

}  // namespace director
