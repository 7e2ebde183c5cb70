#include "test/lab/systemd.h"

#include <fstream>
#include <iterator>

#include "test/catch.h"

using namespace std::chrono_literals;

namespace lab {

void write(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream out(file);
  REQUIRE((out << text << std::flush));
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

namespace {

bool install(const Host& host) {
  const auto build = programs_folder().parent_path();
  const auto installed = run(host, {"cmake", "--install", build.string(), "--strip", "--prefix", "/usr"}, 60s);
  INFO(installed.text);
  REQUIRE(installed.status == 0);
  return run(host, {"systemd-sysusers"}).status == 0;
}

}  // namespace

Systemd::Systemd(const Host& host, const std::string& cluster_file) : host_(host), systemd_(start(host, cluster_file)) {
  const bool up = wait_until([&] { return find() && active(); }, 30s).has_value();
  INFO(text_of(systemd_.log()) << "\n" << journal());
  REQUIRE(up);
}

Output Systemd::run(std::vector<std::string> words) const {
  std::vector<std::string> argv{"nsenter", "--target", pid_, "--mount", "--pid"};
  argv.insert(argv.end(), words.begin(), words.end());
  return lab::run(host_, std::move(argv), 20s);
}

int Systemd::ctl_as(const std::string& group, const std::string& socket, const std::string& verb) const {
  return run({"setpriv", "--reuid=65534", "--regid=65534", "--groups=" + group, "--no-new-privs", "directorctl",
              "--socket", "/run/directord/" + socket, verb})
      .status;
}

std::string Systemd::property(const std::string& name, const std::string& unit) const {
  auto value = run({"systemctl", "show", unit, "--value", "--property", name}).text;
  value.erase(value.find_last_not_of('\n') + 1);
  return value;
}

bool Systemd::lives_again(const std::string& dead) const {
  return active() && property("MainPID") != "0" && property("MainPID") != dead;
}

std::string Systemd::journal(const std::vector<std::string>& options) const {
  std::vector<std::string> words{"journalctl", "--no-pager", "--output", "cat", "--unit", "directord"};
  words.insert(words.end(), options.begin(), options.end());
  return run(std::move(words)).text;
}

Process Systemd::start(const Host& host, const std::string& cluster_file) {
  REQUIRE(lab::run(host, {"findmnt", "--noheadings", "--output", "FSTYPE", "/"}).text == "overlay\n");
  static const bool once = install(host);
  REQUIRE(once);
  const std::filesystem::path units = "/etc/systemd/system";
  std::filesystem::create_directories(units);
  write(units / "lab.target", "[Unit]\nRequires=directord.service\n");
  for (const char* cleaner : {"systemd-tmpfiles-setup.service", "systemd-tmpfiles-clean.timer"}) {
    std::filesystem::remove(units / cleaner);
    std::filesystem::create_symlink("/dev/null", units / cleaner);
  }
  write("/etc/directord/cluster.yaml", cluster_file);
  lab::run(host, {"mount", "-t", "cgroup2", "none", "/sys/fs/cgroup"});
  return {host,
          {"unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc", "env", "container=lab",
           "/lib/systemd/systemd", "--system", "--unit=lab.target", "--show-status=no"},
          "/run/systemd.log"};
}

bool Systemd::find() {
  pid_ = lab::run(host_, {"pgrep", "--newest", "--full", "--", "--unit=lab.target"}).text;
  pid_.erase(pid_.find_last_not_of('\n') + 1);
  return !pid_.empty();
}

}  // namespace lab
