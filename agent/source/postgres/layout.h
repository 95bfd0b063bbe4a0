// Layout: what a path inside a PostgreSQL data folder is. Pure functions.
#pragma once

#include "agent/source/sink.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::agent::postgres {

/// Pages for the files of tables and indexes: digits, an optional fork (_fsm, _vm, _init) and an
/// optional segment (.N), in base/DATABASE/, global/ or pg_tblspc/SPACE/VERSION/DATABASE/.
/// Stream for all else.
Shape shape_of(std::string_view path);

/// True for one to ten digits: how PostgreSQL names databases, tablespaces and relations.
bool is_oid(std::string_view name);

/// A write-ahead log position, written "16/B374D848". None: anything else.
std::optional<std::uint64_t> parse_lsn(std::string_view text);

/// The other way.
std::string lsn_text(std::uint64_t lsn);

/// The name of the log file that holds byte `lsn`: 24 hexadecimal digits.
std::string wal_segment_name(std::uint32_t timeline, std::uint64_t lsn,
                             std::uint64_t segment_bytes);

/// "16MB", "8192", "1GB", "8kB" as SHOW answers them, in bytes. None: anything else.
std::optional<std::uint64_t> parse_size(std::string_view text);

}  // namespace holdfast::agent::postgres
