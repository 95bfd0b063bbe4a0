#include "vault/repair/repair.h"

#include "vault/base/fault.h"
#include "vault/base/file.h"
#include "vault/keys/domain.h"
#include "vault/keys/epoch.h"
#include "vault/ledger/list.h"
#include "vault/ledger/may_sign.h"
#include "vault/pack/pack_writer.h"

#include <algorithm>
#include <set>

namespace holdfast::vault {
namespace {

constexpr std::string_view ledger_folder = "ledger/";
constexpr std::size_t chain_digits = 64;

/// What one source answered to the whole of one question.
struct Answer {
    Buffer object;
    std::uint64_t fetched_bytes = 0;
};

class Repairer {
public:
    Repairer(Vault& vault, const RepairSettings& settings) : vault_(&vault), settings_(&settings) {}

    Result<RepairReport> run(const std::vector<Damage>& damage);

private:
    Result<void> mend(const Damage& damage);
    Result<void> mend_object(const Damage& damage,
                             const std::function<Result<Answer>(const RepairSource&)>& ask);
    Result<void> mend_pack_of(const Damage& damage);
    Result<void> mend_list(const Damage& damage, const ListId& id, unsigned depth);
    Result<void> check_list(const ListId& id, const Buffer& object, unsigned depth);
    bool resolves(const ListId& id) const { return bool(vault_->reader().ledger().list(id)); }
    Result<void> mend_chain(const Damage& damage);
    Result<bool> mend_entries(const ChainId& id, const RepairSource& source, std::string& why);
    Result<void> check(const std::string& name, View object) const;
    Result<void> put_in_place(const std::string& name, View object);
    Result<void> keep_evidence(const std::string& name);
    void note_wrong(const RepairSource& source, const std::string& object, const Error& error);
    void count(std::uint64_t bytes) {
        if (settings_->progress != nullptr) settings_->progress->bytes_done += bytes;
    }

