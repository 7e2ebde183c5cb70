#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "net/fd.h"
#include "net/loop.h"

namespace checkers {

/// Tells when files change, by inotify on their folders: so a file may come, go, and be replaced. Where the kernel will
/// not watch (no such folder, limits), nothing is told, and each call of watch() tries again.
class FileWatch {
 public:
  /// Called once a turn for each file that was written and closed, moved, or deleted. It may call watch() and forget().
  using OnChange = std::move_only_function<void(const std::string& path)>;

  FileWatch(net::Loop& loop, OnChange on_change) : loop_(loop), on_change_(std::move(on_change)) {}
  ~FileWatch() { loop_.unwatch(watch_); }
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  /// Watches an absolute path, if it is not watched yet.
  void watch(const std::string& path);
  void forget(const std::string& path);

 private:
  struct Folder {
    std::string path;
    std::set<std::string> files;  ///< names in it
  };

  bool open();
  void on_ready();

  net::Loop& loop_;
  OnChange on_change_;
  net::Fd inotify_;
  net::Loop::Id watch_ = 0;
  std::map<int, Folder> folders_;       ///< by watch descriptor
  std::map<std::string, int> by_path_;  ///< of folders
};

}  // namespace checkers
