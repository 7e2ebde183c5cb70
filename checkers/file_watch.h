#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "net/background.h"
#include "net/fd.h"
#include "net/loop.h"

namespace checkers {

/// Tells when files change, by inotify on their folders: so a file may come, go, and be replaced. A thread asks the
/// kernel to watch, one folder after the other, since a file system may hang: no file of a later folder is told until
/// it does not. Where the kernel will not watch (no such folder, limits), nothing is told, and each call of watch()
/// tries again.
class FileWatch {
 public:
  /// Called once a turn for each file that was written and closed, moved, or deleted. It may call watch() and forget().
  using OnChange = std::move_only_function<void(const std::string& path)>;

  FileWatch(net::Loop& loop, OnChange on_change) : loop_(loop), on_change_(std::move(on_change)) {}
  ~FileWatch() { loop_.unwatch(watch_); }
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  /// Watches an absolute path, if it is not watched yet, from one of the next turns on.
  void watch(const std::string& path);
  void forget(const std::string& path);

 private:
  struct Folder {
    std::string path;
    std::set<std::string> files;  ///< names in it
  };

  bool open();
  void watch_next();
  void watched(const std::string& folder, int descriptor);
  void on_ready();

  net::Loop& loop_;
  OnChange on_change_;
  std::shared_ptr<const net::Fd> inotify_;  ///< with the thread
  std::unique_ptr<net::Background> thread_;
  net::Loop::Id watch_ = 0;
  std::map<std::string, std::set<std::string>> wanted_;  ///< files by folder, of those that are not watched yet
  std::set<int> early_;                                  ///< watch descriptors that told before the thread did
  std::map<int, Folder> folders_;                        ///< by watch descriptor
  std::map<std::string, int> by_path_;                   ///< of folders
};

}  // namespace checkers
