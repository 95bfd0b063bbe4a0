// Mistakes: what is wrong with a settings file, gathered so that a person mends it in one go.
#pragma once

#include "vault/base/result.h"

#include <compare>
#include <string>
#include <vector>

namespace holdfast::agent::config {

constexpr std::size_t mistakes_max = 10;  // Told; the others are counted.

/// Counted from 1, as editors do.
struct Place {
    unsigned line = 1;
    unsigned column = 1;
    friend auto operator<=>(const Place&, const Place&) = default;
};

class Mistakes {
public:
    /// `file` as the person knows it.
    explicit Mistakes(std::string file) : file_(std::move(file)) {}

    void add(Place place, std::string what) { all_.push_back({place, std::move(what)}); }
    bool none() const { return all_.empty(); }
    const std::string& file() const { return file_; }

    /// "FILE:LINE:COLUMN: what", one a line, in the file's order. There must be one.
    Error error() &&;

private:
    struct Mistake {
        Place place;
        std::string what;
    };
    std::string file_;
    std::vector<Mistake> all_;
};

}  // namespace holdfast::agent::config
