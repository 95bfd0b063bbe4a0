#include "agent/source/postgres/probe.h"

#include "agent/source/postgres/connection.h"

namespace holdfast::agent::postgres {

bool answers(const PostgresSettings& wanted, int ms_max) {
    PostgresSettings settings = wanted;
    settings.connect_timeout_ms = ms_max;
    const auto opened =
        Connection::open(settings, Connection::Mode::Replication, [] { return false; });
    return opened || opened.error().code == Errc::Denied;
}

}  // namespace holdfast::agent::postgres
