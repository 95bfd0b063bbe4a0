// Result<T>: a value, or the Error that prevented it.
//
// A function returns a Result when the world can make it fail: disk, network, peer, operator.
// A broken rule of the program itself is not an Error; it is HF_ASSERT (assert.h), which stops
// the process in release builds too. Constructors do not fail: a class whose set-up can fail
// has a static open() or make() that returns Result.
//
// The API is a subset of std::expected, to be replaced by it when the product moves to C++23.
#pragma once

#include "vault/base/assert.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace holdfast {

/// What a caller can do about a failure. Anything finer belongs in the message.
enum class Errc {
    NotFound,     // The thing asked for is not there, and that may be normal.
    Corrupt,      // Bytes were read and are wrong: repair from a partner vault, do not retry.
    Io,           // The device or kernel refused: retry is the operator's choice.
    Unreachable,  // A peer did not answer in time: retry with back-off.
    Denied,       // Authentication, signature, agreement or fencing said no: never retry.
    Invalid,      // Arguments, settings or a request are wrong: the message says what was expected.
    Conflict,     // It exists already, or another command holds it.
    Full,         // No space, or over a quota: nothing was stored.
    Locked,       // A key is needed that this node does not hold: unlock, or bring shares.
    Interrupted,  // Stopped on request; run the command again to go on.
};

struct Error {
    Errc code;
    std::string message;  // Outermost context first: "pack 3fa1: trailer: short read".

    /// The same failure, told from one level further out.
    Error within(std::string_view context) && {
        return {code, std::string(context) + ": " + std::move(message)};
    }
};

template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const noexcept { return state_.index() == 0; }

    const T& operator*() const& { return *checked(std::get_if<0>(&state_)); }
    T& operator*() & { return *checked(std::get_if<0>(&state_)); }
    T&& operator*() && { return std::move(**this); }
    const T* operator->() const { return &**this; }
    T* operator->() { return &**this; }

    /// The same Result; if it failed, told from one level further out.
    Result within(std::string_view context) && {
        if (*this) return std::move(*this);
        return std::move(*this).error().within(context);
    }

    const Error& error() const& { return *checked(std::get_if<1>(&state_)); }
    Error&& error() && { return std::move(*checked(std::get_if<1>(&state_))); }

private:
    template <class P>
    static P* checked(P* p) {
        HF_ASSERT(p != nullptr);
        return p;
    }

    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}

    explicit operator bool() const noexcept { return !error_; }
    void operator*() const { HF_ASSERT(!error_); }

    /// The same Result; if it failed, told from one level further out.
    Result within(std::string_view context) && {
        if (!error_) return {};
        return std::move(*error_).within(context);
    }

    const Error& error() const& {
        HF_ASSERT(error_);
        return *error_;
    }
    Error&& error() && {
        HF_ASSERT(error_);
        return std::move(*error_);
    }

private:
    std::optional<Error> error_;
};

/// Unwraps a Result, or returns its Error from the enclosing function. May be nested.
#define HF_TRY(expr) HF_TRY_INTO(expr, HF_JOIN(hf_result_, __COUNTER__))
#define HF_TRY_INTO(expr, name)                      \
    __extension__({                                  \
        auto name = (expr);                          \
        if (!(name)) return std::move(name).error(); \
        *std::move(name);                            \
    })
#define HF_JOIN(a, b) HF_JOIN_EXPANDED(a, b)
#define HF_JOIN_EXPANDED(a, b) a##b

}  // namespace holdfast
