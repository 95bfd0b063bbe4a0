// Sessions: which browsers are signed in, and as whom.
//
// A session's id is a token in a cookie; kept here is its hash. It ends ten minutes after its last
// request, twelve hours after its sign-in, at a sign-out, or with this process: nothing is stored.
// None of that touches a run. At most sessions_max live; of one person at most
// sessions_of_person_max: the one that was used least lately goes first.
//
// A form token proves that a form was made for the browser that posts it (CSRF): it is derived from
// a cookie and a secret of this process, so nothing need be kept for browsers that are not signed
// in.
//
// Thread rule: the loop thread.
#pragma once

#include "vault/base/clock.h"
#include "vault/base/units.h"

#include <map>
#include <string>
#include <vector>

namespace holdfast::console {

constexpr std::int64_t idle_ms_max = 10 * 60'000;
constexpr std::int64_t session_ms_max = 12 * 3'600'000LL;
constexpr std::size_t sessions_max = 1'000;
constexpr std::size_t sessions_of_person_max = 20;

struct Person {
    std::string id;  // As the agent calls them.
    std::string name;
    std::vector<std::string> roles;
};

class Sessions {
public:
    /// `clock` outlives it; only its steady time is used.
    explicit Sessions(const Clock& clock);

    /// The cookie's value for a new session.
    std::string open(Person person);
    /// Who is signed in with `cookie`, which counts as used now; null: nobody (any more). The
    /// pointer is good until the next call.
    const Person* find(const std::string& cookie);
    void close(const std::string& cookie);

    /// For the browser that holds `cookie`.
    std::string form_token(const std::string& cookie) const;
    bool form_token_holds(const std::string& cookie, const std::string& token) const;

    std::size_t count() const { return sessions_.size(); }

private:
    struct Session {
        Person person;
        std::int64_t opened_ms = 0;
        std::int64_t used_ms = 0;
    };

    std::int64_t now_ms() const { return clock_->steady_ns() / 1'000'000; }
    void drop_ended(std::int64_t now);
    void drop_least_used(const std::string* person);

    const Clock* clock_;
    std::string form_secret_;
    std::map<Digest, Session> sessions_;  // By the hash of the cookie.
};

}  // namespace holdfast::console
