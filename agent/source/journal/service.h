// Service: keeps the journals of a system's sources and answers its snapshots, on one thread.
#pragma once

#include "agent/source/journal/wire.h"

#include <functional>
#include <map>
#include <string>

namespace holdfast::agent::journal {

class Service {
public:
    /// Listens at `socket`, a file that is made anew. Errors: Conflict (another one listens),
    /// Invalid (the path is too long for a socket), Io.
    static Result<Service> open(const std::string& socket, std::map<std::string, Journal> journals);

    /// Until it fails. `tell` hears of asks that failed, in words. Errors: Io.
    Result<void> run(const std::function<void(const std::string&)>& tell);

private:
    Service(Fd listener, std::map<std::string, Journal> journals)
        : listener_(std::move(listener)), journals_(std::move(journals)) {}
    Result<void> answer_one();
    Result<Answer> answer(const Ask& ask);

    Fd listener_;
    std::map<std::string, Journal> journals_;  // By source.
};

}  // namespace holdfast::agent::journal
