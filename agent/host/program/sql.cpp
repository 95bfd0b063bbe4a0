#include "agent/host/program/room_process.h"
#include "agent/host/program/sealing.h"
#include "agent/source/postgres/connection.h"
#include "agent/source/postgres/facts.h"

#include <unistd.h>

#include <array>
#include <cstdio>

namespace holdfast::agent {
namespace {

constexpr std::size_t query_bytes_max = 64 << 10;

std::string read_query() {
    std::string text;
    std::array<char, 4096> piece{};
    for (ssize_t got = 0; (got = ::read(STDIN_FILENO, piece.data(), piece.size())) > 0;) {
        text.append(piece.data(), static_cast<std::size_t>(got));
        if (text.size() > query_bytes_max) break;
    }
    return text;
}

void print_rows(const PGresult* rows) {
    for (int row = 0; row < PQntuples(rows); ++row) {
        std::string line;
        for (int column = 0; column < PQnfields(rows); ++column) {
            if (column > 0) line += '|';
            line += postgres::cell(rows, row, column);
        }
        std::printf("%s%s", row > 0 ? "\n" : "", line.c_str());
    }
}

}  // namespace

Result<int> ask_server(pid_t init, const RoomQuery& query) {
    const User user = HF_TRY(find_user(query.user));
    HF_TRY(join_namespaces(init));
    HF_TRY(drop_rights(user));
    postgres::PostgresSettings settings;
    settings.host = query.socket_dir;
    settings.port = query.port;
    settings.user = query.user;
    settings.sslmode = "disable";
    settings.describe_database = query.database;
    settings.connect_timeout_ms = query.ms_max;
    auto session = HF_TRY(postgres::Connection::open(settings, postgres::Connection::Mode::Database,
                                                     [] { return false; }));
    HF_TRY(session.query("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", query.ms_max));
    const auto rows = HF_TRY(session.query(read_query(), query.ms_max));
    print_rows(rows.get());
    return 0;
}

}  // namespace holdfast::agent
