#include "test/sim/cluster/disk.h"

#include <cerrno>
#include <utility>

namespace cluster_sim {

namespace {

using namespace std::chrono_literals;

constexpr auto way_to_the_cache = 2ms, way_to_the_disk = 8ms, look_again = 20ms;

class DiskAccess final : public director::StateDisk {
 public:
  DiskAccess(net::Loop& loop, Disk& disk, Mutation mutation) : loop_(loop), disk_(disk), mutation_(mutation) {}
  ~DiskAccess() override { loop_.cancel(timer_); }
  DiskAccess(const DiskAccess&) = delete;
  DiskAccess& operator=(const DiskAccess&) = delete;

  [[nodiscard]] std::string name() const override { return "state.json"; }

  [[nodiscard]] net::Result<director::PersistentState> load() override {
    if (disk_.written.empty() || mutation_ == Mutation::forgets_state) return director::PersistentState{};
    return director::state_from_json(disk_.written);
  }

  std::string put_aside() override { return ""; }

  void write(const director::PersistentState& state, Then then) override {
    text_ = to_json(state);
    then_ = std::move(then);
    if (disk_.behaviour == Disk::Behaviour::no_threads) {
      timer_ = loop_.after({}, [this] { end(net::failure("write state.json: " + std::string(no_thread))); });
    } else {
      timer_ = loop_.after(way_to_the_cache, [this] { cache(); });
    }
  }

  [[nodiscard]] bool busy() const override { return timer_ != 0; }

 private:
  void cache() {
    if (disk_.behaviour == Disk::Behaviour::hangs) {
      timer_ = loop_.after(look_again, [this] { cache(); });
      return;
    }
    if (disk_.behaviour == Disk::Behaviour::full) return end(net::system_error(ENOSPC, "write state.json.new"));
    if (mutation_ != Mutation::writes_nothing) disk_.written = text_;
    timer_ = loop_.after(way_to_the_disk, [this] { sync(); });
  }

  void sync() {
    if (disk_.behaviour == Disk::Behaviour::hangs) {
      timer_ = loop_.after(look_again, [this] { sync(); });
      return;
    }
    if (mutation_ != Mutation::writes_nothing && mutation_ != Mutation::syncs_nothing) disk_.durable = text_;
    end({});
  }

  void end(net::Result<> result) {
    timer_ = 0;
    auto then = std::move(then_);
    then(std::move(result));  // and may write again
  }

  net::Loop& loop_;
  Disk& disk_;
  Mutation mutation_;
  std::string text_;
  Then then_;
  net::Loop::Id timer_ = 0;
};

}  // namespace

std::unique_ptr<director::StateDisk> Disk::open(net::Loop& loop, Mutation mutation) {
  return std::make_unique<DiskAccess>(loop, *this, mutation);
}

}  // namespace cluster_sim
