// redis, memcached and mariadb by send and expect, a DNS server, and a mail server: healthy, broken and slow.

#include <fmt/format.h>

#include "test/interop/servers/certificates.h"
#include "test/interop/servers/daemon.h"
#include "test/interop/servers/probing.h"
#include "test/unit/checkers/server.h"

using namespace checkers;

TEST_CASE("redis") {
  const Workshop workshop;
  const auto at = local(6379);
  const auto ping = dialogue("PING\r\n", text("+PONG\r\n"));
  {
    Daemon server(workshop, {"/usr/bin/redis-server", "--bind", "127.0.0.1", "--save", "", "--dir", workshop.path},
                  6379);
    passes(at, ping, "answered as expected");
    Tcp role = dialogue("PING\r\n", text("+PONG\r\n"));
    role.script.emplace_back(Tcp::Send{"INFO replication\r\n"});
    role.script.emplace_back(text("role:master\r\n"));
    passes(at, role);
    std::get<Match>(role.script.back()) = regex("role:slave\r\n");
    role.script.emplace(role.script.begin() + 3, Tcp::Send{"QUIT\r\n"});
    fails(at, role, "closed after ");
    server.freeze();
    passes(at, Tcp{});
    times_out(at, ping);
    server.thaw();
    passes(at, ping);
  }
  fails(at, ping, "Connection refused");
  Daemon locked(workshop, {"/usr/bin/redis-server", "--bind", "127.0.0.1", "--save", "", "--requirepass", "secret"},
                6379);
  fails(at, dialogue("PING\r\nQUIT\r\n", text("+PONG\r\n")), "closed after \"-NOAUTH Authentication required.");
  passes(at, dialogue("AUTH secret\r\nPING\r\n", text("+PONG\r\n")));
}

TEST_CASE("memcached") {
  const Workshop workshop;
  const auto at = local(11211);
  Daemon server(workshop, {"/usr/bin/memcached", "-u", "nobody", "-l", "127.0.0.1", "-m", "8", "-t", "1"}, 11211);
  passes(at, dialogue("version\r\n", regex("^VERSION 1\\.")));
  fails(at, dialogue("hello\r\nquit\r\n", text("VERSION")), "closed after \"ERROR\\r\\n\"");
  server.freeze();
  times_out(at, dialogue("version\r\n", text("VERSION")));
  server.kill();
  fails(at, dialogue("version\r\n", text("VERSION")), "Connection refused");
}

TEST_CASE("mariadb, by its greeting") {
  const Workshop workshop;
  const auto at = local(3306);
  const auto data = workshop.path / "data";
  std::filesystem::create_directory(data);
  Daemon server(workshop,
                {"/usr/sbin/mariadbd", "--no-defaults", "--user=root", "--skip-grant-tables", "--skip-networking=0",
                 "--bind-address=127.0.0.1", "--datadir=" + data.string(), "--socket=" + (data / "sock").string(),
                 "--innodb-buffer-pool-size=8M", "--innodb-buffer-pool-size-max=8M", "--innodb-use-native-aio=0",
                 "--innodb-log-file-size=4M", "--max-connections=10", "--lc-messages-dir=/usr/share/mysql",
                 "--aria-log-dir-path=" + data.string()},
                3306);
  // A packet's length (3 bytes) and number, then protocol version 10 and the server's version.
  const auto greeting = dialogue("", regex("^(?s:...)\\x00\\x0a[0-9.-]+-MariaDB"));
  passes(at, greeting, "answered as expected");
  times_out(at, dialogue("", text("8.0.")));  // another server's version: its greeting is all that comes
  server.freeze();
  passes(at, Tcp{});
  times_out(at, greeting);
  server.kill();
  fails(at, greeting, "Connection refused");
}

TEST_CASE("a DNS server (dnsmasq)") {
  const Workshop workshop;
  const auto at = local(5353);
  Daemon server(workshop,
                {"/usr/sbin/dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
                 "--listen-address=127.0.0.1", "--bind-interfaces", "--port=5353", "--user=root",
                 "--pid-file=", "--local=/example.org/", "--address=/www.example.org/192.0.2.1",
                 "--address=/www.example.org/2001:db8::1"},
                5353);
  const auto ask = [](std::string name, std::uint16_t type = 1, std::uint8_t rcode = 0) {
    return Dns{.name = std::move(name), .type = type, .rcode = rcode};
  };
  auto www = ask("www.example.org");
  passes(at, www);
  www.address = net::Address::parse("192.0.2.1");
  passes(at, www);
  www.address = net::Address::parse("192.0.2.2");
  fails(at, www, "192.0.2.2");
  www.type = 28;
  www.address = net::Address::parse("2001:db8::1");
  passes(at, www);
  fails(at, ask("nothing.example.org"), "NXDOMAIN");
  passes(at, ask("nothing.example.org", 1, 3));
  fails(at, ask("example.com"), "REFUSED");
  server.freeze();
  times_out(at, ask("www.example.org"));
  server.kill();
  fails(at, ask("www.example.org"), "Connection refused");
  fails(at, Udp{.send = "hello"}, "Connection refused");
}

TEST_CASE("a mail server (exim)") {
  const Workshop workshop;
  TestCa ca;
  const auto files = issue(ca, workshop, "mail", {.names = "DNS:mail.example.org"});
  // It gives up root before it reads and writes these.
  const auto spool = workshop.path / "spool";
  std::filesystem::create_directory(spool);
  std::filesystem::permissions(spool, std::filesystem::perms::all);
  for (const auto& each : {files.certificate, files.key}) {
    std::filesystem::permissions(each, std::filesystem::perms(0644));
  }
  const auto file = workshop.file("exim.conf", fmt::format(R"(primary_hostname = mail.example.org
spool_directory = {0}
log_file_path = {0}/%slog
local_interfaces = 127.0.0.1
daemon_smtp_ports = 2525 : 2465 : 2526
tls_on_connect_ports = 2465
tls_advertise_hosts = ${{if eq{{$received_port}}{{2526}}{{}}{{*}}}}
tls_certificate = {1}
tls_privatekey = {2}
host_lookup =
keep_environment =
)",
                                                           spool.string(), files.certificate, files.key));
  Daemon server(workshop, {"/usr/sbin/exim4", "-bdf", "-C", file}, 2525);
  const Tls trusted{.ca = ca.file(), .name = "mail.example.org"};
  passes(local(2526), Smtp{});
  passes(local(2525), Smtp{.starttls = true, .tls = trusted});
  passes(local(2465), Smtp{.tls = trusted});
  fails(local(2525), Smtp{.starttls = true, .tls = Tls{.ca = ca.file(), .name = "www.example.org"}},
        "certificate: hostname mismatch");
  fails(local(2525), Smtp{.starttls = true, .tls = Tls{.name = "mail.example.org"}},
        "certificate: unable to get local issuer certificate");
  fails(local(2526), Smtp{.starttls = true, .tls = trusted}, "STARTTLS");
  server.freeze();
  passes(local(2526), Tcp{});
  times_out(local(2526), Smtp{});
  server.thaw();
  passes(local(2526), Smtp{});
  server.kill();
  fails(local(2526), Smtp{}, "Connection refused");

  Server busy([](Peer& peer) {
    peer.write("421 4.3.2 try again later\r\n");
    peer.hold();
  });
  fails(busy.endpoint(), Smtp{}, "421 4.3.2 try again later");
}
