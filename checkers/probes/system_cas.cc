#include "checkers/probes/system_cas.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace checkers {
namespace {

namespace fs = std::filesystem;

/// A file, and what tells whether it is still the same.
struct Stamp {
  std::string path;
  std::uintmax_t size = 0;
  fs::file_time_type changed{};

  bool operator==(const Stamp&) const = default;
};

std::string setting(const char* variable, const char* otherwise) {
  const char* set = secure_getenv(variable);  // as OpenSSL does
  return set == nullptr ? otherwise : set;
}

/// The name that OpenSSL looks for: the subject's hash and a number, "4042bcee.0".
bool is_hash_name(std::string_view name) {
  const auto is_one_of = [](std::string_view set) {
    return [set](char c) { return set.find(c) != std::string_view::npos; };
  };
  return name.size() > 9 && name[8] == '.' && std::ranges::all_of(name.substr(0, 8), is_one_of("0123456789abcdef")) &&
         std::ranges::all_of(name.substr(9), is_one_of("0123456789"));
}

void add(std::vector<Stamp>& files, const fs::path& path) {
  std::error_code no_size, no_time;
  Stamp stamp{
      .path = path.string(), .size = fs::file_size(path, no_size), .changed = fs::last_write_time(path, no_time)};
  if (!no_size && !no_time) files.push_back(std::move(stamp));
}

std::vector<Stamp> find_files() {
  std::vector<Stamp> files;
  add(files, setting(X509_get_default_cert_file_env(), X509_get_default_cert_file()));
  const auto folders = setting(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
  for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
    end = folders.find(':', begin);
    std::error_code error;
    for (fs::directory_iterator entry(folders.substr(begin, end - begin), error), last; !error && entry != last;
         entry.increment(error)) {
      if (is_hash_name(entry->path().filename().string())) add(files, entry->path());
    }
  }
  std::ranges::sort(files, {}, &Stamp::path);
  return files;
}

net::Result<Store> read(const std::vector<Stamp>& files) {
  Store store(X509_STORE_new());
  auto* lookup = store ? X509_STORE_add_lookup(store.get(), X509_LOOKUP_file()) : nullptr;
  if (lookup == nullptr) return net::failure("no memory for the system's CA certificates");
  for (const auto& file : files) X509_load_cert_file(lookup, file.path.c_str(), X509_FILETYPE_PEM);
  ERR_clear_error();  // of files that are none
  return store;
}

struct Known {
  std::mutex mutex;
  std::vector<Stamp> files;
  Store store;
};

/// Never destroyed: a thread may outlive main().
Known& known() {
  static Known& the = *new Known;
  return the;
}

}  // namespace

void FreeStore::operator()(X509_STORE* store) const { X509_STORE_free(store); }

net::Result<Store> system_cas() {
  const std::lock_guard lock(known().mutex);
  auto files = find_files();
  if (!known().store || files != known().files) {
    auto made = read(files);
    if (!made) return std::unexpected(made.error());
    known().store = std::move(*made);
    known().files = std::move(files);
  }
  X509_STORE_up_ref(known().store.get());
  return Store(known().store.get());
}

}  // namespace checkers
