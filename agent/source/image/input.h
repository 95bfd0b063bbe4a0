// Input: a disk as the image source reads it, wherever it is.
#pragma once

#include "vault/base/bytes.h"
#include "vault/base/result.h"

#include <cstdint>
#include <functional>

namespace holdfast::agent::image {

struct Region {
    enum class Kind {
        Data,
        Zeros,      // Known to read as zeros.
        Unchanged,  // As it was at the checkpoint, by the server's dirty bitmap.
    };
    std::uint64_t length = 0;
    Kind kind = Kind::Data;
};

/// Takes the next bytes read, in order.
using Take = std::function<Result<void>(View piece)>;

class Input {
public:
    virtual ~Input() = default;
    virtual std::uint64_t bytes() const = 0;
    /// What is known of the bytes from `at` on (below bytes()) without reading them; its length is
    /// at least 1. Errors: Io, Unreachable (the server is silent), Corrupt (it answers nonsense).
    virtual Result<Region> region(std::uint64_t at) = 0;
    /// Reads [at, at + length) in pieces of any size. Errors: those of region() and of `take`.
    virtual Result<void> read(std::uint64_t at, std::uint64_t length, const Take& take) = 0;
};

}  // namespace holdfast::agent::image
