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

std::string path_of(const std::string& folder, const std::string& name) {
  return (folder == "/" ? "" : folder) + "/" + name;
}

}  // namespace

bool FileWatch::open() {
  if (inotify_) return true;
  auto inotify = std::make_shared<const net::Fd>(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!*inotify) return false;
  auto thread = net::Background::create(loop_);
  if (!thread) return false;
  const auto watch = loop_.watch(inotify->get(), EPOLLIN, [this](std::uint32_t) { on_ready(); });
  if (!watch) return false;
  watch_ = *watch;
  thread_ = std::move(*thread);
  inotify_ = std::move(inotify);
  return true;
}

void FileWatch::watch(const std::string& path) {
  const auto [folder, name] = split(path);
  if (const auto known = by_path_.find(folder); known != by_path_.end()) {
    folders_[known->second].files.insert(name);
  } else if (open()) {
    wanted_[folder].insert(name);
    watch_next();
  }
}

void FileWatch::watch_next() {
  if (wanted_.empty() || thread_->busy()) return;
  const auto& folder = wanted_.begin()->first;
  thread_->run(
      [this, folder, inotify = inotify_]() -> net::Background::Then {
        const int descriptor = inotify_add_watch(inotify->get(), folder.c_str(), changes | IN_ONLYDIR);
        return [this, folder, descriptor] { watched(folder, descriptor); };
      },
      [this, folder](const net::Error&) { watched(folder, -1); });
}

/// One folder may have two paths; the kernel has one descriptor for it, and the first path keeps it.
void FileWatch::watched(const std::string& folder, int descriptor) {
  const auto wanted = wanted_.extract(folder);
  std::set<std::string> missed;
  if (descriptor >= 0 && !folders_.contains(descriptor)) {
    if (wanted.empty()) {
      inotify_rm_watch(inotify_->get(), descriptor);
    } else {
      if (early_.contains(descriptor)) missed = wanted.mapped();
      folders_[descriptor] = {.path = folder, .files = wanted.mapped()};
      by_path_[folder] = descriptor;
    }
  }
  early_.clear();
  watch_next();
  for (const auto& name : missed) on_change_(path_of(folder, name));
}

void FileWatch::forget(const std::string& path) {
  const auto [folder, name] = split(path);
  if (const auto wanted = wanted_.find(folder); wanted != wanted_.end()) {
    wanted->second.erase(name);
    if (wanted->second.empty()) wanted_.erase(wanted);
  }
  const auto known = by_path_.find(folder);
  if (known == by_path_.end()) return;
  auto& files = folders_[known->second].files;
  files.erase(name);
  if (!files.empty()) return;
  inotify_rm_watch(inotify_->get(), known->second);
  folders_.erase(known->second);
  by_path_.erase(known);
}

void FileWatch::on_ready() {
  std::set<std::string> changed;
  alignas(inotify_event) std::array<char, 16 * 1024> buffer;
  for (ssize_t count; (count = read(inotify_->get(), buffer.data(), buffer.size())) > 0;) {
    for (std::size_t at = 0; at < static_cast<std::size_t>(count);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* name = buffer.data() + at + sizeof event;
      at += sizeof event + event.len;
      if ((event.mask & IN_Q_OVERFLOW) != 0) {
        for (const auto& [descriptor, folder] : folders_) {
          for (const auto& file : folder.files) changed.insert(path_of(folder.path, file));
        }
        continue;
      }
      const auto folder = folders_.find(event.wd);
      if (folder == folders_.end()) {
        if (thread_->busy()) early_.insert(event.wd);
        continue;
      }
      if ((event.mask & IN_IGNORED) != 0) {  // the folder itself has gone
        by_path_.erase(folder->second.path);
        folders_.erase(folder);
      } else if (event.len > 0 && folder->second.files.contains(name)) {
        changed.insert(path_of(folder->second.path, name));
      }
    }
  }
  for (const auto& path : changed) on_change_(path);
}

}  // namespace checkers
