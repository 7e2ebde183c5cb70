#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "config/yaml/diagnostics.h"
#include "director/engine/change.h"
#include "director/engine/request_error.h"
#include "net/error.h"
#include "net/loop.h"

namespace config {
class ReloadCache;
}
namespace net {
class Background;
}  // namespace net

namespace director {

class Engine;

/// Which file is in force and which node of it this is.
struct Source {
  std::string file;
  std::string node;  ///< as --node says; empty: the one with the host's name
  std::string host_name;
};

/// Why another file does not take force.
struct Refused {
  std::string why;                          ///< a sentence
  std::vector<config::Diagnostic> found{};  ///< what is wrong in the file, if that is why
  RequestError::Kind kind = RequestError::Kind::conflict;
};

/// In one line: "cluster file refused: " and the first mistake with its place, and how many there are besides, or `why`
/// where there is none; "reload failed: " and `why` where the file is not at fault.
[[nodiscard]] std::string to_string(const Refused& refused);

/// Puts the cluster file in force anew: read and compared in a thread of its own, taken over in one step on the loop.
/// On any error nothing changes. A reading that takes longer than a minute is given up.
class Reloader {
 public:
  /// What a reload changed, or would change.
  struct Outcome {
    Change change;
    std::vector<config::Diagnostic> warnings;
  };
  using Done = std::move_only_function<void(std::expected<Outcome, Refused>)>;
  /// Called in the thread: the text of a file, and behind it those of the files that it includes; at least one.
  using Sent = std::move_only_function<std::expected<std::vector<config::Source>, Refused>()>;

  /// What of a file's `director:` is not the engine's: who may use the control sockets. Asked in the thread, where that
  /// differs. What it returns is called on the loop once the file is in force. Error: it cannot be, nothing has
  /// changed.
  using PrepareAccess = std::function<net::Result<std::move_only_function<void()>>(const config::Director& next)>;

  /// `loop` and `engine` must outlive this; `cache` is of the file in force. Error: no descriptors left.
  static net::Result<std::unique_ptr<Reloader>> create(net::Loop& loop, Engine& engine, Source source,
                                                       config::ReloadCache cache, PrepareAccess prepare_access);
  ~Reloader();
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  /// Reads the file again, as `who` asked: "SIGHUP", "the control socket". What removes too much (guard()) needs `yes`.
  /// A refusal is an event, and a problem until a file is good.
  void reload(bool yes, const std::string& who, Done done);

  /// What putting the file that was read before in force would change, as it is now.
  void plan(Done done);

  /// The same for a file that a client sent: no file of this host is read for it, nor the secrets that it names.
  void plan(Sent sent, Done done);

  /// Whether `path`, which is absolute, is that of the file that was read before.
  [[nodiscard]] bool is_own_file(const std::string& path) const;
  [[nodiscard]] const std::string& own_file() const { return source_.file; }

 private:
  Reloader(net::Loop& loop, Engine& engine, Source source, config::ReloadCache cache, PrepareAccess prepare_access,
           std::unique_ptr<net::Background> background);
  struct Read;
  struct Reading;
  void take_over(bool yes, std::expected<Read, Refused> read, Done done);
  /// `sent`: none for the file on the disk.
  void read(Sent sent, std::move_only_function<void(std::expected<Read, Refused>)> then);

  net::Loop& loop_;
  Engine& engine_;
  Source source_;
  std::shared_ptr<const config::ReloadCache> cache_;  ///< of engine_'s cluster; shared with the thread
  PrepareAccess prepare_access_;
  std::unique_ptr<net::Background> background_;
  net::Loop::Id time_limit_ = 0;
};

}  // namespace director
