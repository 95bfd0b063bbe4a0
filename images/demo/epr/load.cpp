#include "images/demo/epr/database.h"
#include "images/demo/epr/documents.h"
#include "images/demo/epr/tables.h"
#include "images/demo/epr/verbs.h"
#include "vault/base/units.h"

#include <cstdio>
#include <thread>

namespace holdfast::demo {
namespace {

constexpr std::size_t copy_bytes = 256_KiB;  // Sent to the server at a time.

Result<void> load_table(Database& database, const State& state, Table table) {
    // FREEZE: the pages are written in their final form, so that reading does not change them.
    HF_TRY(database.begin_copy_in("COPY " + std::string(table_name(table)) + " (" +
                                  std::string(table_columns(table)) +
                                  ") FROM STDIN WITH (FREEZE)"));
    Rows rows(state, table);
    Row row;
    std::string lines;
    while (rows.next(row)) {
        row.append_copy_line(lines);
        if (lines.size() < copy_bytes) continue;
        HF_TRY(database.put(lines));
        lines.clear();
    }
    HF_TRY(database.put(lines));
    return database.end_copy_in();
}

Result<void> load_tables(Database& database, const State& state) {
    HF_TRY(database.run_all("BEGIN; SET LOCAL maintenance_work_mem = '128MB'"));
    HF_TRY(database.run_all(std::string(schema_sql())).within("the database must be empty"));
    for (const Table table : tables) {
        HF_TRY(load_table(database, state, table).within(table_name(table)));
    }
    return database.run_all(std::string(keys_sql())).within("keys and indexes");
}

}  // namespace

Result<void> load(const Dataset& data, const Place& place) {
    const std::int64_t began = system_clock().steady_ns();
    HF_TRY(expect_empty(place.documents));
    Database database = HF_TRY(Database::open(place.database));
    Result<Written> files{Written{}};
    std::thread documents([&] { files = write_documents(data, place.documents); });
    Result<void> done = load_tables(database, State::at(data, 0));
    documents.join();
    if (done && !files) done = Error(files.error());
    if (done) done = database.run_all("COMMIT");
    if (!done) {
        remove_documents(place.documents);
        return done;
    }
    const Answer size = HF_TRY(database.run("SELECT pg_database_size(current_database())"));
    std::printf(
        "loaded synthetic data of seed %llu: %llu patients, %llu encounters; database %.1f MB, "
        "documents %.1f MB in %llu files; %.1f s\n",
        static_cast<unsigned long long>(data.seed),
        static_cast<unsigned long long>(data.patients()),
        static_cast<unsigned long long>(data.encounters()),
        static_cast<double>(size.number(0, 0)) / 1e6, static_cast<double>(files->bytes) / 1e6,
        static_cast<unsigned long long>(files->files),
        static_cast<double>(system_clock().steady_ns() - began) / 1e9);
    return {};
}

}  // namespace holdfast::demo
