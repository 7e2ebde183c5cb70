#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "director/engine/background.h"
#include "ipvs/kernel.h"
#include "net/loop.h"

namespace director {

/// Reads the whole of the kernel's table, which takes long where it is large, in a thread and over a socket of its own.
class TableReader {
 public:
  /// Called on the loop.
  using Then = std::move_only_function<void(std::shared_ptr<const net::Result<ipvs::Snapshot>>)>;

  /// `loop` must outlive this; `kernel` is nobody else's. Error: no descriptors left.
  static net::Result<std::unique_ptr<TableReader>> create(net::Loop& loop, std::unique_ptr<ipvs::Kernel> kernel);

  /// What the table holds from now on or later. Whoever asks while a reading is under way waits for the next, together
  /// with all others who do.
  void read(Then then);

 private:
  TableReader(std::unique_ptr<ipvs::Kernel> kernel, std::unique_ptr<Background> background)
      : kernel_(std::move(kernel)), background_(std::move(background)) {}
  void start();
  net::Result<ipvs::Snapshot> read_table();

  std::unique_ptr<ipvs::Kernel> kernel_;  ///< the thread's while it reads
  std::vector<Then> waiting_;
  std::unique_ptr<Background> background_;  ///< last: its thread ends before what it uses
};

}  // namespace director
