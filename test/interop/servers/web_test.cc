// nginx, and haproxy and varnish in front of it: healthy, broken and slow.

#include <fmt/format.h>

#include "test/interop/servers/certificates.h"
#include "test/interop/servers/daemon.h"
#include "test/interop/servers/probing.h"

using namespace checkers;

namespace {

constexpr std::uint16_t plain = 8080, secure = 8443, expired = 8444, misnamed = 8445, front = 8081;

Http get(const std::string& path) { return {.path = path}; }

Http get_over(Tls tls) {
  Http http{.path = "/health"};
  http.host = "www.example.org";
  http.tls = std::move(tls);
  return http;
}

std::string nginx_file(const std::string& servers) {
  return fmt::format(R"(daemon off; master_process off; pid nginx.pid; error_log stderr;
events {{}}
http {{
  access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {{
    listen 127.0.0.1:{};
    location = /health {{ return 200 "all is well\n"; }}
    location = /broken {{ return 503; }}
    location = /move {{ return 301 /health; }}
    location = /away {{ return 302 http://www.example.com/; }}
    location = /circle {{ return 302 /circle; }}
  }}
  {}
}}
)",
                     plain, servers);
}

std::string tls_server(std::uint16_t port, const PemFiles& files) {
  return fmt::format(
      "server {{ listen 127.0.0.1:{} ssl; ssl_certificate {}; ssl_certificate_key {}; location = /health {{ return 200 "
      "secured; }} }}\n",
      port, files.certificate, files.key);
}

std::vector<std::string> nginx(const Workshop& workshop, const std::string& servers = "") {
  return {"/usr/sbin/nginx", "-p", workshop.path, "-c", workshop.file("nginx.conf", nginx_file(servers)), "-e",
          "stderr"};
}

}  // namespace

TEST_CASE("nginx over http") {
  const Workshop workshop;
  Daemon server(workshop, nginx(workshop), plain);
  const auto at = local(plain);
  passes(at, Tcp{}, "connected");
  passes(at, get("/health"), "status 200");
  auto well = get("/health");
  well.expect_body = text("all is well");
  well.expect_headers["server"] = regex("^nginx/1");
  passes(at, well, "status 200, body as expected");
  well.expect_body = text("all is lost");
  fails(at, well, "\"all is lost\" not in the whole of the body, which begins \"all is well\\n\"");
  fails(at, get("/broken"), "status 503, expected 200");
  fails(at, get("/nothing"), "status 404, expected 200");
  auto head = get("/health");
  head.method = "HEAD";
  passes(at, head, "HEAD http://127.0.0.1:8080/health: status 200");

  auto moved = get("/move");
  fails(at, moved, "status 301, expected 200");
  moved.follow = 1;
  passes(at, moved, "GET http://127.0.0.1:8080/health: status 200");
  for (auto* path : {"/away", "/circle"}) {
    moved.path = path;
    fails(at, moved, path == std::string("/away") ? "which is another host" : "redirected more than 1 times");
  }

  server.freeze();
  passes(at, Tcp{}, "connected");  // its kernel still accepts: why a service should not be checked by tcp alone
  times_out(at, get("/health"));
  server.thaw();
  passes(at, get("/health"));
  server.kill();
  fails(at, Tcp{}, "Connection refused");
  fails(at, get("/health"), "Connection refused");
}

TEST_CASE("nginx over https with a private CA, and with certificates that are not good") {
  const Workshop workshop;
  TestCa ca, other;
  std::string servers = tls_server(secure, issue(ca, workshop, "good", {}));
  servers += tls_server(expired, issue(ca, workshop, "expired", {.from_days = -20, .to_days = -2}));
  servers += tls_server(misnamed, issue(ca, workshop, "misnamed", {.names = "DNS:mail.example.org"}));
  Daemon server(workshop, nginx(workshop, servers), secure);

  passes(local(secure), get_over({.ca = ca.file()}), "https://127.0.0.1:8443/health: status 200");
  passes(local(secure), Tcp{.tls = Tls{.ca = ca.file(), .name = "www.example.org"}}, ", 30 days left");
  fails(local(secure), get_over({}), "certificate: unable to get local issuer certificate");
  fails(local(secure), get_over({.ca = other.file()}), "certificate: ");
  fails(local(secure), get_over({.ca = ca.file(), .min_days_left = 60}),
        "certificate expires in 30 days, fewer than 60");
  fails(local(expired), get_over({.ca = ca.file()}), "certificate: certificate has expired");
  fails(local(misnamed), get_over({.ca = ca.file()}), "certificate: hostname mismatch");
  passes(local(misnamed), get_over({.verify = false}), "status 200");
  passes(local(expired), get_over({.verify = false}), "status 200");

  fails(local(plain), get_over({.ca = ca.file()}), "handshake: wrong version number");
  fails(local(secure), get("/health"), "status 400, expected 200");
  server.freeze();
  times_out(local(secure), get_over({.ca = ca.file()}));
  server.kill();
  fails(local(secure), get_over({.ca = ca.file()}), "Connection refused");
}

TEST_CASE("haproxy in front of nginx") {
  const Workshop workshop;
  Daemon back(workshop, nginx(workshop), plain);
  const auto file = workshop.file("haproxy.cfg", fmt::format(R"(defaults
  mode http
  timeout connect 200ms
  timeout server 200ms
  timeout client 5s
listen web
  bind 127.0.0.1:{}
  option redispatch
  retries 0
  server nginx 127.0.0.1:{}
)",
                                                             front, plain));
  Daemon proxy(workshop, {"/usr/sbin/haproxy", "-db", "-f", file}, front);
  passes(local(front), get("/health"), "status 200");
  fails(local(front), get("/broken"), "status 503");
  back.freeze();
  fails(local(front), get("/health"), "status 504, expected 200");  // the proxy's word for a slow server
  back.kill();
  passes(local(front), Tcp{});
  fails(local(front), get("/health"), "status 503, expected 200");
  proxy.freeze();
  times_out(local(front), get("/health"));
  proxy.kill();
  fails(local(front), get("/health"), "Connection refused");
}

TEST_CASE("varnish in front of nginx") {
  const Workshop workshop;
  Daemon back(workshop, nginx(workshop), plain);
  const auto file = workshop.file("web.vcl", fmt::format(R"(vcl 4.1;
backend nginx {{ .host = "127.0.0.1"; .port = "{}"; .first_byte_timeout = 1s; }}
sub vcl_recv {{ return (pass); }}
)",
                                                         plain));
  Daemon cache(workshop,
               {"/usr/sbin/varnishd", "-F", "-j", "none", "-n", workshop.path / "varnish", "-f", file, "-a",
                fmt::format("127.0.0.1:{}", front), "-s", "malloc,8m"},
               front);
  auto seen = get("/health");
  seen.expect_headers["via"] = text("arnish");  // newer ones write it with a capital
  passes(local(front), seen, "status 200");
  fails(local(front), get("/nothing"), "status 404");
  back.freeze();
  fails(local(front), get("/health"), "status 503, expected 200");
  back.kill();
  fails(local(front), get("/health"), "status 503, expected 200");
  cache.kill();
  fails(local(front), get("/health"), "Connection refused");
}
