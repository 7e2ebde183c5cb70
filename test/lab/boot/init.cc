// PID 1 of the lab's kernel (user-mode Linux). It starts with the host's root file system as its own, writable; so
// before anything else runs, it lays a tmpfs over it (overlayfs) and refuses to go on if that fails. Then it loads the
// modules, runs the one command, and powers off.
//
// The host's side is test/lab/boot/lab. The two meet in the run folder (LAB_RUN, an absolute host path):
//   argv, environment   in: strings, each ended by a NUL          cwd, out   in: a path; `out` may be empty
//   stdout, stderr      out: the command's output; one file where the host's streams are one
//   status              out: the command's exit status in decimal; it exists only when the command has ended
// What goes wrong here is said on the console.

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using std::string, std::string_view;

constexpr string_view modules_root = "/usr/lib/uml/modules/";

/// Loaded before the command starts. Anything else comes by the kernel's own autoload, which costs an exec each.
constexpr string_view wanted_modules[] = {"veth",     "bridge",    "macvlan",    "dummy",      "af_packet",
                                          "ip_vs",    "ip_vs_rr",  "ip_vs_wrr",  "ip_vs_lc",   "ip_vs_wlc",
                                          "ip_vs_sh", "ip_vs_sed", "ip_vs_nq",   "ip_vs_mh",   "ip_vs_dh",
                                          "ip_vs_fo", "ip_vs_ovf", "ip_vs_lblc", "ip_vs_lblcr"};

[[noreturn]] void die(const string& what) {
  std::fprintf(stderr, "lab-init: %s: %s\n", what.c_str(), std::strerror(errno));
  std::fflush(stderr);
  reboot(RB_POWER_OFF);
  _exit(1);
}

void must(int result, const string& what) {
  if (result < 0) die(what);
}

