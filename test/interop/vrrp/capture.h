#pragma once

#include <csignal>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "test/catch.h"
#include "test/lab/process.h"

/// A capture of everything that a host's eth0 sees while this lives.
class Capture {
 public:
  explicit Capture(const lab::Host& host)
      : host_(host),
        file_(std::filesystem::temp_directory_path() / (host.name + ".pcap")),
        tcpdump_(host, {"tcpdump", "-Z", "root", "--immediate-mode", "-i", "eth0", "-U", "-w", file_},
                 file_.string() + ".log") {
    REQUIRE(lab::wait_until([&] { return std::filesystem::exists(file_) && std::filesystem::file_size(file_) > 0; },
                            std::chrono::seconds(5)));
  }

  void finish() {
    tcpdump_.signal(SIGINT);
    REQUIRE(tcpdump_.wait(std::chrono::seconds(5)) == 0);
  }

  /// The packets that `filter` selects, a line each, with `fields` apart by spaces.
  std::vector<std::string> packets(const std::string& filter, const std::vector<std::string>& fields,
                                   const std::string& preference) const {
    std::vector<std::string> argv = {"tshark", "-r", file_,    "-o", preference,    "-Y",
                                     filter,   "-T", "fields", "-E", "separator=/s"};
    for (const auto& field : fields) argv.insert(argv.end(), {"-e", field});
    const lab::Output output = lab::run(host_, argv, std::chrono::seconds(60));
    CAPTURE(output.text);
    REQUIRE(output.status == 0);
    std::vector<std::string> lines;
    std::istringstream text(output.text);
    for (std::string line; std::getline(text, line);) {
      if (!line.starts_with("Running as user")) lines.push_back(line);
    }
    return lines;
  }

 private:
  const lab::Host& host_;
  std::filesystem::path file_;
  lab::Process tcpdump_;
};
