// Database: one connection to PostgreSQL. libpq is included by database.cpp alone.
//
// Errors of all calls: Unreachable, if the connection is lost or was never made; else what the
// server said, as Conflict (23xxx, 42P07: it exists already), NotFound (42P01, 3D000: no such
// table or database), Denied (28xxx, 25006: read-only, 42501) or Io. One thread uses it at a time.
#pragma once

#include "images/demo/epr/row.h"
#include "vault/base/closer.h"
#include "vault/base/result.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct pg_conn;
struct pg_result;

namespace holdfast::demo {

void close_connection(pg_conn* connection);
void clear_result(pg_result* result);

/// The rows that a statement answered.
class Answer {
public:
    explicit Answer(std::unique_ptr<pg_result, Closer<clear_result>> result)
        : result_(std::move(result)) {}
    std::size_t rows() const;
    /// A field as text; empty if it is NULL.
    std::string_view text(std::size_t row, int column) const;
    /// A field that is a bigint from 0; 0 if it is NULL.
    std::uint64_t number(std::size_t row, int column) const;
    /// How many rows an INSERT or UPDATE touched.
    std::uint64_t affected() const;

private:
    std::unique_ptr<pg_result, Closer<clear_result>> result_;
};

class Database {
public:
    /// Connects, within 5 seconds unless `conninfo` says otherwise; a server that vanishes later
    /// is noticed after 10. Times are printed in UTC.
    static Result<Database> open(const std::string& conninfo);

    /// One statement with its parameters $1, $2, ...
    Result<Answer> run(const std::string& sql, const Row& parameters = {});
    /// Several statements without parameters; the first error ends them.
    Result<void> run_all(const std::string& sql);

    /// COPY ... FROM STDIN: begin, put lines, end.
    Result<void> begin_copy_in(const std::string& sql);
    Result<void> put(std::string_view lines);
    Result<void> end_copy_in();

    /// COPY ... TO STDOUT: begin, then lines until there is none. A line is valid until the next
    /// call, and has its line end.
    Result<void> begin_copy_out(const std::string& sql);
    Result<std::optional<std::string_view>> next_line();

private:
    struct FreeLine {
        void operator()(char* line) const noexcept;
    };
    Database() = default;
    Error failure(const pg_result* result, const std::string& what) const;
    Result<void> finish_copy(const std::string& what);

    std::unique_ptr<pg_conn, Closer<close_connection>> connection_;
    std::unique_ptr<char, FreeLine> line_;
};

}  // namespace holdfast::demo