string read_file(const string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) die("read " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<string> read_strings(const string& path) {
  std::istringstream in(read_file(path));
  std::vector<string> strings;
  for (string s; std::getline(in, s, '\0');) strings.push_back(s);
  return strings;
}

/// The modules of one kernel, by name, and what each needs (modules.dep: "path: needs needs").
class Modules {
 public:
  explicit Modules(const string& release) : folder_(string(modules_root) + release + "/") {
    std::ifstream in(folder_ + "modules.dep");
    if (!in) die("read " + folder_ + "modules.dep");
    for (string line; std::getline(in, line);) {
      const auto colon = line.find(':');
      const string path = line.substr(0, colon);
      std::istringstream rest(line.substr(colon + 1));
      needs_[path] = {std::istream_iterator<string>(rest), {}};
      paths_[name_of(path)] = path;
    }
  }

  /// Loads a module after what it needs; a name that this kernel does not have is built in, or not wanted badly.
  void load(string_view name) {
    const auto found = paths_.find(string(name));
    if (found == paths_.end()) return;
    const auto& needs = needs_[found->second];
    for (auto it = needs.rbegin(); it != needs.rend(); ++it) insert(*it);
    insert(found->second);
  }

 private:
  static string name_of(const string& path) {
    const auto start = path.rfind('/') + 1;
    string name = path.substr(start, path.rfind(".ko") - start);
    for (char& c : name) c = c == '-' ? '_' : c;
    return name;
  }

  void insert(const string& path) {
    if (!loaded_.insert(path).second) return;
    const int fd = open((folder_ + path).c_str(), O_RDONLY | O_CLOEXEC);
    must(fd, "open module " + path);
    if (syscall(SYS_finit_module, fd, parameters_of(name_of(path)).c_str(), 0) < 0 && errno != EEXIST) {
      die("load module " + path);
    }
    close(fd);
  }

  /// The kernel's command line has them as MODULE.NAME=VALUE, which only built-in modules read by themselves.
  static string parameters_of(const string& module) {
    string parameters;
    std::istringstream words(read_file("/proc/cmdline"));
    for (string word; words >> word;) {
      if (word.starts_with(module + '.')) parameters += word.substr(module.size() + 1) + ' ';
    }
    return parameters;
  }

  string folder_;
  std::map<string, string> paths_;
  std::map<string, std::vector<string>> needs_;
  std::set<string> loaded_;
};

void mount_or_die(const char* source, const string& target, const char* type, unsigned long flags = 0,
                  const string& data = "") {
  must(mount(source, target.c_str(), type, flags, data.c_str()), "mount " + target);
}

/// An overlay of the host's root and a tmpfs becomes the root; `out` alone reaches through to the host.
void enter_overlay(const string& run, const string& out) {
  const string memory = run + "/mnt", root = memory + "/root";
  mount_or_die("lab", memory, "tmpfs", 0, "mode=755,size=75%");
  for (const auto* folder : {"/upper", "/work", "/root"}) must(mkdir((memory + folder).c_str(), 0755), folder);
  mount_or_die("lab", root, "overlay", 0, "lowerdir=/,upperdir=" + memory + "/upper,workdir=" + memory + "/work");
  if (!out.empty()) mount_or_die(out.c_str(), root + out, nullptr, MS_BIND);
  must(chdir(root.c_str()), "enter the overlay");
  must(mount(".", "/", nullptr, MS_MOVE, nullptr), "move the overlay to /");
  must(chroot("."), "chroot");
  must(chdir("/"), "chdir /");
}

void link_or_die(const string& target, const string& path) {
  if (symlink(target.c_str(), path.c_str()) < 0 && errno != EEXIST) die("link " + path);
}

void mount_the_usual(const string& release) {
  mount_or_die("proc", "/proc", "proc");
  mount_or_die("sysfs", "/sys", "sysfs");
  mount_or_die("dev", "/dev", "devtmpfs");
  for (const auto* folder : {"/dev/pts", "/dev/shm", "/sys/kernel/debug"}) mkdir(folder, 0755);
  mount_or_die("devpts", "/dev/pts", "devpts", 0, "ptmxmode=666");
  mount_or_die("shm", "/dev/shm", "tmpfs", 0, "mode=1777");
  mount_or_die("run", "/run", "tmpfs", 0, "mode=755");
  link_or_die("/proc/self/fd", "/dev/fd");
  link_or_die("/proc/self/fd/0", "/dev/stdin");
  link_or_die("/proc/self/fd/1", "/dev/stdout");
  link_or_die("/proc/self/fd/2", "/dev/stderr");
  mkdir("/usr/lib/modules", 0755);  // where modprobe looks, and the kernel calls it by itself
  link_or_die(string(modules_root) + release, "/usr/lib/modules/" + release);
}

/// Version 6.12 of this kernel writes into others' memory where a program (cmake) uses io_uring. Older ones have
/// neither the fault nor the setting.
void disable_io_uring() {
  std::ofstream setting("/proc/sys/kernel/io_uring_disabled");
  if (setting && !(setting << "2\n" << std::flush)) die("disable io_uring");
}

int exit_status_of(pid_t command) {
  for (int status = 0;;) {
    const pid_t pid = wait(&status);
    if (pid < 0 && errno != EINTR) die("wait");
    if (pid == command) return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
}

pid_t start(std::vector<string> argv, std::vector<string>& environment, int out, int err) {
  const pid_t pid = fork();
  must(pid, "fork");
  if (pid != 0) return pid;
  setsid();
  dup2(open("/dev/null", O_RDONLY), 0);
  dup2(out, 1);
  dup2(err, 2);
  clearenv();
  for (auto& variable : environment) putenv(variable.data());
  std::vector<char*> arguments;
  for (auto& argument : argv) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  const int error = errno;
  std::fprintf(stderr, "lab: cannot run %s: %s\n", arguments[0], std::strerror(error));
  _exit(error == ENOENT ? 127 : 126);
}

void report(int run_folder, int status) {
  const int fd = openat(run_folder, "status.new", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  must(fd, "create the status file");
  const string text = std::to_string(status) + "\n";
  must(static_cast<int>(write(fd, text.data(), text.size())), "write the status file");
  must(fsync(fd), "fsync the status file");
  must(renameat(run_folder, "status.new", run_folder, "status"), "rename the status file");
}

}  // namespace

int main() {
  const char* folder = std::getenv("LAB_RUN");
  if (getpid() != 1 || folder == nullptr) {
    std::fputs("lab-init is PID 1 of the lab's kernel; use test/lab/boot/lab\n", stderr);
    return 2;
  }
  umask(022);
  utsname kernel{};
  uname(&kernel);
  const string run = folder;
  const auto argv = read_strings(run + "/argv");
  auto environment = read_strings(run + "/environment");
  const string cwd = read_file(run + "/cwd");
  const int run_folder = open(folder, O_DIRECTORY | O_CLOEXEC);
  const int out = openat(run_folder, "stdout", O_WRONLY | O_APPEND | O_CLOEXEC);
  const int err = openat(run_folder, "stderr", O_WRONLY | O_APPEND | O_CLOEXEC);
  must(out, "open stdout");

  Modules modules(kernel.release);
  modules.load("overlay");
  enter_overlay(run, read_file(run + "/out"));
  mount_the_usual(kernel.release);
  disable_io_uring();
  for (const auto name : wanted_modules) modules.load(name);
  must(sethostname("lab", 3), "sethostname");
  environment.push_back(string("GLIBC_TUNABLES=") + std::getenv("GLIBC_TUNABLES"));
  must(chdir(cwd.c_str()), "chdir " + cwd);

  report(run_folder, exit_status_of(start(argv, environment, out, err < 0 ? out : err)));
  sync();
  reboot(RB_POWER_OFF);
}
