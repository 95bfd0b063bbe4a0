#include "console/session/sessions.h"

#include "replicator/http/token.h"

#include <algorithm>

namespace holdfast::console {

Sessions::Sessions(const Clock& clock) : clock_(&clock), form_secret_(replicator::make_token()) {}

void Sessions::drop_ended(std::int64_t now) {
    std::erase_if(sessions_, [&](const auto& one) {
        const Session& session = one.second;
        return now - session.used_ms >= idle_ms_max || now - session.opened_ms >= session_ms_max;
    });
}

/// Of one person, or of all if `person` is null.
void Sessions::drop_least_used(const std::string* person) {
    auto oldest = sessions_.end();
    for (auto at = sessions_.begin(); at != sessions_.end(); ++at) {
        if (person != nullptr && at->second.person.id != *person) continue;
        if (oldest == sessions_.end() || at->second.used_ms < oldest->second.used_ms) oldest = at;
    }
    if (oldest != sessions_.end()) sessions_.erase(oldest);
}

std::string Sessions::open(Person person) {
    const std::int64_t now = now_ms();
    drop_ended(now);
    const auto own = std::count_if(sessions_.begin(), sessions_.end(), [&](const auto& one) {
        return one.second.person.id == person.id;
    });
    if (static_cast<std::size_t>(own) >= sessions_of_person_max) drop_least_used(&person.id);
    if (sessions_.size() >= sessions_max) drop_least_used(nullptr);
    std::string cookie = replicator::make_token();
    sessions_[replicator::token_hash(cookie)] = {std::move(person), now, now};
    return cookie;
}

const Person* Sessions::find(const std::string& cookie) {
    const std::int64_t now = now_ms();
    drop_ended(now);
    const auto found = sessions_.find(replicator::token_hash(cookie));
    if (found == sessions_.end()) return nullptr;
    found->second.used_ms = now;
    return &found->second.person;
}

void Sessions::close(const std::string& cookie) {
    sessions_.erase(replicator::token_hash(cookie));
}

std::string Sessions::form_token(const std::string& cookie) const {
    return replicator::token_hash("form " + form_secret_ + " " + cookie).hex();
}

bool Sessions::form_token_holds(const std::string& cookie, const std::string& token) const {
    return !cookie.empty() && replicator::same_token(form_token(cookie), token);
}

}  // namespace holdfast::console
