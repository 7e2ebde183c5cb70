#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "director/engine/engine.h"
#include "ipvs/types.h"
#include "net/loop.h"

namespace director {

/// Writes the status as a line of text, a few servers in each turn of the loop, so that a large cluster keeps no timer
/// waiting. It shows what was so in those turns; another cluster file among them begins it anew.
class StatusWriter {
 public:
  using Table = std::shared_ptr<const net::Result<ipvs::Snapshot>>;
  using Then = std::move_only_function<void(std::shared_ptr<const std::string> status)>;

  /// `engine` must outlive this.
  explicit StatusWriter(const Engine& engine) : engine_(engine) {}
  ~StatusWriter() { engine_.loop().cancel(timer_); }
  StatusWriter(const StatusWriter&) = delete;
  StatusWriter& operator=(const StatusWriter&) = delete;

  /// Who asks with the same table before its text is begun gets the same text.
  void write(Table table, Then then);

 private:
  struct Text {
    Table table;
    std::vector<Then> then;
    std::shared_ptr<const config::Cluster> cluster{};  ///< in force when it was begun; none before
    std::string status{};                              ///< as far as it is written
    std::size_t next = 0;                              ///< of the services, to write
  };

  void go_on();
  void write_some();

  const Engine& engine_;
  std::deque<Text> texts_;  ///< that are being written, the first one now
  net::Loop::Id timer_ = 0;
};

}  // namespace director
