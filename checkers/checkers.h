#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "checkers/file_watch.h"
#include "checkers/health.h"
#include "checkers/local_faults.h"
#include "checkers/probe.h"
#include "checkers/schedule.h"
#include "checkers/spec.h"
#include "checkers/spec_table.h"
#include "checkers/stall_meter.h"
#include "net/loop.h"

namespace checkers {

/// One probe's result, and what it made of the check's health. The references hold until the callback returns or calls
/// set().
struct Report {
  const Key& key;
  HealthState before;
  const Health& after;
  HealthChange change;
  const Result& result;
};

/// Probes a set of targets on a loop, each at its own pace, and keeps the health of each.
///
/// A probe's deadline covers all of it, from the first system call to the result, in time during which this process
/// was running: what a freeze (or a long turn of the loop) took away is given back, so that a stall of ours is never a
/// failure of theirs. At most `start_budget` probes start in a turn; the rest follow in the next, after its I/O.
/// A check between two probes costs about 250 bytes; equal specs are kept once. Lives on the loop's thread and must not
/// outlive it. Half of its fields are parts that own what they are about (specs, schedule, local faults, files,
/// stalls).
class Checkers {
 public:
  /// Called for every probe that ended. It may call set() and find().
  using OnReport = std::move_only_function<void(const Report&)>;

  static constexpr int start_budget = 256;

  Checkers(net::Loop& loop, OnReport on_report, MakeProber make_prober = checkers::make_prober,
           LocalFaults::OnChange on_local_fault = {});
  ~Checkers();
  Checkers(const Checkers&) = delete;
  Checkers& operator=(const Checkers&) = delete;

  /// From now on exactly these are checked; duplicates count once. A check that was there before keeps everything: its
  /// health, its rhythm, and the probe that is under way. One that is gone is forgotten at once.
  void set(std::span<const Key> keys);

  /// The same as a difference to what is checked now; what it costs follows that. A gone key that is not checked is
  /// ignored, an added one that is stays as it is.
  void change(std::span<const Key> gone, std::span<const Key> added);

  /// Tells that the server behind `key` has traffic already: as long as nothing is known of it, one failure alone does
  /// not take that away. Without effect once something is known, and on what is not checked.
  void mark_serving(const Key& key);
  /// From now on, failures of probes of `target` that began before `until` say nothing of it: they end as not_run, with
  /// `why` behind what was found. Takes the place of an earlier suppression of the same target.
  void suppress_failures(const net::Address& target, net::Instant until, std::string why);

  /// Probes at the next turn, unless a probe is under way. A key that is not checked is ignored.
  void probe_now(const Key& key);

  /// The health of `key`; nothing if it is not checked. Valid until the next turn of the loop or call of set().
  [[nodiscard]] const Health* find(const Key& key) const;

  /// What keeps checks from being run on this host.
  [[nodiscard]] std::vector<LocalFault> local_faults() const { return local_faults_.now(); }

  [[nodiscard]] std::size_t size() const { return index_.size(); }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }

 private:
  using Id = Schedule::Id;
  using SpecId = SpecTable::Id;

  struct Probe {
    std::unique_ptr<ProbeRun> run;
    net::Loop::Id timer = 0;
    net::Instant started;
    net::Duration late{};
    net::Duration lost_before{};  ///< to stalls, when it started
  };
  struct Check {
    net::Endpoint target{};
    SpecId spec = 0;
    std::uint32_t mark = 0;
    bool present = false;
    bool kept = false;  ///< scratch of set()
    std::uint32_t generation = 0;
    Health health{};
    LocalFault* local_fault = nullptr;  ///< that kept the last probe from being run
    std::unique_ptr<Probe> probe{};     ///< while one is under way
  };
  struct Suppression {
    net::Instant until;
    std::string why;
  };
  struct IndexKey {
    net::Endpoint target;
    SpecId spec;
    std::uint32_t mark;
    bool operator==(const IndexKey&) const = default;
  };
  struct IndexKeyHash {
    std::size_t operator()(const IndexKey& place) const;
  };

  [[nodiscard]] std::optional<Id> id_of(const Key& key) const;
  void release_unused(SpecId spec);
  Id add(const Key& key, SpecId spec);
  void remove(Id id);
  const Key& key_of(const Check& check) { return specs_.key(check.spec, check.target, check.mark); }
  void on_file(const std::string& path);
  void apply_suppression(const Key& key, Result& result) const;

  void arm();
  void start_due();
  void start(Id id, net::Instant due);
  void on_probe_done(Id id, std::uint32_t generation, Result result);
  void deadline(Id id, std::uint32_t generation);
  void finish(Id id, Result result);
  void probe_ended();

  net::Loop& loop_;
  OnReport on_report_;
  SpecTable specs_;
  std::unordered_map<IndexKey, Id, IndexKeyHash> index_;
  std::vector<Check> checks_;
  std::vector<Id> free_checks_;
  Schedule schedule_;
  std::map<net::Address, Suppression> suppressions_;
  LocalFaults local_faults_;
  FileWatch files_{loop_, [this](const std::string& path) { on_file(path); }};
  net::Loop::Id start_timer_ = 0;
  net::Instant armed_for_;
  std::size_t in_flight_ = 0;
  StallMeter stalls_{loop_};  ///< watched while probes are in flight
};

}  // namespace checkers
