#include "agent/failover/plan.h"

#include "vault/base/file.h"
#include "vault/crypto/hash.h"

namespace holdfast::agent {
namespace {

constexpr std::uint16_t usual_port = 5432;

}  // namespace

std::uint16_t Plan::port() const {
    for (const EndpointSettings& endpoint : system.endpoints) {
        if (endpoint.source == runtime.source) return endpoint.port;
    }
    return usual_port;
}

bool Plan::serves_postgres() const {
    const SourceSettings* source = system.source(runtime.source);
    return source != nullptr && source->kind() == "postgres";
}

Result<Plan> plan_of(const StepContext& context) {
    Plan plan;
    plan.system = HF_TRY(parse_system(context.run.facts.plan, context.run.system + ".toml"));
    if (!plan.system.plan) {
        return Error{Errc::Invalid, context.run.system + " has no [plan]: it is kept, not run"};
    }
    plan.runtime = HF_TRY(load_runtime(context.home, plan.system.plan->runtime));
    if (plan.system.source(plan.runtime.source) == nullptr) {
        return Error{Errc::Invalid, "the runtime " + plan.runtime.name + " serves the source \"" +
                                        plan.runtime.source + "\", which " + context.run.system +
                                        " does not have"};
    }
    return plan;
}

Result<std::string> plan_hash(const Home& home, const std::string& system_text,
                              const std::string& runtime) {
    const std::string path = HF_TRY(home.runtime_file(runtime));
    const Buffer text = HF_TRY(read_file(path, runtime_file_bytes_max));
    const Digest system = vault::hash("system settings", as_view(system_text));
    return vault::hash("plan", {system.view(), text}).hex();
}

Result<Arguments> command_of(const StepContext& context, const Plan& plan, const Arguments& command,
                             const Arguments& postgres_options) {
    PlaceholderValues values;
    values.mount = context.tree();
    values.run = context.run_folder();
    values.address = "127.0.0.1";
    values.port = std::to_string(plan.port());
    values.postgres_options = postgres_options;
    if (&command == &plan.runtime.start) return expand_start(plan.runtime, values);
    return expand(command, values);
}

}  // namespace holdfast::agent
