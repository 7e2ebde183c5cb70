// What checking costs: ours beside keepalived, on the same targets. Usage:
//   checkers_bench [--json FILE] [--sizes 1000,10000,50000] [--runs 3] [--seconds 5]
// One JSON object a line for each measure, medians of the runs, to FILE or standard output.
#include <fmt/format.h>
#include <getopt.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "test/bench/checkers/measures.h"
#include "test/bench/checkers/world.h"

namespace bench {
namespace {

/// keepalived spends minutes on starting with more.
constexpr std::uint32_t keepalived_limit = 10'000;

struct Options {
  std::FILE* out = stdout;
  std::vector<std::uint32_t> sizes = {1'000, 10'000, 50'000};
  int runs = 3;
  double seconds = 5;
};

double median(const std::vector<Measures>& all, double Measures::* field) {
  std::vector<double> values;
  for (const auto& each : all) values.push_back(each.*field);
  std::ranges::sort(values);
  return values.empty() ? 0 : values[values.size() / 2];
}

struct Row {
  const char* measure;
  const char* unit;
  double Measures::* field;
  double scale;
  bool inverse;  ///< a rate: more is better
};

constexpr Row rows[] = {
    {"cpu_per_check", "us", &Measures::cpu_per_check, 1e6, false},
    {"checks_per_second_per_core", "1/s", &Measures::cpu_per_check, 1, true},
    {"memory_per_target", "B", &Measures::memory_per_target, 1, false},
    {"start_late_p99", "ms", &Measures::start_late_p99, 1e3, false},
    {"all_dead_to_all_out", "s", &Measures::all_out, 1, false},
};

std::string number(double value) { return value == 0 ? "null" : fmt::format("{:.4g}", value); }

void print(const Options& options, const Run& run, const std::vector<Measures>& ours,
           const std::vector<Measures>& theirs) {
  for (const auto& row : rows) {
    const auto value = [&](const std::vector<Measures>& all) {
      const auto middle = median(all, row.field);
      if (middle == 0) return 0.0;
      return row.inverse ? row.scale / middle : row.scale * middle;
    };
    const double us = value(ours);
    const double them = value(theirs);
    const double ratio = us == 0 || them == 0 ? 0 : row.inverse ? us / them : them / us;
    fmt::print(options.out,
               R"({{"bench":"checkers","measure":"{}_{}_{}","unit":"{}","ours":{},"peer":{},"theirs":{},"ratio":{},)"
               R"("where":"{} targets every {:g} s on loopback, {} runs"}})"
               "\n",
               run.kind == Kind::tcp ? "tcp" : "http", run.targets, row.measure, row.unit, number(us),
               them == 0 ? "null" : R"("keepalived")", number(them), number(ratio), run.targets, run.interval,
               options.runs);
  }
  std::fflush(options.out);
}

int usage() {
  fmt::print(stderr, "usage: checkers_bench [--json FILE] [--sizes N,N...] [--runs N] [--seconds S]\n");
  return 2;
}

int run(int argc, char** argv) {
  Options options;
  const option known[] = {{"json", required_argument, nullptr, 'j'},
                          {"sizes", required_argument, nullptr, 'n'},
                          {"runs", required_argument, nullptr, 'r'},
                          {"seconds", required_argument, nullptr, 's'},
                          {}};
  for (int choice; (choice = getopt_long(argc, argv, "", known, nullptr)) != -1;) {
    if (choice == 'j') {
      options.out = std::fopen(optarg, "w");
      if (options.out == nullptr) {
        std::perror(optarg);
        return 1;
      }
    } else if (choice == 'n') {
      options.sizes.clear();
      std::istringstream list(optarg);
      for (std::string size; std::getline(list, size, ',');) {
        options.sizes.push_back(static_cast<std::uint32_t>(std::strtoul(size.c_str(), nullptr, 10)));
      }
    } else if (choice == 'r') {
      options.runs = std::atoi(optarg);
    } else if (choice == 's') {
      options.seconds = std::atof(optarg);
    } else {
      return usage();
    }
  }
  if (optind != argc || options.runs < 1 || options.seconds <= 0) return usage();

  enter_namespace();
  for (const auto size : options.sizes) {
    for (const auto kind : {Kind::tcp, Kind::http}) {
      const Run each{.kind = kind, .targets = size, .interval = size > 10'000 ? 5.0 : 1.0, .seconds = options.seconds};
      std::vector<Measures> ours;
      std::vector<Measures> theirs;
      for (int i = 0; i < options.runs; ++i) {
        fmt::print(stderr, "{} targets, {}, run {} of {}\n", size, kind == Kind::tcp ? "tcp" : "http", i + 1,
                   options.runs);
        ours.push_back(measure_ours(each));
        if (size <= keepalived_limit) theirs.push_back(measure_keepalived(each));
      }
      print(options, each, ours, theirs);
    }
  }
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::run(argc, argv); }
