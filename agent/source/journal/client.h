// Client: how a snapshot asks the journal of its system.
#pragma once

#include "agent/source/journal/journal.h"

#include <string>

namespace holdfast::agent::journal {

class Client {
public:
    /// `socket` as socket_path() has it. Nothing is connected yet.
    Client(std::string socket, std::string source)
        : socket_(std::move(socket)), source_(std::move(source)) {}

    /// As Journal::mark(). Errors: Unreachable (no journal runs), Io, Corrupt.
    Result<std::string> mark() const;
    /// As Journal::since(). Errors: as mark().
    Result<Changes> since(const std::string& token) const;

private:
    std::string socket_;
    std::string source_;
};

}  // namespace holdfast::agent::journal
