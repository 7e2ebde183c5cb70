#pragma once

#include <mutex>
#include <span>
#include <thread>

#include "test/lab/scenario.h"

namespace lab {

/// Shows the scenario on standard output: steps and rows as plain lines and, on a terminal, below them a block that is
/// redrawn four times a second: who is master, each server's weight and requests a second, the client's fortune.
class View final : public Audience {
 public:
  /// `columns` is the terminal's width; 0: no terminal, plain lines only.
  explicit View(int columns) : columns_(columns) {}

  void raise_curtain(const Pair& pair, const Prober& prober) override;
  void drop_curtain() override;
  void step(std::string_view title) override;
  void row(const Row& row) override;
  void evidence(std::string_view text) override;

 private:
  void print_above(std::string_view lines);
  std::string block(const Pair& pair, const Prober& prober);
  [[nodiscard]] std::string paint(std::string_view colour, std::string_view text) const;

  int columns_;
  std::mutex mutex_;  ///< of what is on the screen
  std::string block_;
  net::Instant curtain_;
  std::jthread thread_;
};

/// The closing table. With `columns` as in View, for the colours.
std::string summary(std::span<const Row> rows, int columns);

/// The terminal's width as the lab's --host side saw it (LAB_COLUMNS), or 0.
int terminal_columns();

}  // namespace lab
