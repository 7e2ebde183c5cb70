#include "director/engine/table_reader.h"

#include <cerrno>
#include <tuple>
#include <utility>

namespace director {
namespace {

net::Result<ipvs::Snapshot> read_table(ipvs::Kernel& kernel) {
  auto table = kernel.list();
  if (!table && table.error().code == ENOENT) std::ignore = kernel.reopen();  // for the next reading
  return table;
}

}  // namespace

net::Result<std::unique_ptr<TableReader>> TableReader::create(net::Loop& loop, std::unique_ptr<ipvs::Kernel> kernel) {
  auto background = net::Background::create(loop);
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
      [kernel = kernel_, answer]() -> net::Background::Then {
        return [answer, table = read_table(*kernel)]() mutable { answer(std::move(table)); };
      },
      [answer](const net::Error& error) { answer(net::failure("read the IPVS table: " + error.message)); });
}

}  // namespace director
