
#include "config/load.h"
#include "test/catch.h"

namespace {

const std::string file = R"(cluster: shop
services:
  web: { listen: 192.0.2.1:80, scheduler: mh, servers: { web1: { address: 192.0.2.2 } } }
  mail:
    listen: 192.0.2.1:25
    scheduler: mh
    servers: { mail1: { address: 192.0.2.2 } }
  dns: { listen: 192.0.2.1:53, scheduler: rr, servers: { dns1: { address: 192.0.2.2 } } }
)";

std::string said(const net::Modules* modules, const std::string& text = file) {
  const auto loaded = config::load_text("shop.yaml", text, modules);
  return config::to_string(loaded ? loaded->warnings : loaded.error());
}

/// A kernel with these module files.
net::Modules kernel(const std::string& files) { return {"", files, ""}; }

}  // namespace

TEST_CASE("a scheduler that the kernel does not have is a warning where it is named first") {
  const auto without_mh = kernel("kernel/ip_vs_rr.ko:\n");
  CHECK(said(&without_mh) ==
        "shop.yaml:3:43: warning: this host's kernel has no module ip_vs_mh for the scheduler 'mh': the kernel "
        "will refuse the service\n"
        "      web: { listen: 192.0.2.1:80, scheduler: mh, servers: { web1: { address: 192.0.2.2 } } }\n"
        "                                              ^\n");
  CHECK(config::load_text("shop.yaml", file, &without_mh));
}

TEST_CASE("the default scheduler is missed at its service") {
  const auto text =
      "cluster: shop\nservices: { web: { listen: 192.0.2.1:80, servers: { a: { address: 192.0.2.2 } } } }\n";
  const auto none = kernel("");
  CHECK(said(&none, text).starts_with("shop.yaml:2:13: warning: this host's kernel has no module ip_vs_w"));
}

TEST_CASE("nothing is said of schedulers that are there, of a kernel that cannot be asked, and of no kernel") {
  const auto both = kernel("kernel/ip_vs_rr.ko:\nkernel/ip_vs_mh.ko:\n");
  CHECK(said(&both).empty());
  const net::Modules unknown({}, {}, {});
  CHECK(said(&unknown).empty());
  CHECK(said(nullptr).empty());
}

TEST_CASE("a program of a check that this host does not have, or cannot run, is a warning once") {
  const auto kernel_of_all = kernel("kernel/ip_vs_wlc.ko:\nkernel/ip_vs_wrr.ko:\n");
  const auto text_with = [](const std::string& program) {
    return "cluster: shop\n"
           "services:\n"
           "  web: { listen: 192.0.2.1:80, servers: { a: { address: 192.0.2.2 } }, check: { exec: { command: [" +
           program +
           "] } } }\n"
           "  api: { listen: 192.0.2.1:81, servers: { a: { address: 192.0.2.2 } }, check: { exec: { command: [" +
           program + "] } } }\n";
  };
  const auto warning = [&](const std::string& program) {
    const auto said_of_it = said(&kernel_of_all, text_with(program));
    return said_of_it.substr(0, said_of_it.find('\n'));
  };
  CHECK(warning("/nonexistent/check") ==
        "shop.yaml:3:89: warning: a check of service 'web' will fail on this host: there is no program "
        "/nonexistent/check");
  CHECK(warning("/etc/passwd").ends_with("will fail on this host: /etc/passwd is not an executable file"));
  CHECK(warning("/etc").ends_with("will fail on this host: /etc is not an executable file"));
  CHECK(warning("/bin/true").empty());
  CHECK(said(nullptr, text_with("/nonexistent/check")).empty());  // a file for another host
}
