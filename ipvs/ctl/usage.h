#pragma once

#include <string_view>

namespace ipvs {

/// What `ipvsctl -h` prints.
inline constexpr std::string_view usage =
    R"(ipvsctl: shows and changes the kernel's IPVS table. Its command lines are those of ipvsadm; see ipvsctl(8).

Virtual services
  ipvsctl -A|-E SERVICE [-s SCHEDULER] [-p [SECONDS]] [-M NETMASK] [--pe ENGINE] [-b FLAGS] [-o]
  ipvsctl -D SERVICE
Real servers
  ipvsctl -a|-e SERVICE -r HOST[:PORT] [-g|-i|-m] [-w WEIGHT] [-x UPPER] [-y LOWER] [tunnel options]
  ipvsctl -d SERVICE -r HOST[:PORT]
The table
  ipvsctl [-L [SERVICE]] [-n] [--stats|--rate|--thresholds|--persistent-conn|--tun-info] [--exact] [--nosort] [--json]
  ipvsctl -L -c|--timeout|--daemon [-n] [--json]
  ipvsctl -S [-n]                       save the table's rules to standard output
  ipvsctl -R                            add the rules from standard input to the table
  ipvsctl --batch                       the same; exit status 1 if the kernel refused a rule
  ipvsctl -C                            delete every service
  ipvsctl -Z [SERVICE]                  set the counters of one service, or of all, to zero
  ipvsctl diff FILE [--json]            print the changes from the table to FILE's rules; exit status 1 if there are any
  ipvsctl apply FILE                    make these changes and no others; open connections continue
  ipvsctl watch [-n] [--interval SECONDS] [--count N] [--json]
Other commands
  ipvsctl --set TCP TCPFIN UDP          timeouts in seconds; 0 leaves a timeout unchanged
  ipvsctl --start-daemon master|backup --mcast-interface NAME [daemon options]
  ipvsctl --stop-daemon master|backup
  ipvsctl -h | -v

SERVICE
  -t, --tcp-service HOST[:PORT]         -u, --udp-service HOST[:PORT]       --sctp-service HOST[:PORT]
  -f, --fwmark-service MARK [-6]        a firewall mark, of IPv4 or (-6) IPv6 packets
Options of services
  -s, --scheduler NAME                  rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh twos; wlc if not given
  -p, --persistent [SECONDS]            a client stays with its server; 360 if not given
  -M, --netmask MASK                    clients of one network count as one: 255.255.255.0, or a prefix length for IPv6
      --pe ENGINE                       persistence engine: sip
  -b, --sched-flags FLAG[,FLAG]         sh-port sh-fallback mh-port mh-fallback flag-1 flag-2 flag-3
  -o, --ops                             one-packet scheduling, for UDP
Options of real servers
  -g, --gatewaying                      direct routing (if none is given)
  -i, --ipip                            tunnel:  --tun-type ipip|gue|gre  --tun-port PORT
                                                 --tun-nocsum | --tun-csum | --tun-remcsum
  -m, --masquerading                    NAT
  -w, --weight N                        0: no new connections; 1 if not given
  -x, --u-threshold N                   upper threshold: with N connections it gets no new ones ...
  -y, --l-threshold N                   lower threshold: ... until it has fewer than N
Options of the sync daemon
  --mcast-interface NAME  --syncid 0..255  --sync-maxlen BYTES  --mcast-group ADDRESS  --mcast-port PORT  --mcast-ttl N
)";

}  // namespace ipvs
