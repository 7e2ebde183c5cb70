#include "director/ctl/arguments.h"

namespace director {

std::int64_t seconds_of(const std::string& text) {
  const auto count = std::stoll(text);
  return text.ends_with('h') ? count * 3600 : text.ends_with('m') ? count * 60 : count;
}

std::string is_seconds(const std::string& text) {
  const auto unit = text.find_first_not_of("0123456789");
  const bool good = unit != 0 && unit != std::string::npos && unit <= 6 &&
                    (text.substr(unit) == "s" || text.substr(unit) == "m" || text.substr(unit) == "h");
  return good ? std::string() : "'" + text + "' is not a time such as 90s, 5m or 2h";
}

std::string is_weight(const std::string& text) {
  const bool number = !text.empty() && text.size() <= 5 && text.find_first_not_of("0123456789") == std::string::npos;
  return text == "file" || (number && std::stoul(text) <= 65535)
             ? std::string()
             : "'" + text + "' is neither a weight from 0 to 65535 nor 'file'";
}

std::string is_server(const std::string& text) {
  const auto slash = text.find('/');
  const bool good = slash != std::string::npos && slash > 0 && slash + 1 < text.size();
  return good ? std::string() : "'" + text + "' is not SERVICE/SERVER";
}

}  // namespace director
