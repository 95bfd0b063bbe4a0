#include "agent/cli/run_place.h"

namespace holdfast::agent::cli {
namespace {

/// "CODE: MESSAGE": people need the message, the code is in the Error already.
Result<std::string> told(Result<std::string> answer) {
    if (answer) return answer;
    Error error = std::move(answer).error();
    const std::size_t colon = error.message.find(": ");
    const bool code = colon != std::string::npos &&
                      error.message.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == colon;
    if (code) error.message.erase(0, colon + 2);
    return error;
}

}  // namespace

Result<RunPlace> RunPlace::open(const Home& home, const std::string& at) {
    RunPlace place;
    if (at.empty()) {
        place.agent_.emplace(HF_TRY(ControlClient::open(home.run)));
        return place;
    }
    place.replicator_.emplace(HF_TRY(replicator::ControlClient::make(home.run)));
    place.partner_ = HF_TRY(place.replicator_->find_partner(at));
    return place;
}

Result<std::string> RunPlace::get(const std::string& path) {
    if (agent_) return agent_->get(path);
    return told(replicator_->get_at(partner_->trust, path.substr(1))).within("at " + name());
}

Result<std::string> RunPlace::post(const std::string& path, std::string_view json) {
    if (agent_) return agent_->post(path, json);
    return told(replicator_->post_at(partner_->trust, path.substr(1), json)).within("at " + name());
}

std::string RunPlace::option() const {
    if (!partner_) return "";
    const bool quoted = partner_->name.find(' ') != std::string::npos;
    return " --at " + (quoted ? "\"" + partner_->name + "\"" : partner_->name);
}

}  // namespace holdfast::agent::cli
