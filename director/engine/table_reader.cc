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
  const auto asked = std::make_shared<std::vector<Then>>(std::exchange(waiting_, {}));
  const auto answer = [this, asked](net::Result<ipvs::Snapshot> read) {
    if (!waiting_.empty()) start();
    const auto table = std::make_shared<const net::Result<ipvs::Snapshot>>(std::move(read));
    for (auto& then : *asked) then(table);
  };
  background_->run(
      [this, answer]() -> Background::Then {
        return [answer, table = read_table()]() mutable { answer(std::move(table)); };
      },
      [answer](const net::Error& error) { answer(net::failure("read the IPVS table: " + error.message)); });
}

net::Result<ipvs::Snapshot> TableReader::read_table() {
  auto table = kernel_->list();
  if (!table && table.error().code == ENOENT) std::ignore = kernel_->reopen();  // for the next reading
  return table;
}

}  // namespace director
