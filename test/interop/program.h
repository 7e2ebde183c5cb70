#pragma once

#include <string>
#include <vector>

/// How a program ended and what it wrote.
struct Outcome {
  int status = 0;  ///< its exit status, or -1 if a signal ended it
  std::string out, err;
};

/// Runs a program in this process's network namespace, with `input` as its standard input.
Outcome run_program(std::vector<std::string> words, const std::string& input = {});
