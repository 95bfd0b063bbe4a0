#include "images/demo/epr/hash.h"
#include "images/demo/epr/proof.h"

#include <charconv>

namespace holdfast::demo {
namespace {

constexpr std::size_t shown_max = 60;  // Characters of a value in a message.

std::uint64_t id_of(std::string_view line) {
    std::uint64_t id = 0;
    std::from_chars(line.data(), line.data() + line.size(), id);
    return id;
}

/// Takes the text up to `separator` off the front.
std::string_view take_until(std::string_view& text, std::string_view separator) {
    const std::size_t at = text.find(separator);
    const std::string_view head = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + separator.size());
    return head;
}

std::string shown(std::string_view value) {
    if (value.size() <= shown_max) return std::string(value);
    return std::string(value.substr(0, shown_max)) + "...";
}

/// "reason is 'gout', expected 'asthma'": the first column that differs.
std::string first_difference(Table table, std::string_view found, std::string_view expected) {
    std::string_view names = table_columns(table);
    while (!names.empty()) {
        const std::string_view name = take_until(names, ", ");
        const std::string_view is = take_until(found, "\t");
        const std::string_view should = take_until(expected, "\t");
        if (is == should) continue;
        // Long values are shown from a little before where they part.
        std::size_t same = 0;
        while (same < is.size() && same < should.size() && is[same] == should[same]) ++same;
        const std::size_t from = same < shown_max / 2 ? 0 : same - shown_max / 2;
        return std::string(name) + " is '" + shown(is.substr(std::min(from, is.size()))) +
               "', expected '" + shown(should.substr(std::min(from, should.size()))) + "'" +
               (from > 0 ? " from its character " + std::to_string(from) : "");
    }
    return "it differs";
}

/// Walks the rows that are there and those that should be, both in the order of their ids.
class Comparison {
public:
    Comparison(const State& state, TableProof& proof)
        : expected_(state, proof.table), proof_(&proof), name_(table_name(proof.table)) {
        advance();
    }

    void found(std::string_view line) {
        ++proof_->rows;
        found_hash_.add(line);
        const std::uint64_t id = id_of(line);
        while (more_ && id_of(expected_line_) < id) missing();
        if (!more_ || id_of(expected_line_) > id) {
            proof_->differences.add(name_ + " row " + std::to_string(id) + " should not be there");
            return;
        }
        if (line != expected_line_) {
            proof_->differences.add(name_ + " row " + std::to_string(id) + ": " +
                                    first_difference(proof_->table, line, expected_line_));
        }
        advance();
    }

    void done() {
        while (more_) missing();
        proof_->fingerprint = found_hash_.done();
        proof_->fingerprint_expected = expected_hash_.done();
    }

private:
    void missing() {
        proof_->differences.add(name_ + " row " + std::to_string(id_of(expected_line_)) +
                                " is missing");
        advance();
    }
    void advance() {
        more_ = expected_.next(row_);
        if (!more_) return;
        expected_line_.clear();
        row_.append_copy_line(expected_line_);
        expected_hash_.add(expected_line_);
        ++proof_->rows_expected;
    }

    Rows expected_;
    TableProof* proof_;
    std::string name_;
    Row row_;
    std::string expected_line_;
    bool more_ = true;
    Fingerprint found_hash_;
    Fingerprint expected_hash_;
};

Result<void> compare(Database& database, Comparison& comparison, Table table) {
    HF_TRY(database.begin_copy_out("COPY (SELECT " + std::string(table_columns(table)) + " FROM " +
                                   std::string(table_name(table)) + " ORDER BY id) TO STDOUT"));
    for (;;) {
        const auto line = HF_TRY(database.next_line());
        if (!line) return {};
        comparison.found(*line);
    }
}

/// The rows were read through the primary key; the table itself must hold as many.
Result<void> count_heap(Database& database, TableProof& proof) {
    const std::string name(table_name(proof.table));
    const Answer answer = HF_TRY(database.run("SELECT count(*) FROM " + name));
    if (answer.number(0, 0) == proof.rows) return {};
    proof.differences.lead(name + ": the table holds " + std::to_string(answer.number(0, 0)) +
                           " rows, its primary key finds " + std::to_string(proof.rows));
    return {};
}

Result<void> read_table(Database& database, Comparison& comparison, TableProof& proof) {
    HF_TRY(
        database.run_all("SET LOCAL enable_sort = off; SET LOCAL enable_indexscan = on; "
                         "SET LOCAL enable_seqscan = off"));
    HF_TRY(compare(database, comparison, proof.table));
    HF_TRY(
        database.run_all("SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = off; "
                         "SET LOCAL enable_indexonlyscan = off"));
    return count_heap(database, proof);
}

}  // namespace

Result<TableProof> prove_table(Database& database, const State& state, Table table) {
    TableProof proof{table, 0, 0, {}, {}, {}};
    Comparison comparison(state, proof);
    HF_TRY(database.run("SAVEPOINT one_table"));
    const Result<void> read = read_table(database, comparison, proof);
    if (!read && read.error().code == Errc::Unreachable) return Error(read.error());
    if (!read) {
        proof.differences.lead(std::string(table_name(table)) +
                               " cannot be read: " + read.error().message);
    }
    HF_TRY(database.run("ROLLBACK TO one_table"));
    comparison.done();
    return proof;
}

}  // namespace holdfast::demo
