#include "agent/main/order_json.h"

#include "agent/config/system_settings.h"
#include "agent/failover/approval.h"
#include "agent/failover/holder.h"
#include "vault/base/json.h"
#include "vault/crypto/base64.h"

namespace holdfast::agent {

Result<std::string> order_json(const Home& home, RunStore& store, std::int64_t id) {
    const Run run = HF_TRY(store.run(id));
    const vault::Record record = HF_TRY(order_of(store, run));
    const Holder holder = HF_TRY(parse_holder(record));
    const SystemSettings system = HF_TRY(parse_system(run.facts.plan, run.system));
    std::string question = run.facts.question;
    if (question.empty()) question = HF_TRY(fence_question(store, run, system));
    const std::string about(run.facts.question.empty() ? about_fence : run.facts.about);
    Json out{{"record", vault::to_base64(vault::encode(record))},
             {"run", run.name()},
             {"system", run.system},
             {"title", system.title},
             {"host", holder.host.hex()},
             {"node", holder.node},
             {"term", holder.term},
             {"snapshot", holder.snapshot},
             {"snapshot_ms", holder.snapshot_ms},
             {"about", about},
             {"question", question},
             {"signed", Json::array()}};
    for (const Signatory& person : HF_TRY(signatories(home, store, run))) {
        out["signed"].push_back(
            {{"name", person.name}, {"attested", person.attested}, {"vouched", person.vouched}});
    }
    return json_text(out);
}

}  // namespace holdfast::agent
