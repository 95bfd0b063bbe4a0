// Pages: facts in, HTML out. Every text is escaped by the template engine; none is markup.
#pragma once

#include "console/facts/facts.h"

#include <optional>
#include <string>
#include <vector>

namespace holdfast::console {

/// What the agent said; or, without facts, why there are none.
struct NowView {
    std::string person;
    std::string form_token;
    std::optional<NodeFacts> node;
    std::vector<RunFacts> runs;
    std::string silence;           // Why the agent did not answer.
    std::int64_t answered_ms = 0;  // When it last did; 0: not since this program's start.
    std::int64_t now_ms = 0;
};
std::string now_page(const NowView& view);

struct SignInView {
    std::string form_token;
    std::string name;    // As it was typed.
    std::string error;   // Empty: none.
    std::string notice;  // "You were signed out …"; empty: none.
};
std::string sign_in_page(const SignInView& view);

}  // namespace holdfast::console
