#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "ipvs/kernel.h"
#include "net/background.h"
#include "net/loop.h"

namespace director {

/// Reads the whole of the kernel's table, which takes long where it is large, in a thread and over a socket of its own.
class TableReader {
 public:
  /// Called on the loop.
  using Then = std::move_only_function<void(std::shared_ptr<const net::Result<ipvs::Snapshot>>)>;

  /// `loop` must outlive this; `kernel` is nobody else's. Error: no descriptors left.
  static net::Result<std::unique_ptr<TableReader>> create(net::Loop& loop, std::unique_ptr<ipvs::Kernel> kernel);

  /// Waits for the reading under way, for a second at most; who asked is told nothing.
  ~TableReader() { background_->wait(std::chrono::seconds(1)); }
  TableReader(const TableReader&) = delete;
  TableReader& operator=(const TableReader&) = delete;

  /// What the table holds from now on or later. Whoever asks while a reading is under way waits for the next, together
  /// with all others who do.
  void read(Then then);

 private:
  TableReader(std::shared_ptr<ipvs::Kernel> kernel, std::unique_ptr<net::Background> background)
      : kernel_(std::move(kernel)), background_(std::move(background)) {}
  void start();

  std::shared_ptr<ipvs::Kernel> kernel_;  ///< the thread's while it reads
  std::vector<Then> waiting_;
  std::unique_ptr<net::Background> background_;
};

}  // namespace director
