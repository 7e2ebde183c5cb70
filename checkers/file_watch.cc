#include "checkers/file_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <utility>

namespace checkers {
namespace {

constexpr std::uint32_t changes = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE;

std::pair<std::string, std::string> split(const std::string& path) {
  const auto slash = path.rfind('/');
  return {path.substr(0, slash == 0 ? 1 : slash), path.substr(slash + 1)};
}

}  // namespace

bool FileWatch::open() {
  if (inotify_) return true;
  net::Fd inotify(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!inotify) return false;
  const auto watch = loop_.watch(inotify.get(), EPOLLIN, [this](std::uint32_t) { on_ready(); });
  if (!watch) return false;
  watch_ = *watch;
  inotify_ = std::move(inotify);
  return true;
}

void FileWatch::watch(const std::string& path) {
  const auto [folder, name] = split(path);
  auto known = by_path_.find(folder);
  if (known == by_path_.end()) {
    if (!open()) return;
    const int descriptor = inotify_add_watch(inotify_.get(), folder.c_str(), changes | IN_ONLYDIR);
    // One folder may have two paths; the kernel has one descriptor for it, and the first path keeps it.
    if (descriptor < 0 || folders_.contains(descriptor)) return;
    folders_[descriptor].path = folder;
    known = by_path_.emplace(folder, descriptor).first;
  }
  folders_[known->second].files.insert(name);
}

void FileWatch::forget(const std::string& path) {
  const auto [folder, name] = split(path);
  const auto known = by_path_.find(folder);
  if (known == by_path_.end()) return;
  auto& files = folders_[known->second].files;
  files.erase(name);
  if (!files.empty()) return;
  inotify_rm_watch(inotify_.get(), known->second);
  folders_.erase(known->second);
  by_path_.erase(known);
}

void FileWatch::on_ready() {
  std::set<std::string> changed;
  alignas(inotify_event) std::array<char, 16 * 1024> buffer;
  for (ssize_t count; (count = read(inotify_.get(), buffer.data(), buffer.size())) > 0;) {
    for (std::size_t at = 0; at < static_cast<std::size_t>(count);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* name = buffer.data() + at + sizeof event;
      at += sizeof event + event.len;
      if ((event.mask & IN_Q_OVERFLOW) != 0) {
        for (const auto& [descriptor, folder] : folders_) {
          for (const auto& file : folder.files) changed.insert((folder.path == "/" ? "" : folder.path) + "/" + file);
        }
        continue;
      }
      const auto folder = folders_.find(event.wd);
      if (folder == folders_.end()) continue;
      if ((event.mask & IN_IGNORED) != 0) {  // the folder itself has gone
        by_path_.erase(folder->second.path);
        folders_.erase(folder);
      } else if (event.len > 0 && folder->second.files.contains(name)) {
        changed.insert((folder->second.path == "/" ? "" : folder->second.path) + "/" + name);
      }
    }
  }
  for (const auto& path : changed) on_change_(path);
}

}  // namespace checkers
