#include "images/demo/epr/proof.h"
#include "images/demo/epr/transaction.h"
#include "images/demo/epr/verbs.h"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <thread>

namespace holdfast::demo {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t transactions_max = 100'000'000;  // A ledger that says more is wrong.

struct Proof {
    std::uint64_t n = 0;
    std::string blocked;  // Why nothing could be compared; empty if it could.
    std::vector<TableProof> tables;
    FilesProof files;
    double seconds = 0;

    bool equal() const {
        bool all = blocked.empty() && files.equal();
        for (const TableProof& table : tables) all = all && table.equal();
        return all;
    }
    std::uint64_t differences() const {
        std::uint64_t sum = files.differences.total + (blocked.empty() ? 0 : 1);
        for (const TableProof& table : tables) sum += table.differences.total;
        return sum;
    }
    std::vector<std::string> named() const {
        std::vector<std::string> all;
        if (!blocked.empty()) all.push_back(blocked);
        for (const TableProof& table : tables) {
            all.insert(all.end(), table.differences.named.begin(), table.differences.named.end());
        }
        all.insert(all.end(), files.differences.named.begin(), files.differences.named.end());
        return all;
    }
};

/// All tables as of one moment; that moment's n decides what is expected.
Result<void> prove_tables(Database& database, const State& state, Proof& proof) {
    for (const Table table : tables) {
        proof.tables.push_back(HF_TRY(prove_table(database, state, table)));
    }
    return {};
}

Result<Proof> make_proof(const Dataset& data, const Place& place) {
    Proof proof;
    Database database = HF_TRY(Database::open(place.database));
    HF_TRY(database.run_all("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    const auto ledger = read_ledger(database);
    if (!ledger && ledger.error().code == Errc::Unreachable) return Error(ledger.error());
    if (!ledger) proof.blocked = ledger.error().message;
    if (ledger && ledger->last > transactions_max) {
        proof.blocked = "ledger: it says that " + std::to_string(ledger->last) +
                        " transactions were written, more than are possible";
    }
    if (!proof.blocked.empty()) return proof;
    proof.n = ledger->last;
    const State state = State::at(data, proof.n);
    std::thread files([&] { proof.files = prove_files(state, place.documents); });
    const auto outcome = prove_tables(database, state, proof);
    files.join();
    if (!outcome) return Error(outcome.error());
    return proof;
}

Json json_of(const TableProof& table) {
    return {{"name", table_name(table.table)},
            {"equal", table.equal()},
            {"rows", table.rows},
            {"rows_expected", table.rows_expected},
            {"fingerprint", table.fingerprint.hex()},
            {"fingerprint_expected", table.fingerprint_expected.hex()}};
}

Json json_of(const FilesProof& files) {
    return {{"equal", files.equal()},
            {"expected", files.expected},
            {"right", files.right},
            {"ahead", files.ahead},
            {"unfinished", files.unfinished},
            {"bytes", files.bytes},
            {"fingerprint", files.fingerprint.hex()},
            {"fingerprint_expected", files.fingerprint_expected.hex()}};
}

void print_json(const Proof& proof) {
    Json all = Json::array();
    for (const TableProof& table : proof.tables) all.push_back(json_of(table));
    const Json out{{"equal", proof.equal()},
                   {"n", proof.n},
                   {"tables", all},
                   {"files", json_of(proof.files)},
                   {"differences_total", proof.differences()},
                   {"differences", proof.named()},
                   {"seconds", proof.seconds}};
    // Names found in a folder may be any bytes.
    std::puts(out.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
}

void print_text(const Proof& proof) {
    const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
    std::printf("expected: the state after transaction %llu\n", number(proof.n));
    for (const TableProof& table : proof.tables) {
        std::printf("%-14s%10llu rows  %s  %s\n", std::string(table_name(table.table)).c_str(),
                    number(table.rows), table.fingerprint.brief().c_str(),
                    table.equal() ? "equal" : "DIFFERS");
    }
    const FilesProof& files = proof.files;
    std::printf("%-14s%9llu files  %s  %s; %.1f MB, %llu ahead, %llu unfinished\n", "documents",
                number(files.right), files.fingerprint.brief().c_str(),
                files.equal() ? "equal" : "DIFFERS", static_cast<double>(files.bytes) / 1e6,
                number(files.ahead), number(files.unfinished));
    for (const std::string& what : proof.named()) std::printf("  %s\n", what.c_str());
    std::printf("%s: %llu differences, %.1f s\n", proof.equal() ? "EQUAL" : "DIFFERS",
                number(proof.differences()), proof.seconds);
}

}  // namespace

Result<bool> prove(const Dataset& data, const Place& place, bool json) {
    const std::int64_t began = system_clock().steady_ns();
    Proof proof = HF_TRY(make_proof(data, place));
    proof.seconds = static_cast<double>(system_clock().steady_ns() - began) / 1e9;
    json ? print_json(proof) : print_text(proof);
    return proof.equal();
}

}  // namespace holdfast::demo
