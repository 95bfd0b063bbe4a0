// authorise, fence, open, switch: from a proven copy to a system that people use.
#include "agent/config/node_settings.h"
#include "agent/failover/approval.h"
#include "agent/failover/endpoints_file.h"
#include "agent/failover/holder.h"
#include "agent/failover/plan.h"
#include "agent/failover/terms.h"
#include "agent/failover/wording.h"
#include "agent/host/door.h"
#include "agent/process/proc_file.h"
#include "vault/base/fault.h"

#include <algorithm>
#include <charconv>

namespace holdfast::agent {
namespace {

std::string names_of(const std::vector<Signatory>& people) {
    std::string text;
    for (const Signatory& person : people) text += (text.empty() ? "" : " and ") + person.name;
    return text;
}

/// "127.0.0.1:15432" in two; an address in brackets loses them.
DoorOrder door_at(const std::string& bound, std::uint16_t room_port) {
    DoorOrder order;
    order.room_port = room_port;
    const std::size_t colon = bound.rfind(':');
    order.address = bound.substr(0, colon);
    if (order.address.starts_with('['))
        order.address = order.address.substr(1, order.address.size() - 2);
    std::from_chars(bound.data() + colon + 1, bound.data() + bound.size(), order.port);
    return order;
}

/// On the owner's own node users keep the address that the relay has. On a partner's, the owner's
/// relay comes through the link, so the door is this machine's alone.
DoorOrder door_for(const EndpointSettings& endpoint, bool own) {
    if (own && !endpoint.relay.empty()) return door_at(endpoint.relay, endpoint.port);
    return {"127.0.0.1", 0, endpoint.port};
}

Result<void> open_doors(StepContext& context) {
    const Plan plan = HF_TRY(plan_of(context));
    const bool own = context.run.owner == HF_TRY(load_node(context.home)).trust;
    std::vector<OpenEndpoint>& open = context.run.facts.endpoints;
    open.clear();
    for (const EndpointSettings& endpoint : plan.system.endpoints) {
        if (endpoint.source != plan.runtime.source) continue;
        const DoorOrder order = door_for(endpoint, own);
        const std::uint16_t port = HF_TRY(
            open_door(context.folder(), endpoint.name, order).within("endpoint " + endpoint.name));
        open.push_back({endpoint.name, order.address + ":" + std::to_string(port)});
        fault_point("door opened");
    }
    return {};
}

}  // namespace

Result<StepResult> authorise(StepContext& context) {
    HF_TRY(make_order(context));
    const vault::Record order = HF_TRY(order_of(context.store, context.run));
    const PeopleBook book = HF_TRY(people_of(context.home, context.run.owner));
    const auto people = HF_TRY(signatories(context.home, context.store, context.run));
    context.run.facts.people = people;
    const auto two = book.people().two_persons(order, context.clock.wall_ms());
    if (two)
        return StepResult{
            true, names_of(people) + " signed for term " + std::to_string(context.run.facts.term)};
    if (people.empty()) {
        return StepResult{false,
                          "two people must sign, one of them an approver (holdfast run approve)"};
    }
    const bool approver = std::any_of(people.begin(), people.end(), [&](const Signatory& one) {
        const auto key = PublicKey::from_text(one.key);
        return key && book.people().may(*key, vault::Role::Approver, context.clock.wall_ms());
    });
    return StepResult{false, names_of(people) + " has signed; a second person must" +
                                 (approver ? "" : ", and it must be an approver")};
}

Result<StepResult> fence(StepContext& context) {
    const Plan plan = HF_TRY(plan_of(context));
    std::vector<Signatory> attesting =
        HF_TRY(signatories(context.home, context.store, context.run));
    context.run.facts.people = attesting;
    std::erase_if(attesting, [](const Signatory& person) { return person.attested.empty(); });
    const std::string question = HF_TRY(fence_question(context.store, context.run, plan.system));
    if (attesting.size() >= 2) {
        return StepResult{true, names_of(attesting) + " attest: " + question};
    }
    return StepResult{false, (attesting.empty() ? std::string("two people must attest")
                                                : names_of(attesting) + " attests, a second must") +
                                 ": " + question + " (holdfast run approve --attest)"};
}

Result<StepResult> open_to_users(StepContext& context) {
    Run& run = context.run;
    vault::Record order = HF_TRY(order_of(context.store, run));
    const PeopleBook book = HF_TRY(people_of(context.home, run.owner));
    HF_TRY(book.people().two_persons(order, context.clock.wall_ms()));
    HF_TRY(may_open(context.store, run.owner, run.system, run.facts.term, run.name()));
    HF_TRY(keep_holder(context.store, run.id, order));
    fault_point("term taken");
    HF_TRY(open_doors(context));
    if (run.facts.opened_ms == 0) run.facts.opened_ms = context.clock.wall_ms();
    run.facts.boot = HF_TRY(boot_id());
    std::string text = "term " + std::to_string(run.facts.term) + " is ours";
    for (const OpenEndpoint& one : run.facts.endpoints) {
        text += "; " + one.name + " at " + one.address;
    }
    return StepResult{true, text};
}

Result<void> close_to_users(StepContext& context) {
    for (const OpenEndpoint& one : context.run.facts.endpoints) {
        HF_TRY(close_door(context.folder(), one.name));
    }
    return {};
}

Result<StepResult> switch_users(StepContext& context) {
    HF_TRY(write_endpoints(context.home, context.run));
    if (context.run.facts.endpoints.empty()) {
        return StepResult{true, "the plan has no endpoints: nothing leads users here"};
    }
    return StepResult{true, count_text(context.run.facts.endpoints.size(), "endpoint") +
                                " can be reached, here and through the relay"};
}

Result<void> switch_back(StepContext& context) {
    return remove_endpoints(context.home, context.run);
}

}  // namespace holdfast::agent
