#include "images/demo/epr/transaction.h"

#include "images/demo/epr/documents.h"
#include "images/demo/epr/letter.h"
#include "images/demo/epr/tables.h"

#include <vector>

namespace holdfast::demo {
namespace {

/// "INSERT INTO t (...) VALUES ($1, $2), ($3, $4)"
std::string insert_sql(Table table, std::size_t fields, std::size_t rows) {
    std::string sql = "INSERT INTO " + std::string(table_name(table)) + " (" +
                      std::string(table_columns(table)) + ") VALUES ";
    for (std::size_t i = 0; i < fields * rows; ++i) {
        if (i % fields == 0) sql += i == 0 ? "(" : "), (";
        if (i % fields != 0) sql += ", ";
        sql += "$" + std::to_string(i + 1);
    }
    return sql + ")";
}

Result<void> insert(Database& database, Table table, const Row& row) {
    HF_TRY(database.run(insert_sql(table, row.size(), 1), row));
    return {};
}

Result<void> write_encounter(Database& database, const Dataset& data, std::uint64_t id) {
    const Encounter of = encounter(data, id);
    Row row;
    fill_encounter(data, id, of, row);
    HF_TRY(insert(database, Table::Encounters, row));
    fill_note(data, id, of, row);
    HF_TRY(insert(database, Table::Notes, row));
    const std::uint64_t count = observation_count(data, id);
    Row all;
    for (std::uint64_t i = 0; i < count; ++i) {
        fill_observation(data, id, i, of, row);
        for (std::size_t field = 0; field < row.size(); ++field) all.add(row.text(field));
    }
    HF_TRY(database.run(insert_sql(Table::Observations, row.size(), count), all));
    return {};
}

Result<void> change_allergy(Database& database, const Dataset& data, std::uint64_t k) {
    const std::uint64_t id = changed_allergy(data, k);
    const Allergy a = changed(data, k, allergy(data, id));
    Row row;
    row.add(a.reaction).add(a.severity).add(a.status).add(k).add(id);
    const Answer answer =
        HF_TRY(database.run("UPDATE allergies SET reaction = $1, severity = $2, status = $3, "
                            "changed_by = $4 WHERE id = $5",
                            row));
    if (answer.affected() == 1) return {};
    return Error{Errc::Corrupt, "allergy " + std::to_string(id) + " is not in the database"};
}

Result<void> advance_ledger(Database& database, std::uint64_t k) {
    Row row;
    row.add(k).add(k - 1);
    const Answer answer =
        HF_TRY(database.run("UPDATE ledger SET last = $1 WHERE id = 1 AND last = $2", row));
    if (answer.affected() == 1) return {};
    return Error{Errc::Conflict, "the ledger's last transaction is not " + std::to_string(k - 1) +
                                     ": another writer is at work"};
}

Result<void> statements(Database& database, const Dataset& data, const std::string& documents,
                        std::uint64_t k) {
    HF_TRY(database.run("BEGIN"));
    HF_TRY(advance_ledger(database, k));
    HF_TRY(write_encounter(database, data, data.encounters() + k));
    Row row;
    if (k % change_every == 0) HF_TRY(change_allergy(database, data, k));
    if (k % allergy_every == 0) {
        fill_allergy(data, data.allergies() + k / allergy_every, 0, row);
        HF_TRY(insert(database, Table::Allergies, row));
    }
    if (k % letter_every == 0) {
        const std::uint64_t id = data.letters() + k / letter_every;
        HF_TRY(write_letter(letter(data, id), documents));
        fill_letter(data, id, row);
        HF_TRY(insert(database, Table::Letters, row));
    }
    HF_TRY(database.run("COMMIT"));
    return {};
}

}  // namespace

Result<Ledger> read_ledger(Database& database) {
    const Answer answer = HF_TRY(
        database.run("SELECT seed, megabytes, last FROM ledger WHERE id = 1").within("ledger"));
    if (answer.rows() == 1) {
        return Ledger{answer.number(0, 0), answer.number(0, 1), answer.number(0, 2)};
    }
    return Error{Errc::NotFound, "the table ledger is empty: load the database first"};
}

Result<void> write_transaction(Database& database, const Dataset& data,
                               const std::string& documents, std::uint64_t k) {
    return statements(database, data, documents, k).within("transaction " + std::to_string(k));
}

}  // namespace holdfast::demo
