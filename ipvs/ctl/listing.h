#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ipvs/ctl/names.h"
#include "ipvs/ctl/rules.h"

/// ipvsadm's tables, to the letter. Rows are appended one at a time, so that a listing needs no memory for the table.
namespace ipvs {

/// "IP Virtual Server version 1.2.1 (size=4096)\n", which begins the listing of all services.
[[nodiscard]] std::string version_line(const Info& info);

void append_header(std::string& out, View view);
void append_service(std::string& out, const ServiceRow& row, const ListOptions& options, NameResolver& namer);
void append_destination(std::string& out, const ServiceKey& service, const DestinationRow& row,
                        const ListOptions& options, NameResolver& namer);

[[nodiscard]] std::string timeouts_line(const Timeouts& timeouts);
[[nodiscard]] std::string daemon_line(const Daemon& daemon);

/// Into ipvsadm's order: services by mark, family, protocol, address and port; destinations by family, address and
/// port.
void sort_rows(std::vector<ServiceRow>& rows);
void sort_rows(std::vector<DestinationRow>& rows);

/// Nine columns wide: from 100 million on in thousands (K), then millions (M), ... unless `exact`.
[[nodiscard]] std::string large_number(std::uint64_t number, bool exact);

}  // namespace ipvs