    Vault* vault_;
    const RepairSettings* settings_;
    RepairReport report_;
};

Result<RepairReport> Repairer::run(const std::vector<Damage>& damage) {
    std::set<std::string> done;
    if (settings_->progress != nullptr) settings_->progress->objects_all = damage.size();
    for (const Damage& one : damage) {
        if (settings_->progress != nullptr) {
            if (settings_->progress->stop) return Error{Errc::Interrupted, "stopped"};
            ++settings_->progress->objects_done;
        }
        if (done.insert(one.object).second) HF_TRY(mend(one).within(one.object));
    }
    return std::move(report_);
}

Result<void> Repairer::mend(const Damage& damage) {
    const std::string& name = damage.object;
    if (name.starts_with("snapshot ")) return {};  // It ends with what is mended.
    if (name.starts_with("pack/")) return mend_pack_of(damage);
    if (name.starts_with(ledger_folder)) return mend_chain(damage);
    if (name.starts_with("list/")) {
        return mend_list(damage, ListId{HF_TRY(id_in_name(name)).digest}, 0);
    }
    return mend_object(damage, [&](const RepairSource& source) -> Result<Answer> {
        Answer answer;
        answer.object = HF_TRY(source.object(name, object_bytes_max));
        answer.fetched_bytes = answer.object.size();
        count(answer.fetched_bytes);
        HF_TRY(check(name, answer.object));
        return answer;
    });
}

/// The first source that has it whole.
Result<void> Repairer::mend_object(const Damage& damage,
                                   const std::function<Result<Answer>(const RepairSource&)>& ask) {
    std::string why;
    for (const RepairSource& source : settings_->sources) {
        const auto answer = ask(source);
        if (answer) {
            HF_TRY(put_in_place(damage.object, answer->object));
            report_.mended.push_back({damage.object, source.name, answer->fetched_bytes});
            return {};
        }
        if (answer.error().code == Errc::Corrupt) note_wrong(source, damage.object, answer.error());
        why += (why.empty() ? "" : "; ") + source.name + ": " + answer.error().message;
    }
    report_.left.push_back({damage.object, why.empty() ? "no partner to ask" : why});
    return {};
}

Result<void> Repairer::mend_pack_of(const Damage& damage) {
    const PackId id{HF_TRY(id_in_name(damage.object)).digest};
    const auto ours = vault_->store().get_all(damage.object, pack_bytes_max);
    HF_TRY(mend_object(damage, [&](const RepairSource& source) -> Result<Answer> {
        MendedPack mended = HF_TRY(mend_pack(id, ours ? *ours : Buffer(), [&](std::uint64_t leaf) {
            return source.leaf(id, leaf);
        }));
        const std::uint64_t bytes = mended.leaves * merkle_leaf_bytes;
        count(bytes);
        return Answer{std::move(mended.file), bytes};
    }));
    const bool is_mended = !report_.mended.empty() && report_.mended.back().object == damage.object;
    if (is_mended) HF_TRY(vault_->index().mark_sound(id));
    return {};
}

/// A list can be read only if all its bases can, and any of them may be the one that is damaged:
/// the deepest is mended first, and what can be read then is left as it is.
Result<void> Repairer::mend_list(const Damage& damage, const ListId& id, unsigned depth) {
    if (depth > list_bases_max || resolves(id)) return {};
    const auto ours = vault_->store().get_all(list_name(id), list_bytes_max);
    const auto parsed = ours ? parse_list(*ours) : Result<ListObject>(ours.error());
    if (parsed && !parsed->base.zero()) {
        HF_TRY(mend_list({list_name(parsed->base), damage.what}, parsed->base, depth + 1));
        if (resolves(id)) return {};
    }
    return mend_object(damage, [&](const RepairSource& source) -> Result<Answer> {
        Answer answer;
        answer.object = HF_TRY(source.object(damage.object, list_bytes_max));
        answer.fetched_bytes = answer.object.size();
        count(answer.fetched_bytes);
        HF_TRY(check_list(id, answer.object, depth));
        return answer;
    });
}

/// Errors: Corrupt (it is not the list of that name), NotFound (its base cannot be read here).
Result<void> Repairer::check_list(const ListId& id, const Buffer& object, unsigned depth) {
    const ListId base = HF_TRY(parse_list(object)).base;
    if (!base.zero()) {
        HF_TRY(mend_list({list_name(base), "a base of " + list_name(id)}, base, depth + 1));
        if (!resolves(base))
            return Error{Errc::NotFound, "its base is damaged here, and not mended"};
    }
    HF_TRY(resolve_list(id, [&](const ListId& one) -> Result<Buffer> {
        if (one == id) return object;
        return vault_->store().get_all(list_name(one), list_bytes_max);
    }));
    return {};
}

/// "ledger/CHAIN" or "ledger/CHAIN/NUMBER": the entries from the first that does not hold on.
Result<void> Repairer::mend_chain(const Damage& damage) {
    const ChainId id =
        HF_TRY(ChainId::from_text(damage.object.substr(ledger_folder.size(), chain_digits)));
    std::string why;
    for (const RepairSource& source : settings_->sources) {
        std::string here;
        if (HF_TRY(mend_entries(id, source, here))) return {};
        why += (why.empty() ? "" : "; ") + source.name + ": " + here;
    }
    report_.left.push_back({damage.object, why.empty() ? "no partner to ask" : why});
    return {};
}

Result<bool> Repairer::mend_entries(const ChainId& id, const RepairSource& source,
                                    std::string& why) {
    const Roster& roster = vault_->roster();
    const MaySign may_sign = nodes_may_sign(roster);
    const Chain* ours = vault_->reader().ledger().chain(id);
    Chain chain = ours != nullptr ? *ours : Chain(roster.trust, id);
    bool mended = false;
    for (;;) {
        const std::string name = entry_name(id, chain.length());
        const auto object = source.object(name, ledger_entry_bytes_max);
        if (!object) {
            if (!mended) why = object.error().message;
            return mended;
        }
        count(object->size());
        const auto entry = parse_entry(*object);
        const auto taken =
            entry ? chain.append(entry->envelope, may_sign) : Result<void>(entry.error());
        if (!taken) {
            note_wrong(source, name, taken.error());
            why = taken.error().message;
            return mended;
        }
        const auto there = vault_->store().get_all(name, ledger_entry_bytes_max);
        if (there && *there == *object) continue;
        HF_TRY(put_in_place(name, *object));
        report_.mended.push_back({name, source.name, object->size()});
        mended = true;
    }
}

/// Errors: Corrupt (not what its name says, or its signer).
Result<void> Repairer::check(const std::string& name, View object) const {
    const SealedName sealed = HF_TRY(sealed_name(name));
    const Digest& id = sealed.id;
    if (name.starts_with("epoch/")) {
        HF_TRY(parse_epoch(object, EpochId{id.digest}));
        return {};
    }
    if (name.starts_with("domain/")) {
        const auto domain = HF_TRY(parse_domain(object, DomainId{id.digest}, vault_->roster()));
        if (domain.seal == sealed.seal) return {};
        return Error{Errc::Corrupt, "a domain's record of another seal"};
    }
    return Error{Errc::NotFound, "no object of this kind can be repaired"};
}

Result<void> Repairer::put_in_place(const std::string& name, View object) {
    HF_TRY(keep_evidence(name));
    fault_point("damaged object in quarantine");
    HF_TRY(vault_->store().replace(name, object));
    fault_point("object repaired");
    return {};
}

Result<void> Repairer::keep_evidence(const std::string& name) {
    const auto damaged = vault_->store().get_all(name, object_bytes_max);
    if (!damaged) return {};  // It is gone, or cannot be read at all.
    HF_TRY(make_folders(settings_->quarantine));
    std::string flat = name;
    std::replace(flat.begin(), flat.end(), '/', '_');
    return write_file_durably(settings_->quarantine + "/" + flat, *damaged);
}

void Repairer::note_wrong(const RepairSource& source, const std::string& object,
                          const Error& error) {
    report_.wrong.push_back({source.name, object + ": " + error.message});
}

}  // namespace

Result<RepairReport> repair(Vault& vault, const std::vector<Damage>& damage,
                            const RepairSettings& settings) {
    return Repairer(vault, settings).run(damage);
}

}  // namespace holdfast::vault
