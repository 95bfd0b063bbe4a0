// Callback: a function object that may own what it captured.
//
// std::function demands copies, so it cannot hold a Buffer, a Responder or a unique_ptr that was
// moved into a lambda. Callback is moved, never copied. An empty one must not be called.
#pragma once

#include "vault/base/assert.h"

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace holdfast::replicator {

template <class Signature>
class Callback;

template <class R, class... Args>
class Callback<R(Args...)> {
public:
    Callback() = default;
    Callback(std::nullptr_t) {}
    template <class F,
              class = std::enable_if_t<!std::is_same_v<std::remove_cvref_t<F>, Callback> &&
                                       std::is_invocable_r_v<R, std::remove_cvref_t<F>&, Args...>>>
    Callback(F&& f) : held_(std::make_unique<Held<std::remove_cvref_t<F>>>(std::forward<F>(f))) {}

    explicit operator bool() const { return held_ != nullptr; }

    R operator()(Args... args) const {
        HF_ASSERT(held_ != nullptr);
        return held_->call(std::forward<Args>(args)...);
    }

private:
    struct Base {
        virtual ~Base() = default;
        virtual R call(Args... args) = 0;
    };
    template <class F>
    struct Held final : Base {
        explicit Held(F f) : function(std::move(f)) {}
        R call(Args... args) override { return function(std::forward<Args>(args)...); }
        F function;
    };

    std::unique_ptr<Base> held_;
};

}  // namespace holdfast::replicator
