#include "director/engine/table_reader.h"

#include <cerrno>
#include <tuple>
#include <utility>

namespace director {

net::Result<std::unique_ptr<TableReader>> TableReader::create(net::Loop& loop, std::unique_ptr<ipvs::Kernel> kernel) {
  auto background = Background::create(loop);
  if (!background) return std::unexpected(background.error());
  return std::unique_ptr<TableReader>(new TableReader(std::move(kernel), std::move(*background)));
}

void TableReader::read(Then then) {
  waiting_.push_back(std::move(then));
  if (!background_->busy()) start();
}

void TableReader::start() {
  background_->run([this, asked = std::exchange(waiting_, {})]() mutable -> Background::Then {
    return [this, asked = std::move(asked),
            table = std::make_shared<const net::Result<ipvs::Snapshot>>(read_table())]() mutable {
      if (!waiting_.empty()) start();
      for (auto& then : asked) then(table);
    };
  });
}

net::Result<ipvs::Snapshot> TableReader::read_table() {
  auto table = kernel_->list();
  if (!table && table.error().code == ENOENT) std::ignore = kernel_->reopen();  // for the next reading
  return table;
}

}  // namespace director
